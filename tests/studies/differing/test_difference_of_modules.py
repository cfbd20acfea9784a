"""``diff`` on captured modules: torchvision's against tables, and networks as notes write them."""

from __future__ import annotations

from pathlib import Path

import pytest

import archscope
from archscope.core.errors import UsageError
from archscope.studies.differing.difference import Difference

pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")

NOTES = Path(__file__).parents[2] / "networks_as_notes"


def note(name: str) -> str:
    return str(NOTES / name)


def texts(found: tuple[Difference, ...], *, matters: bool = True) -> list[str]:
    return [str(each) for each in found if each.matters == matters]


def googlenet() -> object:
    return models.googlenet(init_weights=False)


def test_torchvisions_googlenet_differs_from_the_paper_in_what_is_known_of_it() -> None:
    found = archscope.diff(googlenet, "googlenet_lrn")
    assert texts(found) == [
        "all 59 convs: no bias, spec has one",
        "after all 59 convs: batchnorm eps=0.001 added",
        "after maxpool1: LRN alpha=0.0001 k=1.0 missing",
        "after conv3: LRN alpha=0.0001 k=1.0 missing",
        "branch3.1 in 9 modules, inception3a … inception5b: kernel 3×3, spec 5×5",
        "maxpool4: kernel 2×2, spec 3×3",
        "dropout: dropout 0.2, spec 0.4",
        "aux1.adaptiveavgpool, aux2.adaptiveavgpool: adaptiveavgpool4, spec avgpool5/3",
    ]
    assert texts(found, matters=False) == [
        "branch4.0 in 9 modules, inception3a … inception5b: rounds up, spec down: the same windows",
        "avgpool: adaptiveavgpool, spec avgpool7/1: the same windows",
    ]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("vgg16", "vgg16"), ("vgg11_bn", "vgg11_bn"), ("resnet18", "resnet18"), ("resnet50", "resnet50_v1_5"),
        ("densenet121", "densenet121"), ("squeezenet1_1", "squeezenet1_1"), ("mobilenet_v2", "mobilenet_v2"),
        ("wide_resnet50_2", "wide_resnet50_2"), ("alexnet", "alexnet_owt"),
    ],
)  # fmt: skip
def test_torchvisions_networks_are_those_of_their_tables(name: str, table: str) -> None:
    assert texts(archscope.diff(getattr(models, name), table)) == []


def test_torchvisions_inceptions_are_those_of_their_tables_heads_included() -> None:
    assert archscope.diff(googlenet, "googlenet_torchvision") == ()
    inception = models.inception_v3(init_weights=False)
    assert archscope.diff(inception, "inception_v3_torchvision") == ()


def test_the_note_that_calls_a_vgg_11_vgg_13_lacks_two_convs() -> None:
    assert texts(archscope.diff(note("vgg_tuples.py:vgg_13"), "vgg13")) == [
        "all 8 convs: no bias, spec has one",
        "after all 8 convs: batchnorm added",
        "after head.0, head.4: batchnorm added",
        "conv1_2: one conv fewer in block 1: 11 weight layers, not 13",
        "conv2_2: one conv fewer in block 2: 11 weight layers, not 13",
    ]
    mended = texts(archscope.diff(note("vgg_tuples.py:vgg_13_mended"), "vgg13"))
    assert len(mended) == 3
    assert not [text for text in mended if "fewer" in text]


def test_the_note_on_flowers_drops_otherwise_in_its_heads() -> None:
    assert texts(archscope.diff(note("googlenet_flowers.py:GoogLeNet"), "googlenet", num_classes=5)) == [
        "after head1.conv, head2.conv: dropout added",
        "head1.dropout_2, head2.dropout_2: dropout 0.5, spec 0.7",
    ]


def test_the_note_on_cats_ends_in_relu_and_soft_max() -> None:
    assert texts(archscope.diff(note("vgg16_cats.py:VGG16"), "vgg16_bn", num_classes=2)) == [
        "after fc3 (fc8): relu added",
        "after fc3 (fc8): soft-max added",
    ]


def test_the_book_of_d2l_is_its_table() -> None:
    assert archscope.diff(note("d2l_vgg.py:small_vgg"), "d2l_vgg11") == ()


def test_a_network_that_takes_one_example_only_can_be_compared() -> None:
    assert texts(archscope.diff(note("vgg16_at_244.py:VGG16"), "vgg16", input=(3, 244, 244))) == []


def test_two_modules_are_compared_with_each_other() -> None:
    found = archscope.diff(models.resnet18, models.resnet34, input=(3, 64, 64))
    assert sum(len(each.places) for each in found) == 8
    assert {each.aspect for each in found} == {"missing"}


def test_changes_mean_something_for_tables_only() -> None:
    with pytest.raises(UsageError, match="is a module, and num_classes changes networks of tables only"):
        archscope.diff(models.resnet18, models.resnet34, input=(3, 64, 64), num_classes=5)
