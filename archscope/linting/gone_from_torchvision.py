"""A name that the installed torchvision does not have, so that the script stops before it begins."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.linting import ERROR, WARNING, Found, Subject
from archscope.linting.sources.installed import names_in, version_of
from archscope.linting.sources.syntax import Script, constant

LEVEL = ERROR
SOURCE = "the files of the installed torchvision; its release notes of 0.13 for pretrained="

_INSTEAD = {
    "torchvision.models.utils": "torch.hub.load_state_dict_from_url",
    "torchvision.transforms.Scale": "transforms.Resize",
    "torchvision.transforms.RandomSizedCrop": "transforms.RandomResizedCrop",
    "torchvision.transforms.functional_tensor": "torchvision.transforms.functional",
}


def examine(subject: Subject) -> Iterator[Found]:
    """Imports and uses of names that are not there, and the argument ``pretrained``, which is on its way out."""
    if subject.script is None or names_in("torchvision") is None:
        return
    script = subject.script
    seen: set[str] = set()
    for name, node in _uses(script):
        gone = _gone(name)
        if gone and gone not in seen:
            seen.add(gone)
            yield Found(
                f"torchvision {version_of('torchvision')} has no {gone!r}",
                "the script ends with an ImportError or AttributeError before the first step",
                _INSTEAD.get(gone, f"look for its successor in {gone.rpartition('.')[0]}"),
                span=script.span(node),
            )
    yield from _pretrained(script)


def _uses(script: Script) -> Iterator[tuple[str, ast.AST]]:
    """Every full name of torchvision that a script uses."""
    for node in script.nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "torchvision":
            yield from ((f"{node.module}.{each.name}", node) for each in node.names if each.name != "*")
        elif isinstance(node, ast.Import):
            yield from ((each.name, node) for each in node.names if each.name.startswith("torchvision."))
        elif isinstance(node, ast.Attribute):
            name = script.name_of(node)
            if name.startswith("torchvision."):
                yield name, node


def _gone(name: str) -> str:
    """The shortest beginning of a name that is not there; empty where all of it is, or where it cannot be said."""
    parts = name.split(".")
    for length in range(1, len(parts)):
        module, own = ".".join(parts[:length]), parts[length]
        names = names_in(module)
        if names is None:
            return ""
        if own not in names:
            return f"{module}.{own}"
        if not _is_module(f"{module}.{own}"):
            return ""
    return ""


def _is_module(name: str) -> bool:
    return bool(names_in(name))


def _pretrained(script: Script) -> Iterator[Found]:
    for name, call in script.calls():
        if not name.startswith("torchvision.models."):
            continue
        for each in call.keywords:
            if each.arg == "pretrained":
                wanted = 'weights="DEFAULT"' if constant(each.value) is not False else "weights=None"
                yield Found(
                    "the argument 'pretrained' is deprecated",
                    "torchvision has warned since 0.13 that it may be removed",
                    wanted,
                    span=script.span(each.value),
                    level=WARNING,
                )
