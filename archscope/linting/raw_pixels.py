"""Pixels from 0 to 255 go into the network as they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.linting import WARNING, Found, Subject
from archscope.linting.sources.syntax import Script, constant, keyword_of

LEVEL = WARNING
SOURCE = "torchvision documentation of ToTensor (which divides by 255) and PILToTensor (which does not)"

_BYTES = frozenset(
    {"PILToTensor", "pil_to_tensor", "imread", "read_image", "decode_image", "decode_jpeg", "decode_png"}
)
_SCALES = frozenset({
    "ToTensor", "to_tensor", "ConvertImageDtype", "convert_image_dtype", "Normalize", "normalize", "Rescale",
    "img_as_float",
})  # fmt: skip
_FLOATS = frozenset({"float", "astype", "FloatTensor", "to", "type", "as_tensor", "tensor", "from_numpy"})


def examine(subject: Subject) -> Iterator[Found]:
    """The first place where bytes of an image become floats, in a file that scales them nowhere."""
    if subject.script is None or _scales(subject.script):
        return
    script = subject.script
    made = next((node for node in script.nodes if _is_bytes(script, node)), None)
    if made is not None and any(name.rpartition(".")[2] in _FLOATS for name, _ in script.calls()):
        yield Found(
            f"{ast.unparse(made)!r} gives values from 0 to 255, and nothing scales them",
            "evenly spread bytes have a mean square of 255²/3 = 21,675 where initialisations assume 1: what comes "
            "out of the "
            "first layer, and its first gradient, are √21,675 = 147 times too large",
            "transforms.ToTensor(), or .float() / 255, and then Normalize(mean, std)",
            span=script.span(made),
        )


def _is_bytes(script: Script, node: ast.AST) -> bool:
    """Whether an expression is the bytes of an image: read from a file, or a data set's ``.data``."""
    if isinstance(node, ast.Call):
        name = script.name_of(node.func)
        if name.rpartition(".")[2] in {"array", "asarray"} and name.startswith(("numpy.", "np.")):
            return any("Image.open" in each for each, _ in script.calls(node))
        return name.rpartition(".")[2] in _BYTES
    return isinstance(node, ast.Attribute) and node.attr == "data" and _is_data_set(script, node.value)


def _is_data_set(script: Script, node: ast.expr) -> bool:
    if not isinstance(node, ast.Name):
        return False
    for each in script.nodes:
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == node.id:
            return isinstance(each.value, ast.Call) and ".datasets." in script.name_of(each.value.func)
    return False


def _scales(script: Script) -> bool:
    names = {name.rpartition(".")[2] for name, _ in script.calls()}
    if names & _SCALES or any(constant(keyword_of(call, "scale")) is True for _, call in script.calls()):
        return True
    return any(constant(_divisor(node)) in {255, 256, 127.5, 128} for node in script.nodes)


def _divisor(node: ast.AST) -> ast.expr | None:
    """What a division divides by."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return node.right
    return node.value if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div) else None
