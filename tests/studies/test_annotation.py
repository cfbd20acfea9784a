"""``annotate``: what stands beside the lines of a source, and which shape comments it calls wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from archscope.core.errors import Unsupported
from archscope.studies.annotation import Line, claims

torch = pytest.importorskip("torch")

import archscope  # noqa: E402  after the skip

NOTES = Path(__file__).parents[1] / "networks_as_notes"


def lines_of(address: str, shape: tuple[int, ...] = (3, 224, 224), **given: str) -> dict[str, Line]:
    """The lines that anything is known of, by their text without comments."""
    _, lines = archscope.annotate(address, shape, **given)
    return {line.text.partition("  #")[0].strip(): line for line in lines if line.calls or line.wrong}


def test_a_line_of_the_forward_has_its_shape_and_params() -> None:
    lines = lines_of(str(NOTES / "googlenet_flowers.py:GoogLeNet"))
    assert lines["x = self.maxpool1(self.conv1(x))"][2:5] == (((64, 56, 56),), 1, 9472)
    assert lines["x = self.inception_b5(self.inception_a5(x))"][2:5] == (((1024, 7, 7),), 1, 1_043_456 + 1_444_080)
    assert lines["head1 = self.head1(x) if self.training and self.aux_logits else None"].outputs == ((5,),)


def test_a_line_that_runs_for_many_layers_has_the_shape_of_each() -> None:
    lines = lines_of(str(NOTES / "googlenet_flowers.py:GoogLeNet"))
    join = lines["return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)"]
    assert join.calls == 9
    assert [shape[0] for shape in join.outputs] == [256, 480, 512, 528, 832, 832, 1024]
    conv = lines["return self.relu(self.conv(x))"]
    assert (conv.calls, conv.params) == (59, 10_318_655 - 2 * (2048 * 1024 + 1024 + 1024 * 5 + 5) - 5125)


def test_a_line_that_constructs_a_layer_has_what_the_layer_makes() -> None:
    lines = lines_of(str(NOTES / "vgg16_cats.py:VGG16"))
    assert lines["self.fc1 = nn.Linear(512 * 7 * 7, 4096)"][2:5] == (((4096,),), 1, 102_764_544)
    assert lines["self.relu = nn.ReLU()"].outputs == ((4096,), (2,))
    block = lines["nn.MaxPool2d(2, 2),"]
    assert block.outputs in {((64, 112, 112), (128, 56, 56)), ((256, 28, 28), (512, 14, 14), (512, 7, 7))}


def test_shapes_comments_that_are_wrong_are_named_and_right_ones_are_not() -> None:
    wrong = {line.number: line.wrong for line in lines_of(str(NOTES / "vgg16_cats.py:VGG16")).values() if line.wrong}
    assert list(wrong.values()) == [("says 512×28×28, is 512×14×14",)]
    assert not [line for line in lines_of(str(NOTES / "googlenet_flowers.py:GoogLeNet")).values() if line.wrong]


def test_torchvisions_own_shape_comments_are_right() -> None:
    pytest.importorskip("torchvision")
    source, lines = archscope.annotate("torchvision.models:googlenet(init_weights=False)", (3, 224, 224))
    assert source.name.endswith("googlenet.py")
    assert sum(bool(claims(line.text)) for line in lines) > 20
    assert [line for line in lines if line.wrong] == []
    _, lines = archscope.annotate("torchvision.models:googlenet(init_weights=False)", (3, 256, 256))
    wrong = [line for line in lines if line.wrong]
    assert len(wrong) > 15
    assert wrong[0].wrong[0].startswith("says 3×224×224, is ")


def test_a_sequential_network_is_annotated_where_it_is_constructed() -> None:
    lines = lines_of(str(NOTES / "d2l_vgg.py:small_vgg"), (1, 224, 224))
    assert lines["nn.Linear(4096, 10),"][2:5] == (((10,),), 1, 40_970)
    assert lines["layers.append(nn.MaxPool2d(kernel_size=2, stride=2))"].calls == 5


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("x = f(x)  # N x 480 x 14 x 14", [(480, 14, 14)]),
        ("# (B, 512, 7, 7)", [(512, 7, 7)]),
        ("# [1, 64, 56, 56] -> [1, 128, 28, 28]", [(64, 56, 56), (128, 28, 28)]),
        ("# 28×28×256", [(28, 28, 256)]),
        ("# N x C x 14 x 14", [(None, 14, 14)]),
        ("# N x 1000 (num_classes)", [(1000,)]),
        ("# 3x3 conv", []),
        ("# a 2 x 2 pool, stride 2", []),
        ("# section 3.2, see 1409.1556", []),
        ("x = torch.zeros(3, 224, 224)", []),
    ],
)
def test_what_a_comment_claims(comment: str, found: list[tuple[int | None, ...]]) -> None:
    assert claims(comment) == found


def test_a_network_without_a_source_is_refused() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(4, 2))
    with pytest.raises(Unsupported, match=r"no-source: no line of Sequential is in a file that can be read"):
        archscope.annotate(net, (4,))


def test_a_network_of_torchvision_says_its_input_here_too() -> None:
    _, lines = archscope.annotate("torchvision.models:squeezenet1_1")
    assert any(line.outputs[-1:] == ((1000,),) for line in lines)
