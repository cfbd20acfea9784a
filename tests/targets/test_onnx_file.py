"""ONNX files: onnx's checker takes them, onnxruntime's outputs are torch's; what cannot be one is named."""

from __future__ import annotations

from collections.abc import Callable
from importlib import util
from pathlib import Path

import pytest
import torch
from torch import nn

import archscope
from archscope.core.errors import ArchscopeError, Unsupported, UsageError
from archscope.targets import onnx_file

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


def run(data: bytes, image: torch.Tensor) -> torch.Tensor:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["logits"], {"image": image.numpy()})[0])


@pytest.fixture(scope="module")
def small() -> tuple[nn.Module, bytes]:
    """A module of one's own in train mode, and its file."""
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 2)
    model = nn.Sequential(*layers)
    data = archscope.export(model, "onnx", input=(3, 8, 8))
    assert isinstance(data, bytes)
    return model, data


def test_its_outputs_are_those_of_the_network_with_its_weights_for_any_batch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = archscope.build("vgg11", width="1/16", head="gap", input_size=(32, 32)).eval()
    torch.save(model.state_dict(), tmp_path / "own.pt")
    given = {"width": "1/16", "head": "gap", "input_size": (32, 32)}
    data = archscope.export("vgg11", "onnx", weights=str(tmp_path / "own.pt"), **given)  # type: ignore[arg-type]
    assert isinstance(data, bytes)
    onnx.checker.check_model(data, full_check=True)
    for batch in (1, 5):
        image = torch.rand(batch, 3, 32, 32)
        with torch.no_grad():
            expected = model(image)
        assert torch.allclose(run(data, image), expected, rtol=1e-4, atol=1e-5)
        assert expected.std() > 0


def test_a_module_of_one_s_own_is_written_and_left_as_it_was(small: tuple[nn.Module, bytes]) -> None:
    model, data = small
    assert model.training
    image = torch.rand(3, 3, 8, 8)
    assert torch.allclose(run(data, image), model.eval()(image), rtol=1e-4, atol=1e-5)
    model.train()


def test_an_op_that_onnx_has_no_words_for_is_named() -> None:
    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.inv(x)

    with pytest.raises(
        Unsupported, match=r"no-onnx: Odd cannot be written as ONNX: aten.linalg_inv_ex has no words in it"
    ):
        archscope.export(Odd(), "onnx", input=(3, 8, 8))


def test_outputs_that_differ_are_an_error_and_no_file(small: tuple[nn.Module, bytes]) -> None:
    image = torch.rand(2, 3, 8, 8)
    with pytest.raises(ArchscopeError, match="onnx-differs: onnxruntime's outputs of net differ from torch's by"):
        onnx_file._check(small[1], image, torch.ones(2, 2), "net")
    with pytest.raises(ArchscopeError, match="onnx-refused: the ONNX file of net does not run"):
        onnx_file._check(small[1][:100], image, torch.ones(2, 2), "net")


def test_what_is_missing_is_said_with_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "onnxruntime" else found(name))
    with pytest.raises(Unsupported) as caught:
        archscope.export("lenet5", "onnx")
    assert "missing-package: ONNX files need onnxruntime" in str(caught.value)
    assert "pip install onnx onnxscript onnxruntime" in str(caught.value)


def test_modules_with_several_inputs_and_weights_twice_are_refused() -> None:
    both = nn.Bilinear(4, 4, 2)
    with pytest.raises(Unsupported, match="one-way: Bilinear takes more than one image"):
        archscope.export(both, "onnx", input=[(4,), (4,)])
    with pytest.raises(UsageError, match="weights is 'torchvision', and a module has its own"):
        archscope.export(nn.ReLU(), "onnx", input=(3, 2, 2), weights="torchvision")


def test_the_command_writes_it_and_prints_none(archscope: Callable, here: Path) -> None:
    assert archscope("export lenet5 --to onnx").err.startswith("bad-value: an ONNX file is no text to print")
    assert archscope("export lenet_tutorial -o net.onnx") == (0, "wrote net.onnx\n", "")
    onnx.checker.check_model((here / "net.onnx").read_bytes())
    assert [each.name for each in here.iterdir()] == ["net.onnx"]
