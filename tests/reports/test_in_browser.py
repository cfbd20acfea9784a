"""The report in a browser: it draws the profile's numbers, and mouse, keyboard and screen readers get at them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import archscope

NETWORKS = ("vgg16", "googlenet")
COLUMNS = ("output_shape", "params", "macs", "activations", "saved_activation_bytes", "receptive_field")
CHARTED = ("params", "macs", "saved_activation_bytes", "receptive_field")

DRAWN = "id => [...document.querySelectorAll(`#${id} .bars`)].map(bars => [...bars.querySelectorAll('.point')]"
BARS = f"{DRAWN}.map(point => point.__data__.s))"
"""What is bound to each bar of a chart, trace by trace: a list per trace."""


def layers_of(name: str) -> list[dict[str, Any]]:
    return [row.values for row in archscope.profile(name, columns=COLUMNS).rows]


def rows_shown(page: Any) -> list[list[str]]:
    script = "[...document.querySelectorAll('#layers tbody tr')].filter(row => !row.hidden)"
    return page.ask(f"{script}.map(row => [...row.cells].map(cell => cell.textContent))")


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_it_loads_without_a_complaint_and_without_a_request(shown: Any, report: Path) -> None:
    assert shown.complaints == []
    assert shown.requests == [report.as_uri()]
    assert len(shown.page.query_selector_all(".plot .main-svg")) >= 2 * 7


def test_the_drawn_bars_of_every_layer_are_the_profile_s_numbers(shown: Any) -> None:
    for n, name in enumerate(NETWORKS, start=1):
        drawn = shown.ask(BARS, f"n{n}-layers")
        expected = [[row[column] for row in layers_of(name)] for column in CHARTED]
        assert drawn == expected


def test_bars_are_as_high_as_their_numbers(shown: Any) -> None:
    sizes = f"{DRAWN}.map(point => [point.__data__.s, point.getBBox().height]))"
    for bars in shown.ask(sizes, "n1-layers"):
        most = max(bars)
        for value, height in bars:
            assert height == pytest.approx(most[1] * value / most[0], abs=2)  # Plotly draws no bar lower than 2 pixels


def test_stages_add_up_to_the_totals_of_each_network(shown: Any) -> None:
    traces = shown.ask("id => document.getElementById(id).calcdata.map(points => points.map(p => p.s))", "stages")
    for n, column in enumerate(CHARTED[:3]):
        for at, name in enumerate(NETWORKS):
            total = archscope.profile(name, columns=COLUMNS).totals[column].value
            assert sum(value or 0 for value in traces[2 * n + at]) == total


def test_the_waterfall_goes_from_the_first_network_s_total_to_the_second_s(shown: Any) -> None:
    ends = (
        "id => document.getElementById(id).calcdata.map(points => [points[0].s, points.at(-1).rawS ?? points.at(-1).s])"
    )
    steps = "id => document.getElementById(id).data.map(trace => trace.y.slice(1, -1).reduce((a, b) => a + b))"
    totals = [archscope.profile(name).totals for name in NETWORKS]
    for n, column in enumerate(("params", "macs")):
        first, second = (each[column].value for each in totals)
        assert shown.ask(ends, "difference2")[n] == [first, second]
        assert shown.ask(steps, "difference2")[n] == second - first


def test_the_timeline_is_the_live_memory_of_a_training_step(shown: Any) -> None:
    areas = "id => document.getElementById(id).calcdata.map(points => points.map(p => p.y))"
    use = archscope.memory("googlenet")
    drawn = shown.ask("id => document.getElementById(id).data.map(trace => trace.y)", "n2-memory")
    assert [sum(parts) for parts in zip(*drawn, strict=True)] == [moment.bytes for moment in use.timeline]
    # Stacked: the uppermost line of the drawing is the sum.
    uppermost = shown.ask(areas, "n2-memory")[-1]
    assert max(uppermost) == use.training.bytes


def test_a_sweep_s_axes_can_be_chosen(opened: Callable, small: Path) -> None:
    found = opened(small)
    values = "axis => document.getElementById('sweep1').data.map(trace => trace[axis])"
    assert found.ask(values, "x") == [[75942792, 138357544], [6998552]]
    assert found.ask(values, "y") == [[3930587136, 15470264320], [1582671872]]
    found.page.select_option("select[data-axis=y]", "activations")
    assert found.ask(values, "y") == [[7548136, 15087080], [5881240]]
    assert "activations" in found.page.text_content("#sweep1 .ytitle")
    assert found.complaints == []


def test_the_table_sorts_by_a_click_and_by_the_keyboard(opened: Callable, report: Path) -> None:
    found = opened(report)
    head = found.page.get_by_role("button", name="params")
    head.click()
    shown = [number(row[4]) for row in rows_shown(found)]
    assert shown == sorted(shown, reverse=True)
    assert rows_shown(found)[0][:2] == ["vgg16", "fc6"]
    assert found.page.get_attribute("#layers th:nth-child(5)", "aria-sort") == "descending"
    head.press("Enter")
    shown = [number(row[4]) for row in rows_shown(found)]
    assert shown == sorted(shown)
    assert found.page.inner_text("#live") == "sorted by params, ascending"
    found.page.get_by_role("button", name="saved bytes").click()
    kept = sorted((row["saved_activation_bytes"] for name in NETWORKS for row in layers_of(name)), reverse=True)
    assert found.ask("[...document.querySelectorAll('#layers tbody tr')].map(row => +row.cells[7].dataset.v)") == kept


def test_the_table_filters_by_text_network_and_number(opened: Callable, report: Path) -> None:
    found = opened(report)
    all_ = sum(len(layers_of(name)) for name in NETWORKS)
    assert found.page.inner_text("#count") == f"{all_} of {all_} layers"
    found.page.fill("#find", "Inception3a")
    assert {row[1].partition(".")[0] for row in rows_shown(found)} == {"inception3a"}
    found.page.fill("#find", "")
    found.page.select_option("#which", "vgg16")
    assert {row[0] for row in rows_shown(found)} == {"vgg16"}
    found.page.fill("#least", "10000000")
    assert [row[1] for row in rows_shown(found)] == ["fc6", "fc7"]
    found.page.select_option("#least-of", "saved bytes")
    expected = sum(row["saved_activation_bytes"] >= 10**7 for row in layers_of("vgg16"))
    assert found.page.inner_text("#count") == f"{expected} of {all_} layers"
    assert expected > 0


def test_pointing_at_a_box_shows_where_its_numbers_come_from(opened: Callable, report: Path) -> None:
    found = opened(report)
    panel = found.page.locator("#n2 .panel")
    assert "Point at a box" in panel.inner_text()
    found.page.locator("#n2 g[data-name='conv1']").hover()
    assert "9,472" in panel.inner_text()
    assert "(7·7·3)·64 + 64" in panel.inner_text()
    assert "Point at a box" not in panel.inner_text()
    title = found.page.locator("#n2 g[data-name='conv1'] title").text_content()
    assert title.startswith("conv1: output 64×112×112, 9,472 params, 118,013,952 MACs")


def test_the_keyboard_goes_from_box_to_box_and_into_the_explanation(opened: Callable, report: Path) -> None:
    found = opened(report)
    found.page.locator("#n1 .picture g[tabindex='0']").focus()
    seen = []
    for _ in range(3):
        found.page.keyboard.press("ArrowDown")
        seen.append(found.ask("document.activeElement.dataset.name"))
    assert seen == ["conv1_1", "pool1", "conv2_1"]
    assert found.ask("document.activeElement.getAttribute('aria-label')").startswith("conv2_1 (2 together): output 128")
    found.page.keyboard.press("Enter")
    assert found.ask("document.activeElement.className") == "panel"
    assert "conv2_1" in found.page.locator("#n1 .panel").inner_text()
    found.page.keyboard.press("Escape")
    assert found.ask("document.activeElement.dataset.name") == "conv2_1"


def test_a_drawing_can_be_made_larger_and_coloured(opened: Callable, report: Path) -> None:
    found = opened(report)
    wide = "document.querySelector('#n1 .picture svg').getBoundingClientRect().width"
    before = found.ask(wide)
    found.page.locator("#n1 [data-zoom=in]").click()
    assert found.ask(wide) == pytest.approx(1.25 * before, rel=0.01)
    found.page.locator("#n1 [data-zoom=one]").click()
    assert found.ask(wide) == pytest.approx(before, rel=0.01)
    found.page.locator("#n1 [data-colour]").select_option("params")
    opacity = "name => +document.querySelector(`#n1 g[data-name='${name}'] rect`).getAttribute('fill-opacity')"
    assert found.ask(opacity, "fc6") == pytest.approx(0.6)
    assert found.ask(opacity, "pool1") == pytest.approx(0.05)


def test_pointing_at_a_chart_shows_all_digits(opened: Callable, report: Path) -> None:
    found = opened(report)
    plot = found.page.locator("#n1-layers")
    plot.scroll_into_view_if_needed()
    bar = found.page.locator("#n1-layers .bars").nth(1).locator(".point path").nth(2)
    box = bar.bounding_box()
    found.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    found.page.wait_for_selector("#n1-layers .hoverlayer text")
    shown = found.page.text_content("#n1-layers .hoverlayer")
    assert "1,849,688,064" in shown
    assert "conv1_2 · conv3-64 · 64×224×224" in shown


def test_arrow_keys_read_a_chart_out(opened: Callable, report: Path) -> None:
    found = opened(report)
    found.page.locator("#n1-layers").focus()
    found.page.keyboard.press("ArrowRight")
    read = found.page.inner_text("#live")
    assert read.startswith("conv1_1 · conv3-64 · 64×224×224: params 1,792; MACs 86,704,128; saved bytes 602,112 B;")
    found.page.keyboard.press("End")
    assert found.page.inner_text("#live").startswith("fc8 · FC-1000 · 1000: params 4,097,000")
    found.page.locator("#difference2").focus()
    found.page.keyboard.press("Home")
    assert found.page.inner_text("#live") == "vgg16: params 138,357,544; vgg16: macs 15,470,264,320"
    assert found.complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_axe_finds_no_serious_violation(opened: Callable, small: Path, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    found = opened(small, width=width, scheme=scheme)
    violations = axe.Axe().run(found.page).response["violations"]
    assert found.page.locator(".refuted").count() > 1
    told = [(each["id"], each["impact"], each["nodes"][0]["html"][:200]) for each in violations]
    assert [each for each in told if each[1] in {"serious", "critical"}] == []


def test_in_the_dark_texts_are_light_and_on_a_phone_nothing_sticks_out(opened: Callable, small: Path) -> None:
    dark = opened(small, scheme="dark")
    fill = "getComputedStyle(document.querySelector('#stages .xtick text')).fill"
    assert dark.ask(fill) == "rgb(240, 240, 240)"
    assert dark.ask("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 27)"
    assert opened(small).ask(fill) == "rgb(26, 26, 26)"
    phone = opened(small, width=390)
    assert phone.ask("document.documentElement.scrollWidth") == 390


def test_a_change_of_scheme_recolours_the_charts(opened: Callable, small: Path) -> None:
    found = opened(small)
    found.page.emulate_media(color_scheme="dark")
    fill = "getComputedStyle(document.querySelector('#stages .xtick text')).fill === 'rgb(240, 240, 240)'"
    found.until(fill)
    assert found.complaints == []


def test_in_print_charts_are_dark_on_white_and_tables_are_whole(opened: Callable, small: Path, tmp_path: Path) -> None:
    found = opened(small, scheme="dark")
    found.page.emulate_media(media="print")
    found.ask("dispatchEvent(new Event('beforeprint'))")
    fill = "getComputedStyle(document.querySelector('#stages .xtick text')).fill === 'rgb(26, 26, 26)'"
    found.until(fill)
    assert found.ask("getComputedStyle(document.querySelector('.tall')).overflow") == "visible"
    assert found.ask("getComputedStyle(document.querySelector('nav')).display") == "none"
    found.page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def test_without_scripts_the_tables_and_explanations_are_there(opened: Callable, report: Path) -> None:
    found = opened(report, scripts=False)
    assert "(7·7·3)·64 + 64" in found.page.locator("#n2 .panel").inner_text()
    assert "138,357,544" in found.page.locator("#totals").inner_text()


HOSTILE = "</script><script>hacked = 1</script><img src=x onerror=alert(1)><b>&"


def test_a_hostile_text_stays_a_text(opened: Callable, tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="needs the extra report")
    graph = archscope.lower("lenet_tutorial")
    nodes = tuple(replace_names(node) for node in graph.nodes)
    hostile = replace(graph, name=HOSTILE, title=HOSTILE, changes=(HOSTILE,), notes=(HOSTILE,), nodes=nodes)
    sweep = tmp_path / "sweep.csv"
    sweep.write_text(f'network,words,params\n"{HOSTILE}","{HOSTILE}",1\n', encoding="utf-8")
    path = tmp_path / "report.html"
    path.write_text(archscope.report([hostile, "lenet5"], sweeps=[sweep]), encoding="utf-8")
    found = opened(path)
    assert found.complaints == []
    assert found.ask("typeof hacked") == "undefined"
    assert found.requests == [path.as_uri()]
    assert found.ask("document.querySelectorAll('img, b, main script, .plot a').length") == 0
    assert found.page.inner_text("h1") == f"{HOSTILE}, lenet5"
    found.page.locator("#n1-layers").focus()
    found.page.keyboard.press("ArrowRight")
    assert HOSTILE in found.page.inner_text("#live")
    assert HOSTILE in found.page.text_content("#stages .legend")


def replace_names(node: Any) -> Any:
    return node._replace(name=f"{HOSTILE}{node.name}")
