"""Training runs in a report: the page has the numbers of the files, and of a stranger's folder nothing but text."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import archscope
from archscope.core.errors import ArchscopeError
from archscope.training import recording, runs
from archscope.training.events import Epoch, Report
from archscope.training.folders import write_json
from archscope.training.preprocessing import Preprocessing
from archscope.training.recipe import Recipe
from archscope.training.runs import Run, TrainedNetwork

pytest.importorskip("jinja2", reason="needs the extra report")
pytest.importorskip("plotly", reason="needs the extra report")

HOSTILE = "</script><script>hacked = 1</script><img src=x onerror=alert(1)><b>&"


def figures(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1], parse_constant=lambda word: pytest.fail(f"{word} is no JSON")))


def traces_of(text: str) -> dict[str, list[tuple[int, float | None]]]:
    return {each["name"]: list(zip(each["x"], each["y"], strict=True)) for each in figures(text)["run1"]["data"]}


def write(folder: Path, *, text: str = "net", loss: float = 1.5) -> Path:
    """A run's folder with two epochs, an auxiliary head, reports and a verdict, all of whose texts are this one."""
    network = TrainedNetwork(text, {"width": text}, (3, 8, 8))
    recipe = Recipe(lr=0.1, optimizer="sgd", epochs=2, freeze=(text,)).plain()
    run = Run(
        network,
        recipe,
        {"name": text, "seed": 3, "augment": [text]},
        (text, "b"),
        Preprocessing(3, (8, 8), short_side=8),
    )
    runs.begin(folder, run)
    history = [Epoch(n, 4 * n + 4, {"logits": loss, text: 0.25}, 0.5, 0.75, 0.625, 0.1) for n in range(2)]
    recording.write_history(folder, history)
    recording.add_metrics(folder, Report(3, {"logits": loss, text: 0.5}, 0.125))
    sign = {"status": "fault", "what": text, "cause": text, "mend": text, "name": text}
    write_json(folder / "verdict.json", "verdict", {"verdict": "does not learn", "causes": [text], "signs": [sign]})
    return folder


def test_the_page_has_the_numbers_and_the_evidence_of_a_training(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    recipe = Recipe(steps=4, batch_size=16, log_every=2)
    done = archscope.train("lenet_tutorial", "fake:4", recipe, out=folder)
    text = archscope.report(["lenet_tutorial"], runs=[folder])
    with (folder / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {
        "loss, train": "logits_loss", "loss, held-out": "validation_loss",
        "accuracy, train": "accuracy", "accuracy, held-out": "validation_accuracy",
    }  # fmt: skip
    drawn = traces_of(text)
    for name, column in columns.items():
        assert drawn[name] == [(int(row["step"]), float(row[column])) for row in rows]
        assert all(f'<td class="number">{row[column]}</td>' in text for row in rows)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert drawn["loss, train, each report"] == [(each["step"], each["losses"]["logits"]) for each in lines]
    assert done.verdict is not None
    assert f"<strong>{done.verdict.verdict}</strong>" in text
    for sign in done.verdict.signs:
        assert f'<th scope="row">{sign.name}</th><td>{sign.what.replace("&", "&amp;").replace("<", "&lt;")}' in text


def test_auxiliary_losses_are_curves_of_their_own_and_words_say_how_it_was_trained(tmp_path: Path) -> None:
    text = archscope.report(["lenet_tutorial"], runs=[write(tmp_path / "one", text="aux1")])
    assert traces_of(text)["loss, train, aux1"] == [(4, 0.25), (8, 0.25)]
    assert "<dt>data</dt><dd>aux1, 2 classes, squashed to 8×8, augment aux1, split by seed 3</dd>" in text
    assert "8 steps done, epochs 2, lr 0.1, optimizer sgd, schedule cosine, warmup 0.1, freeze aux1, aux weight" in text
    assert "<dt>network</dt><dd>aux1 at 3×8×8, width=aux1</dd>" in text
    assert "<strong>does not learn</strong>: aux1" in text


def test_a_loss_that_is_no_number_is_a_gap(tmp_path: Path) -> None:
    text = archscope.report(["lenet_tutorial"], runs=[write(tmp_path / "one", loss=math.nan)])
    assert traces_of(text)["loss, train"] == [(4, None), (8, None)]
    assert '<td class="number">nan</td>' in text


def test_a_training_that_goes_on_has_no_verdict_yet_and_one_that_was_refused_no_curves(tmp_path: Path) -> None:
    going, refused = write(tmp_path / "going"), write(tmp_path / "refused")
    (going / "verdict.json").unlink()
    (refused / "history.csv").unlink()
    text = archscope.report(["lenet_tutorial"], runs=[going, refused])
    assert "<dd>none: it still trains, or was interrupted</dd>" in text
    assert "<p>No epoch was trained to its end, so there are no curves.</p>" in text
    assert [name for name in figures(text) if name.startswith("run")] == ["run1"]


def test_a_very_long_training_is_thinned_and_ends_where_it_ended(tmp_path: Path) -> None:
    folder = write(tmp_path / "long")
    recording.write_history(folder, [Epoch(n, n + 1, {"logits": 1.0}, 0.5, 0.5, 0.5, 0.1) for n in range(2 * 2000 + 1)])
    drawn = traces_of(archscope.report(["lenet_tutorial"], runs=[folder]))["loss, train"]
    assert 1000 < len(drawn) <= 2000
    assert drawn[-1] == (4001, 1.0)


def test_a_run_that_cannot_be_read_is_an_error_before_anything_is_written(archscope: Callable, here: Path) -> None:
    outcome = archscope("report lenet_tutorial --run gone -o page.html")
    told = "no-run: there is no folder 'gone'\n  help:     give the folder that archscope train wrote with --out\n"
    assert outcome == (1, "", told)
    write(here / "one")
    (here / "one" / "recipe.json").write_text('{"speed": 3}')
    outcome = archscope("report lenet_tutorial --run one -o page.html")
    assert outcome == (1, "", "bad-run: 'recipe.json' in 'one' has no recipe: a recipe has no 'speed'\n")
    assert [path.name for path in here.iterdir()] == ["one"]


def test_the_command_shows_several_runs(archscope: Callable, here: Path) -> None:
    write(here / "one")
    write(here / "two")
    assert archscope("report lenet_tutorial --run one --run two -o page.html").code == 0
    text = (here / "page.html").read_text(encoding="utf-8")
    assert re.findall(r'<h3 id="run\d-name">([^<]*)', text) == ["one: net on net", "two: net on net"]


def test_a_page_of_a_run_alone_needs_no_network_and_breaks_nowhere(
    opened: Callable, archscope: Callable, tmp_path: Path
) -> None:
    assert archscope(f"report --run {write(tmp_path / 'run')} -o {tmp_path / 'run.html'}").code == 0
    text = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert 'id="runs"' in text
    assert not [each for each in ("totals", "stages-section", "all-layers", "conventions") if f'id="{each}"' in text]
    page = opened(tmp_path / "run.html")
    assert page.complaints == []
    assert page.page.title() == "run · archscope"


def test_hostile_texts_of_a_run_stay_texts(opened: Callable, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    text = archscope.report(["lenet_tutorial"], runs=[write(tmp_path / "one", text=HOSTILE)])
    path.write_text(text, encoding="utf-8", newline="\n")
    assert HOSTILE not in text
    found = opened(path)
    assert found.complaints == []
    assert found.requests == [path.as_uri()]
    assert found.ask("document.querySelectorAll('img, b, main script, .plot a').length") == 0
    assert found.page.locator("#runs").inner_text().count(HOSTILE) >= 8
    found.page.locator("#run1").focus()
    found.page.keyboard.press("ArrowRight")
    spoken = found.page.inner_text("#live")
    assert f"4: loss, train, {HOSTILE} 0.25; 4: loss, held-out 0.75" in spoken
    assert "each report" not in spoken


def test_a_run_without_figures_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "one")
    for name in ("history.csv", "verdict.json"):
        (folder / name).unlink()
    with pytest.raises(ArchscopeError, match=r"no-figures: '.*' has nothing to show: no epoch in 'history.csv'"):
        archscope.report(["lenet_tutorial"], runs=[folder])
