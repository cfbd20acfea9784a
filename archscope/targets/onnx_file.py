"""``torch.nn.Module`` -> an ONNX file: torch's exporter, onnx's checker, and a run in onnxruntime beside torch's."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from archscope.core.errors import ArchscopeError, Problem, Unsupported

if TYPE_CHECKING:
    import torch
    from torch import nn

TOLERANCE = 1e-4
"""How far onnxruntime's outputs may be from torch's, as a part of the largest: sums are added up in another order."""


def onnx_file(model: nn.Module, shape: tuple[int, ...], name: str) -> bytes:
    """The module, in eval mode, as an ONNX file for any batch. shape: of an input, batch first, of at least two.

    Raises Unsupported for what is not installed, for an op that ONNX has no words for, and for a model of 2 GiB or
    more; ArchscopeError where onnx's checker refuses the file or onnxruntime's outputs differ.
    """
    import torch

    _installed()
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    data = _exported(model, image, name)
    with torch.no_grad():
        expected = model(image)
    _check(data, image, expected, name)
    return data


def _installed() -> None:
    from importlib.util import find_spec

    missing = [package for package in ("onnx", "onnxscript", "onnxruntime") if find_spec(package) is None]
    if missing:
        message = f"ONNX files need {', '.join(missing)}"
        raise Unsupported(Problem("missing-package", message, help="pip install onnx onnxscript onnxruntime"))


def _exported(model: nn.Module, image: torch.Tensor, name: str) -> bytes:
    import torch

    batch = torch.export.Dim("batch", min=1)
    try:
        with _quietly():
            program = torch.onnx.export(
                model, (image,), dynamo=True, input_names=["image"], output_names=["logits"],
                dynamic_shapes=({0: batch},), verbose=False,
            )  # fmt: skip
    except Exception as error:  # the exporter wraps whatever an op made it raise
        raise Unsupported(Problem("no-onnx", f"{name} cannot be written as ONNX: {_reason(error)}")) from error
    if program is None:
        raise Unsupported(Problem("no-onnx", f"{name} cannot be written as ONNX"))
    try:
        data: bytes = program.model_proto.SerializeToString()
    except Exception as error:  # protobuf's own, which differs between its versions
        message = f"{name} is too large for one ONNX file: {_reason(error)}"
        raise Unsupported(Problem("too-large", message, expected="less than 2 GiB")) from error
    return data


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's progress, its log of what it leaves out, and warnings about itself."""
    loggers = [logging.getLogger(each) for each in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


def _reason(error: BaseException) -> str:
    """The op that has no words in ONNX where the exporter says one, else its innermost reason on one line."""
    causes = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    for each in causes:
        found = re.search(r"No ONNX function found for <OpOverload\(op='([\w.]+)'", str(each))
        if found:
            return f"{found[1]} has no words in it"
    lines = [line.strip() for line in str(causes[-1]).splitlines() if line.strip()]
    return lines[0] if lines else type(causes[-1]).__name__


def _check(data: bytes, image: torch.Tensor, expected: torch.Tensor, name: str) -> None:
    import onnx
    import onnxruntime
    import torch

    try:
        onnx.checker.check_model(data, full_check=True)
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {"image": image.numpy()})
    except Exception as error:  # of onnx, onnxruntime and protobuf, each with its own kinds
        message = f"the ONNX file of {name} does not run: {_reason(error)}"
        raise ArchscopeError(Problem("onnx-refused", message)) from error
    logits: Any = torch.from_numpy(found)
    away = float((logits - expected).abs().max() / expected.abs().max().clamp(min=1e-30))
    if not away <= TOLERANCE:  # NaN is none
        message = f"onnxruntime's outputs of {name} differ from torch's by {away:.2g} of the largest"
        raise ArchscopeError(Problem("onnx-differs", message, expected=f"at most {TOLERANCE}"))
