"""The networks of the notes have the figures that were counted for them, and the captured graphs have them too."""

from __future__ import annotations

from pathlib import Path

import pytest

import archscope
from archscope.studies.differing.costs import cost_of

torch = pytest.importorskip("torch")

HERE = Path(__file__).parent

FIGURES = {
    "vgg16_cats.py:VGG16": (134_277_186, (3, 224, 224)),
    "vgg_tuples.py:vgg_13": (132_882_472, (3, 224, 224)),
    "vgg_tuples.py:vgg_13_mended": (133_067_176, (3, 224, 224)),
    "googlenet_flowers.py:GoogLeNet": (10_318_655, (3, 224, 224)),
    "googlenet_flowers.py:GoogLeNet(aux_logits=False)": (5_978_677, (3, 224, 224)),
    "vgg16_at_244.py:VGG16": (138_357_544, (3, 244, 244)),
    "d2l_vgg.py:small_vgg": (43_093_322, (1, 224, 224)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_params_are_those_that_were_counted(name: str) -> None:
    params, shape = FIGURES[name]
    assert (
        archscope.profile(str(HERE / name), input=shape, mode="train", batch=1 if "244" in name else 2)
        .totals["params"]
        .value
        == params
    )


def test_at_244_pixels_vgg16_takes_18_giga_macs() -> None:
    profile = archscope.profile(str(HERE / "vgg16_at_244.py:VGG16"), input=(3, 244, 244))
    assert profile.totals["macs"].value == 18_101_128_192
    assert archscope.profile("vgg16").totals["macs"].value == 15_470_264_320


def test_heads_are_left_out_of_what_a_network_costs() -> None:
    graph = archscope.capture(str(HERE / "googlenet_flowers.py:GoogLeNet"), (3, 224, 224), batch=4, mode="train")
    assert cost_of(graph) == (5_978_677, archscope.profile("googlenet", num_classes=5).totals["macs"].value, 22)
