"""Pictures show every layer with its numbers, keep every text in its box, and let no text of a table be markup."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

import archscope
from archscope import analyses, catalog
from archscope.core.errors import UsageError
from archscope.core.records import Setting
from archscope.drawings.figure import Figure, figure_of
from archscope.drawings.layout import CHARACTER, LINE, Rectangle, placed
from archscope.graph.graph import Graph

NETWORKS = sorted(catalog.everything())
SVG = "{http://www.w3.org/2000/svg}"


def figure(graph: Graph, depth: int | None = None) -> Figure:
    setting = Setting(mode="train")
    counts = {name: analyses.of_column(name)[0].analyse(graph, setting)[name] for name in ("params", "macs")}
    return figure_of(graph, counts, depth)


def parts_of(part: Figure) -> list[Figure]:
    return [part, *(inner for each in part.parts for inner in parts_of(each))]


@functools.cache
def drawn(name: str, **more: Any) -> ET.Element:
    return ET.fromstring(archscope.draw(name, **more))  # noqa: S314  what we wrote ourselves


def texts(name: str, **more: Any) -> list[str]:
    return [each.text or "" for each in drawn(name, **more).iter(f"{SVG}text")]


def overlap(one: Rectangle, other: Rectangle) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


def holds(frame: Rectangle, box: Rectangle) -> bool:
    wide = frame.x <= box.x and box.x + box.width <= frame.x + frame.width
    return wide and frame.y <= box.y and box.y + box.height <= frame.y + frame.height


@pytest.mark.parametrize("name", NETWORKS)
def test_no_two_boxes_overlap_frames_hold_their_parts_and_texts_have_room(name: str) -> None:
    drawing = placed(figure(archscope.lower(name)))
    boxes = [each for each in drawing.rectangles if not each.frame]
    frames = [each for each in drawing.rectangles if each.frame]
    for at, box in enumerate(boxes):
        assert all(len(text) * CHARACTER <= box.width for text in box.texts)
        assert len(box.texts) * LINE <= box.height
        assert not any(overlap(box, other) for other in boxes[at + 1 :])
        assert all(holds(frame, box) or not overlap(frame, box) for frame in frames)
        assert box.x >= 0
        assert box.x + box.width <= drawing.width
        assert box.y + box.height <= drawing.height
    assert all(len(frame.texts[0]) * CHARACTER <= frame.width for frame in frames)


@pytest.mark.parametrize("name", ["googlenet", "resnet152", "densenet121", "vgg16", "lenet5"])
def test_the_numbers_of_the_boxes_add_up_to_those_of_the_network(name: str) -> None:
    graph = archscope.lower(name)
    profile = archscope.profile(graph, mode="train")

    def total(part: Figure, column: str) -> int:
        if part.kind == "layer" or part.times > 1:
            return getattr(part.numbers, column)
        own = getattr(part.numbers, column) if part.kind == "parallel" else 0
        return own + sum(total(each, column) for each in part.parts)

    whole = figure(graph)
    for column in ("params", "macs"):
        assert total(whole, column) == getattr(whole.numbers, column) == profile.totals[column].value


def test_an_inception_module_has_its_four_branches_side_by_side_above_their_join() -> None:
    drawing = placed(figure(archscope.lower("googlenet")))
    frame = next(each for each in drawing.rectangles if each.frame and each.texts[0] == "inception3a · inception")
    inside = [each for each in drawing.rectangles if not each.frame and holds(frame, each)]
    first = [each for each in inside if each.y == min(box.y for box in inside)]
    assert [each.texts[0] for each in first] == ["conv1-64", "conv1-96", "conv1-16", "maxpool3/1 same"]
    assert [each.texts[0] for each in inside if each.y == max(box.y for box in inside)] == ["concat"]
    assert len(inside) == 8


def test_repeats_are_drawn_once_with_their_number() -> None:
    assert "layer3.1 · residual block ×35" in texts("resnet152")
    assert "denselayer1 · dense layer ×24" in texts("densenet121")
    assert "in a dense block each layer takes all results before it" in texts("densenet121")
    assert [text for text in texts("vgg16") if text.startswith("conv3-512")] == ["conv3-512 ×3", "conv3-512 ×3"]


def test_ways_that_differ_only_in_their_channels_are_drawn_once_with_their_number() -> None:
    """LeNet-5's C3 takes 6 × 3, 9 × 4 and 1 × 6 maps; in one piece they are contiguous, in two or three joined."""
    shown = texts("lenet5")
    assert [text for text in shown if text.startswith("side by side")] == [
        "side by side ×4", "side by side ×2", "side by side ×3", "side by side ×5",
        "side by side ×n: n such ways, which differ in the channels that they take",
    ]  # fmt: skip
    assert float(drawn("lenet5").attrib["width"]) < 1300
    frames = [each for each in parts_of(figure(archscope.lower("lenet5"))) if each.label == "side by side"]
    kernels = [(3, 4), (3, 2), (4, 3), (4, 5)]  # maps that each takes, and how many do
    assert [each.numbers.params for each in frames] == [(25 * maps + 1) * count for maps, count in kernels]


def test_a_residual_block_has_a_way_around_it() -> None:
    block = next(each for each in parts_of(figure(archscope.lower("resnet18"))) if each.kind == "parallel")
    assert [part.kind for part in block.parts] == ["sequence", "skip"]
    assert (block.label, block.notes) == ("add", ("relu",))


def test_a_depth_folds_the_blocks_below_it() -> None:
    shallow = texts("googlenet", depth=0)
    assert "inception3a" in shallow
    assert not any(text.startswith("conv1-96") for text in shallow)
    assert len(shallow) < len(texts("googlenet"))


def test_every_box_says_its_numbers_when_pointed_at() -> None:
    titles = [each.text or "" for each in drawn("googlenet").iter(f"{SVG}title")]
    assert any(title.startswith("conv1: output 64×112×112, 9,472 params, 118,013,952 MACs, ") for title in titles)
    assert sum(title.startswith("inception3a:") for title in titles) == 1


def test_what_is_highlighted_is_said_and_the_largest_is_darkest() -> None:
    assert any("colour: share of the largest box's params" in text for text in texts("vgg16", highlight="params"))
    opacity = {}
    for group in drawn("vgg16", highlight="params").iter(f"{SVG}g"):
        box, label = group.find(f"{SVG}rect[@class='box']"), group.find(f"{SVG}text")
        if box is not None and label is not None:
            opacity[label.text] = float(box.attrib["fill-opacity"])
    assert max(opacity, key=lambda label: opacity[label]) == "FC-4096 ×2"
    assert opacity["maxpool"] == 0.05


HOSTILE = '<script>alert("&")</script>'


def test_text_of_a_table_is_never_markup() -> None:
    spec = replace(archscope.load("lenet_tutorial"), title=HOSTILE)
    root = ET.fromstring(archscope.draw(spec))  # noqa: S314  what we wrote ourselves
    assert not list(root.iter(f"{SVG}script"))
    assert any(HOSTILE in (each.text or "") for each in root.iter(f"{SVG}title"))
    assert '\\"&\\"' in archscope.draw(spec, "dot")


@pytest.mark.parametrize("name", ["googlenet", "resnet50", "densenet121"])
def test_mermaid_and_dot_have_every_box_of_the_svg_and_an_arrow_into_all_but_the_first(name: str) -> None:
    boxes = [each for each in placed(figure(archscope.lower(name))).rectangles if not each.frame]
    flow = archscope.draw(name, "mermaid")
    nodes = re.findall(r'^ +(n\d+)\["', flow, re.MULTILINE)
    reached = set(re.findall(r"--> (n\d+)", flow))
    assert len(nodes) == len(boxes)
    assert set(nodes) - reached == {nodes[0]}
    dot = archscope.draw(name, "dot")
    assert len(re.findall(r"^ +n\d+ \[label=", dot, re.MULTILINE)) == len(boxes)
    assert dot.count("{") == dot.count("}")
    assert dot.count(" -> ") == flow.count(" --> ")


def test_graphviz_reads_the_dot(tmp_path: Path) -> None:
    if shutil.which("dot") is None:
        pytest.skip("needs Graphviz' dot")
    (tmp_path / "net.dot").write_text(archscope.draw("googlenet", "dot"), encoding="utf-8")
    subprocess.run(["dot", "-Tsvg", "net.dot", "-o", "net.svg"], cwd=tmp_path, check=True)


def test_a_picture_needs_no_torch() -> None:
    code = "import sys, archscope; archscope.draw('googlenet'); assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"to": "gif"}, "to is 'gif'"),
        ({"highlight": "depth"}, "highlight is 'depth'"),
        ({"to": "dot", "highlight": "params"}, "highlight is 'params', and only svg has colours for it"),
        ({"depth": -1}, "depth is -1"),
    ],
)
def test_values_that_make_no_sense_are_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(text)):
        archscope.draw("lenet5", **given)
