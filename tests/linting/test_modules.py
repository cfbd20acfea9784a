"""Rules on captured modules: the notes' networks with their known faults, and torchvision's without an error."""

from __future__ import annotations

from pathlib import Path

import pytest

import archscope
from archscope import linting
from archscope.linting import Finding

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")
nn = torch.nn

NOTES = Path(__file__).parents[1] / "networks_as_notes"

SIZES = [
    "alexnet", "convnext_tiny", "densenet121", "densenet161", "efficientnet_b0", "efficientnet_v2_s", "googlenet",
    "inception_v3", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf", "regnet_y_400mf", "resnet18",
    "resnet34", "resnet50", "resnet101", "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_0", "squeezenet1_1",
    "swin_t", "swin_v2_t", "vgg11", "vgg11_bn", "vgg13", "vgg16", "vgg19", "vit_b_32", "wide_resnet50_2",
]  # fmt: skip
"""One or two of each family; the others differ in width and depth, and take a minute more."""


def note(name: str) -> str:
    return str(NOTES / name)


def levels(found: tuple[Finding, ...]) -> dict[str, str]:
    return {each.id: each.level for each in found}


def one(module: object, rule: str, shape: tuple[int, ...] = (3, 32, 32)) -> Finding:
    (found,) = archscope.lint(module, select=[rule], input=shape)
    assert found.id == rule
    assert all((found.what, found.why, found.mend, found.source))
    return found


def test_the_note_on_cats_ends_in_relu_and_soft_max() -> None:
    found = archscope.lint(note("vgg16_cats.py:VGG16"))
    assert levels(found) == {
        "activation-on-logits": linting.WARNING,
        "softmax-before-loss": linting.WARNING,
        "not-the-paper": linting.WARNING,
        "hard-coded-input": linting.WARNING,
        "bias-before-batch-norm": linting.INFO,
    }
    texts = {each.id: each for each in found}
    assert texts["softmax-before-loss"].why.endswith("2 classes cannot fall below ln(e + 1) - 1 = 0.313")
    assert texts["softmax-before-loss"].place.endswith("vgg16_cats.py:61 softmax")
    assert "after fc3 (fc8): soft-max added" in texts["not-the-paper"].what
    assert "fc1 (Linear)" in texts["hard-coded-input"].what


def test_the_note_from_tuples_calls_a_vgg_11_vgg_13() -> None:
    found = archscope.lint(note("vgg_tuples.py:vgg_13"))
    first = found[0]
    assert (first.level, first.id) == (linting.ERROR, "name-and-depth")
    assert first.what == "'vgg_13' has 11 weight layers, 1+1+2+2+2+3 by resolution: it is vgg11"
    assert first.why.startswith(
        "the params need not show it, 132,882,472 against 133,047,848; the MACs do: 7.61 G against 11"
    )
    assert levels(found)["batch-norm-of-one"] == linting.WARNING
    assert "name-and-depth" not in levels(archscope.lint(note("vgg_tuples.py:vgg_11")))
    assert "name-and-depth" not in levels(archscope.lint(note("vgg_tuples.py:vgg_16")))


def test_the_note_on_flowers_has_other_dropout_and_its_outputs_in_order() -> None:
    found = archscope.lint(note("googlenet_flowers.py:GoogLeNet"))
    assert levels(found) == {"not-the-paper": linting.WARNING}
    assert "head1.dropout_2, head2.dropout_2: dropout 0.5, spec 0.7" in found[0].what


def test_the_note_at_244_loses_the_batch() -> None:
    found = archscope.lint(note("vgg16_at_244.py:VGG16"), input=(3, 244, 244))
    first = found[0]
    assert (first.level, first.id) == (linting.ERROR, "flattened-batch")
    assert first.place.endswith("vgg16_at_244.py:50 reshape")
    assert first.why == "one example becomes (25088), without an axis for the batch"
    assert {"input-size", "hard-coded-input"} <= set(levels(found))
    assert next(each for each in found if each.id == "input-size").what == "the input is 244×244: typed for 224?"


def test_the_book_of_d2l_is_fine_but_for_its_fixed_input() -> None:
    assert levels(archscope.lint(note("d2l_vgg.py:small_vgg"), input=(1, 224, 224))) == {
        "hard-coded-input": linting.WARNING
    }


@pytest.mark.parametrize("name", SIZES)
def test_no_classification_model_of_torchvision_has_an_error(name: str) -> None:
    plain = name in {"googlenet", "inception_v3"}
    model = getattr(models, name)
    shape = (3, 299, 299) if name == "inception_v3" else (3, 224, 224)
    found = archscope.lint(lambda: model(init_weights=False) if plain else model(), input=shape)
    assert [each for each in found if each.level == linting.ERROR] == []


def test_with_the_loss_in_its_file_a_soft_max_is_an_error(tmp_path: Path) -> None:
    text = (NOTES / "vgg16_cats.py").read_text(encoding="utf-8")
    (tmp_path / "train.py").write_text(f"{text}\n\ncriterion = nn.CrossEntropyLoss()\n", encoding="utf-8")
    found = archscope.lint(f"{tmp_path / 'train.py'}:VGG16", select=["softmax-before-loss"])
    assert [each.level for each in found] == [linting.ERROR]


class Listed(nn.Module):
    def __init__(self, *, known: bool) -> None:
        super().__init__()
        layers = [nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)]
        self.layers = nn.ModuleList(layers) if known else layers
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.fc(x.mean((2, 3)))


def test_layers_in_a_python_list_are_not_known() -> None:
    found = one(Listed(known=False), "unregistered-layers")
    assert found.level == linting.ERROR
    assert found.what == "2 layers that the network runs and does not know"
    assert found.why.startswith(f"{8 * 28 + 8 * 73:,} params")
    assert archscope.lint(Listed(known=True), select=["unregistered-layers"], input=(3, 32, 32)) == ()


class Lines(nn.Module):
    """A network whose forward is the function that it is given."""

    def __init__(self, lines, **layers) -> None:
        super().__init__()
        self.lines = lines
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.lines(self, x)


def test_a_reshape_that_should_have_been_a_permute_is_an_error() -> None:
    wrong = Lines(lambda net, x: net.fc(x.reshape(-1, 32, 32, 3).mean((1, 2))), fc=nn.Linear(3, 10))
    found = one(wrong, "reshape-as-permute")
    assert found.level == linting.ERROR
    assert found.what == "reshape makes 32×32×3 of 3×32×32"
    assert found.mend == "x.permute(0, 2, 3, 1)"
    right = Lines(lambda net, x: net.fc(x.permute(0, 2, 3, 1).mean((1, 2))), fc=nn.Linear(3, 10))
    assert archscope.lint(right, select=["reshape-as-permute"], input=(3, 32, 32)) == ()


def test_maps_joined_along_the_batch_or_the_image_are_noticed() -> None:
    layers = {"a": nn.Conv2d(3, 8, 3, padding=1), "b": nn.Conv2d(3, 8, 3, padding=1)}
    for axis, words in ((0, "the batch"), (3, "the width")):
        net = Lines(lambda net, x, axis=axis: torch.cat([net.a(x), net.b(x)], axis), **layers)
        assert one(net, "concat-axis").what == f"2 feature maps are joined along {words}"
    net = Lines(lambda net, x: torch.cat([net.a(x), net.b(x)], 1), **layers)
    assert archscope.lint(net, select=["concat-axis"], input=(3, 32, 32)) == ()


def test_a_soft_max_over_the_batch_is_an_error() -> None:
    net = Lines(lambda net, x: torch.softmax(net.fc(x.flatten(1)), dim=0), fc=nn.Linear(3072, 10))
    assert one(net, "softmax-dim").level == linting.ERROR
    net = Lines(lambda net, x: torch.softmax(net.fc(x.flatten(1)), dim=1), fc=nn.Linear(3072, 10))
    assert archscope.lint(net, select=["softmax-dim"], input=(3, 32, 32)) == ()


def test_params_that_no_forward_uses_are_counted() -> None:
    net = Lines(lambda net, x: net.fc(x.flatten(1)), fc=nn.Linear(3072, 10), head=nn.Linear(3072, 10))
    found = one(net, "unused-parameters")
    assert found.what == "2 parameters that the forward never uses: head.weight …"
    assert found.why.startswith("30,730 params")


def test_a_batch_of_one_that_grows_into_none_is_an_error() -> None:
    net = Lines(lambda net, x: net.fc(x.view(-1)), fc=nn.Linear(3072, 10))
    assert one(net, "flattened-batch").why == "one example becomes (3072), without an axis for the batch"
    net = Lines(lambda net, x: net.fc(x.view(-1, 1024)), fc=nn.Linear(1024, 10))
    assert one(net, "flattened-batch").what == "of 3 examples it makes outputs of 9"
    net = Lines(lambda net, x: net.fc(x.view(x.size(0), -1)), fc=nn.Linear(3072, 10))
    assert archscope.lint(net, select=["flattened-batch"], input=(3, 32, 32)) == ()


def test_a_head_that_fits_one_size_only_is_found_in_train_mode() -> None:
    net = models.googlenet(init_weights=False, num_classes=5)
    assert archscope.lint(net, select=["hard-coded-input"], input=(3, 224, 224)) == ()
    net.aux1.conv = nn.AvgPool2d(1)  # 512 × 4 × 4 instead of 128 × 4 × 4
    net.aux1.fc1 = nn.Linear(8192, 1024)
    assert archscope.lint(net, select=["hard-coded-input"], input=(3, 224, 224)) == ()
    fixed = Lines(
        lambda net, x: (net.fc(x.mean((2, 3))), net.head(x.flatten(1))) if net.training else net.fc(x.mean((2, 3))),
        fc=nn.Linear(3, 10), head=nn.Linear(3072, 10),
    )  # fmt: skip
    assert "fails with 64×64: head (Linear)" in one(fixed, "hard-coded-input").what


def test_the_module_is_left_in_its_mode() -> None:
    net = models.resnet18().eval()
    archscope.lint(net, input=(3, 64, 64))
    assert not net.training
    assert int(net.bn1.num_batches_tracked) == 0
