"""Weights into built modules: whose fit, whose do not, and files that are not what they should be."""

from __future__ import annotations

import os
import pickle
import urllib.error
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

import archscope
from archscope.core.errors import ArchscopeError, UnknownName, Unsupported

SMALL = {"width": "1/16", "head_width": "1/64"}
"""What makes a vgg11 of some thousand parameters."""

EXACT = {"alexnet_owt": "alexnet", "googlenet_torchvision": "googlenet"}
EXACT |= {name: name for base in ("vgg11", "vgg13", "vgg16", "vgg19") for name in (base, f"{base}_bn")}


def saved(model: torch.nn.Module, folder: Path) -> str:
    path = folder / "weights.pth"
    torch.save(model.state_dict(), path)
    return str(path)


def image(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def torchvisions(name: str, *, random: bool = True, **more: Any) -> torch.nn.Module:
    """torchvision's network: with numbers of our own making where ``random``, quickly."""
    with torch.device("meta"):
        model = getattr(torchvision.models, name)(**({} if name == "alexnet" else {"init_weights": False}), **more)
    model = model.to_empty(device="cpu").eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if not random or not tensor.is_floating_point():
                tensor.zero_()
                continue
            # numbers that keep values in range, whatever the layer; variances must be positive
            scale = 2 / max(1, tensor[0].numel()) ** 0.5 if tensor.dim() > 1 else 0.1
            tensor.uniform_(-scale, scale, generator=generator) if tensor.dim() > 1 else tensor.uniform_(
                scale, 10 * scale, generator=generator
            )
    return model


@pytest.mark.parametrize("name", EXACT)
def test_torchvisions_state_dict_loads_strictly_and_gives_the_same_bits(name: str) -> None:
    reference = torchvisions(EXACT[name])
    model = archscope.build(name, device="meta").eval()
    model.load_state_dict(reference.state_dict(), strict=True, assign=True)
    x = image(1, 3, 224, 224)
    with torch.no_grad():
        wanted = reference(x)
        assert torch.equal(model(x), wanted)
    assert wanted.isfinite().all()
    assert wanted.std() > 0


def test_a_file_gives_the_same_bits_again(tmp_path: Path) -> None:
    first = archscope.build("vgg11_bn", **SMALL).eval()
    again = archscope.build("vgg11_bn", weights=saved(first, tmp_path), **SMALL).eval()
    for key, value in first.state_dict().items():
        assert torch.equal(again.state_dict()[key], value)
    assert torch.equal(first(image(2, 3, 224, 224)), again(image(2, 3, 224, 224)))


def test_another_number_of_classes_keeps_the_rest_and_lists_what_stays_random(tmp_path: Path) -> None:
    first = archscope.build("vgg11", **SMALL)
    path = saved(first, tmp_path)
    with pytest.warns(UserWarning, match="^not loaded, since the number of classes differs: "
                                         "classifier.6.bias, classifier.6.weight$"):  # fmt: skip
        other = archscope.build("vgg11", weights=path, num_classes=7, **SMALL)
    for key, value in other.state_dict().items():
        if key.startswith("classifier.6"):
            assert len(value) == 7
        else:
            assert torch.equal(value, first.state_dict()[key])


def test_another_number_of_classes_concerns_auxiliary_heads_too(tmp_path: Path) -> None:
    path = saved(archscope.build("googlenet_torchvision", width="1/16", head_width="1/64"), tmp_path)
    heads = "aux1.fc2.bias, aux1.fc2.weight, aux2.fc2.bias, aux2.fc2.weight, fc.bias, fc.weight"
    with pytest.warns(UserWarning, match=f"^not loaded, since the number of classes differs: {heads}$"):
        archscope.build("googlenet_torchvision", weights=path, num_classes=7, width="1/16", head_width="1/64")


def test_the_heads_that_a_network_does_without_are_left_out(tmp_path: Path) -> None:
    small = {"width": "1/16", "head_width": "1/64"}
    first = archscope.build("googlenet_torchvision", **small).eval()
    without = archscope.build("googlenet_torchvision", weights=saved(first, tmp_path), aux=False, **small).eval()
    assert not [key for key in without.state_dict() if key.startswith("aux")]
    assert torch.equal(without(image(1, 3, 224, 224)), first(image(1, 3, 224, 224)))


def test_a_dense_network_takes_the_weights_of_fc_layers(tmp_path: Path) -> None:
    first = archscope.build("vgg11", **SMALL).eval()
    dense = archscope.build("vgg11", weights=saved(first, tmp_path), dense=True, **SMALL).eval()
    x = image(2, 3, 224, 224)
    assert torch.allclose(dense(x).flatten(1), first(x), atol=1e-6)
    assert dense(image(1, 3, 384, 384)).shape == (1, 1000, 6, 6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("features.0.bias"), "features.0.bias is missing"),
        (lambda s: s.update(extra=torch.zeros(1)), "extra has no place"),
        (lambda s: s.update({"features.0.weight": torch.zeros(4, 1, 3, 3)}),
         "features.0.weight is (4, 1, 3, 3) and must be (4, 3, 3, 3)"),
        (lambda s: s.update({"classifier.3.weight": torch.zeros(64, 63)}),
         "classifier.3.weight is (64, 63) and must be (64, 64)"),
        (lambda s: s.pop("classifier.6.weight"), "classifier.6.weight is missing"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_refused(change: Callable, message: str, tmp_path: Path) -> None:
    state = archscope.build("vgg11", **SMALL).state_dict()
    change(state)
    path = tmp_path / "weights.pth"
    torch.save(state, path)
    with pytest.raises(Unsupported) as caught:
        archscope.build("vgg11", weights=str(path), **SMALL)
    assert str(caught.value) == f"weights-do-not-fit: the weights of {path} do not fit vgg11: {message}"


def test_a_head_of_another_width_is_not_taken_for_another_number_of_classes(tmp_path: Path) -> None:
    state = archscope.build("vgg11", **SMALL).state_dict()
    state["classifier.6.weight"] = torch.zeros(1000, 63)
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(Unsupported, match=r": classifier.6.weight is \(1000, 63\) and must be \(1000, 64\)$"):
        archscope.build("vgg11", weights=str(tmp_path / "weights.pth"), **SMALL)


def test_many_differences_are_cut_to_five_and_counted(tmp_path: Path) -> None:
    path = saved(archscope.build("alexnet", width="1/16", head_width="1/64"), tmp_path)
    with pytest.raises(Unsupported) as caught:
        archscope.build("vgg11", weights=path, **SMALL)
    assert str(caught.value).count(";") == 5
    assert str(caught.value).endswith(" more")


class TestTorchvision:
    """``weights="torchvision"``, the download replaced by random weights and everything else real."""

    @pytest.fixture
    def state(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
        """What ``torch.hub`` gives instead of a download: the random weights of a GoogLeNet."""
        state = torchvisions("googlenet").state_dict()
        monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *_, **__: dict(state))
        return state

    def test_the_input_transform_comes_with_the_weights(self, state: dict[str, torch.Tensor]) -> None:
        reference = torchvisions("googlenet", transform_input=True)
        reference.load_state_dict(state, strict=True)
        plain = torchvisions("googlenet", transform_input=False)
        plain.load_state_dict(state, strict=True)
        x = image(1, 3, 224, 224)
        with torch.no_grad():
            model = archscope.build("googlenet_torchvision", weights="torchvision").eval()
            assert torch.equal(model(x), reference(x))
            assert not torch.equal(model(x), plain(x))

    def test_other_classes_keep_everything_but_the_heads(self, state: dict[str, torch.Tensor]) -> None:
        with pytest.warns(UserWarning, match="number of classes differs: aux1.fc2.bias, .*, fc.weight$"):
            model = archscope.build("googlenet_torchvision", weights="torchvision", num_classes=10)
        kept = {key: value for key, value in model.state_dict().items() if ".fc2." not in key and "fc." not in key[:3]}
        assert len(kept) == len(state) - 6
        assert all(torch.equal(value, state[key]) for key, value in kept.items())

    @pytest.mark.parametrize("error", [urllib.error.URLError("no route to host"), TimeoutError("timed out")])
    def test_a_download_that_fails_says_so(
        self, error: OSError, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def refused(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        monkeypatch.setattr("torch.hub.urlopen", refused)
        with pytest.raises(ArchscopeError) as caught:
            archscope.build("alexnet_owt", weights="torchvision")
        assert str(caught.value) == (
            f"no-download: cannot download https://download.pytorch.org/models/alexnet-owt-7be5be79.pth: {error}\n"
            "  help:     give the path of a downloaded file instead"
        )

    def test_a_download_that_is_damaged_says_so(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        def damaged(*_: object, **__: object) -> None:
            raise RuntimeError('invalid hash value (expected "7be5be79", got "00000000")')

        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        monkeypatch.setattr("torch.hub.download_url_to_file", damaged)
        with pytest.raises(ArchscopeError, match=r"no-download: cannot download .*: invalid hash value"):
            archscope.build("alexnet_owt", weights="torchvision")

    def test_googlenet_of_the_paper_has_none_and_the_one_that_has_is_named(self) -> None:
        with pytest.raises(Unsupported) as caught:
            archscope.build("googlenet", weights="torchvision")
        assert str(caught.value) == (
            "no-weights: torchvision has no weights for googlenet\n  help:     googlenet_torchvision accepts them"
        )

    def test_a_graph_does_not_say_whose_weights_fit(self) -> None:
        with pytest.raises(Unsupported, match="no-weights: a graph does not say which of torchvision's weights"):
            archscope.build(archscope.lower("vgg11"), weights="torchvision", device="meta")


class Planted:
    """Pickles as a call that makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("how", ["torch.save", "pickle", "within a state dict"])
def test_a_file_that_would_run_something_is_refused_and_runs_nothing(how: str, tmp_path: Path) -> None:
    path, trap = tmp_path / "weights.pth", tmp_path / "trap"
    if how == "pickle":
        path.write_bytes(pickle.dumps(Planted(trap), protocol=2))
    else:
        torch.save(Planted(trap) if how == "torch.save" else {"features.0.weight": Planted(trap)}, path)
    with pytest.raises(ArchscopeError) as caught:
        archscope.build("vgg11", weights=str(path), **SMALL)
    assert not trap.exists()
    assert str(caught.value).startswith(f"unreadable-weights: {str(path)!r} is no state dict: ")
    assert str(caught.value).endswith(f"is no state dict: it would run {os.mkdir.__module__}.mkdir, and was not opened")


@pytest.mark.parametrize(
    ("value", "kind"), [([1, 2], "list"), ({"a": 1}, "dict"), (torch.zeros(2), "Tensor"), ({1: torch.zeros(1)}, "dict")]
)
def test_a_file_of_something_else_is_refused(value: object, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(value, path)
    with pytest.raises(ArchscopeError) as caught:
        archscope.build("vgg11", weights=str(path), **SMALL)
    assert str(caught.value) == f"unreadable-weights: {str(path)!r} holds no state dict, but a {kind}"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not weights at all", b"\x80\x02", b"\x00" * 1000])
def test_a_file_that_is_damaged_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ArchscopeError, match=r"unreadable-weights: .* is no state dict: "):
            archscope.build("vgg11", weights=str(path), **SMALL)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = Path(saved(archscope.build("vgg11", **SMALL), tmp_path))
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ArchscopeError, match=r"unreadable-weights: .* is no state dict: "):
        archscope.build("vgg11", weights=str(path), **SMALL)


@pytest.mark.parametrize("name", ["no.pth", "torchvison"])
def test_a_path_with_no_file_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownName) as caught:
        archscope.build("vgg11", weights=name, **SMALL)
    assert str(caught.value) == (
        f"unknown-weights: weights is {name!r}\n  expected: torchvision, or the path of a state dict"
    )


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"unknown-weights: weights is .*, a directory"):
        archscope.build("vgg11", weights=str(tmp_path), **SMALL)
