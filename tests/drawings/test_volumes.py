"""Volumes are drawn to scale, each one of them, above a ladder that says their sizes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import archscope as library
from archscope.core.errors import Unsupported, UsageError
from archscope.drawings.layout import CHARACTER
from archscope.drawings.volumes import LEAST

SVG = "{http://www.w3.org/2000/svg}"


def drawn(name: str, **more: str) -> ET.Element:
    return ET.fromstring(library.draw(name, style="volumes", **more))  # noqa: S314  what we wrote ourselves


def fronts(root: ET.Element) -> dict[str, tuple[float, float]]:
    """Width and height of the front of each cuboid, by what it is when pointed at; equal ones are told apart by #."""
    found: dict[str, tuple[float, float]] = {}
    for group in root.iter(f"{SVG}g"):
        title, front = group.find(f"{SVG}title"), group.find(f"{SVG}polygon[@class='box']")
        assert title is not None
        assert front is not None
        points = [tuple(map(float, pair.split(","))) for pair in front.attrib["points"].split()]
        size = tuple(max(axis) - min(axis) for axis in zip(*points, strict=True))
        name = title.text or ""
        found[f"{name}#{sum(each.startswith(f'{name}#') for each in found)}"] = (size[0], size[1])
    return found


def sizes(tip: str) -> tuple[int, int]:
    """Channels and height, of what a cuboid says."""
    shape = [int(each) for each in re.search(r"(?:output|image:) ([\d×]+)", tip)[1].split("×")]
    return shape[0], shape[1] if len(shape) > 1 else 1


@pytest.mark.parametrize("name", ["vgg16", "googlenet", "lenet5", "alexnet", "squeezenet1_0", "densenet121"])
def test_sides_and_channels_are_to_scale(name: str) -> None:
    found = fronts(drawn(name))
    channels, heights = zip(*(sizes(tip) for tip in found), strict=True)
    widest = max(width for width, _ in found.values()) / max(channels)
    tallest = max(height for _, height in found.values()) / max(heights)
    for tip, (width, height) in found.items():
        channel, side = sizes(tip)
        assert width == pytest.approx(max(LEAST, channel * widest), abs=0.2)
        assert height == pytest.approx(max(LEAST, side * tallest), abs=0.2)


def test_vgg_has_a_cuboid_for_each_of_its_layers_and_one_for_the_image() -> None:
    boxes = fronts(drawn("vgg16"))
    assert len(boxes) == 1 + 13 + 5 + 3
    assert next(iter(boxes)) == "image: 3×224×224#0"


def test_the_ladder_says_the_sizes_and_what_makes_them() -> None:
    texts = [each.text for each in drawn("vgg16").iter(f"{SVG}text")]
    at = texts.index("112×112")
    assert texts[at : at + 4] == ["112×112", "maxpool: 64", "conv3-128 ×2", "56×56"]
    assert texts[texts.index("vectors") : texts.index("vectors") + 3] == ["vectors", "FC-4096 ×2", "FC-1000"]
    assert {"image", "convolution", "pooling", "fully connected"} <= set(texts)
    assert "50 pixels of a map" in texts


def test_many_repeats_are_drawn_once_with_their_number() -> None:
    root = drawn("resnet152")
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert "layer3.1 ×35: 1024" in texts
    assert "of more than 4 repeats one is drawn" in texts
    assert sum(tip.startswith("layer3.1 ") for tip in fronts(root)) == 1


@pytest.mark.parametrize("name", ["vgg16", "googlenet", "resnet152", "mobilenet_v2", "inception_v4"])
def test_no_text_runs_into_another_or_out_of_the_picture(name: str) -> None:
    root = drawn(name)
    texts = [(float(each.attrib["x"]), float(each.attrib["y"]), each.text or "") for each in root.iter(f"{SVG}text")]
    for x, y, text in texts:
        end = x + len(text) * CHARACTER
        assert end <= float(root.attrib["width"]) + 1
        assert y <= float(root.attrib["height"])
        assert not [other for left, line, other in texts if line == y and x < left < end]


def test_a_highlight_is_said_and_the_largest_is_darkest() -> None:
    root = drawn("vgg16", highlight="params")
    assert any("colour: share of the largest box's params" in (each.text or "") for each in root.iter(f"{SVG}text"))
    opacity = {}
    for group in root.iter(f"{SVG}g"):
        title, front = group.find(f"{SVG}title"), group.find(f"{SVG}polygon[@class='box']")
        assert title is not None
        assert front is not None
        opacity[(title.text or "").partition(":")[0]] = float(front.attrib["fill-opacity"])
    assert max(opacity, key=lambda name: opacity[name]) == "fc6 (2 together)"


def test_text_of_a_table_is_never_markup() -> None:
    hostile = '<script>alert("&")</script>'
    spec = replace(library.load("lenet_tutorial"), title=hostile)
    root = ET.fromstring(library.draw(spec, style="volumes"))  # noqa: S314  what we wrote ourselves
    assert not list(root.iter(f"{SVG}script"))
    assert any(hostile in (each.text or "") for each in root.iter(f"{SVG}title"))


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"style": "cubes"}, "bad-value: style is 'cubes'\n  expected: boxes, volumes"),
        ({"style": "volumes", "to": "dot"}, "to is 'dot', and volumes are an svg in which every block is one"),
        ({"style": "volumes", "depth": 1}, "depth is 1, and volumes are an svg in which every block is one"),
    ],
)
def test_what_does_not_go_together_is_refused(more: dict[str, str], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        library.draw("lenet5", **more)


def test_what_is_no_map_is_named() -> None:
    spec = library.load(["FC-8"], input=(5, 4))
    text = "no-volume: the input is 5×4: volumes are of maps, which have a height and a width, and of vectors"
    with pytest.raises(Unsupported, match=text):
        library.draw(spec, style="volumes")


def test_the_command_draws_them(archscope: Callable, here: Path) -> None:
    assert archscope("draw lenet_tutorial --style volumes -o net.svg") == (0, "wrote net.svg\n", "")
    assert (here / "net.svg").read_text(encoding="utf-8") == library.draw("lenet_tutorial", style="volumes")
