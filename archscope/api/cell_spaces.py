"""The space of a search that is given none: what stands in the cells of a table, a little more or less of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from archscope import catalog
from archscope.api.changeable import TableDesign
from archscope.api.networks import compiled
from archscope.core.errors import ArchscopeError
from archscope.ops import Op
from archscope.spec.network import Spec, classifiers, made_of
from archscope.spec.options import Options
from archscope.spec.overriding import cells_of

FACTORS = (Fraction(1, 2), Fraction(3, 4), Fraction(1), Fraction(3, 2))
"""On channels, each number on its own."""

_KERNEL = re.compile(r"(?<![\d×x])(1[0-5]|\d)([×x])(\1)(?!\d)|^(conv|maxpool|avgpool)(\d)(?=\D|$)")
_CHANNELS = re.compile(r"\d{2,}")
_REPEAT = re.compile(r"(\][\s(]*[×x]\s*)(\d{1,2})(?=\)?$)")


def cell_space(design: TableDesign) -> dict[str, list[str]]:
    """Texts by cell: other channels, other kernels, other repeats. Cells that the network is not made of have none.

    Only texts that can be read by themselves, that make different networks, and that leave the classes as they are.
    """
    found: dict[str, list[str]] = {}
    printed = _spec(design, {})
    for cell, text in cells_of(design.table, design.network).items():
        kept = {repr(made_of(printed.root)): text}
        for other in _others(text):
            try:
                spec = _spec(design, {cell: other})
            except ArchscopeError:
                continue
            if _classes(spec) == _classes(printed):
                kept.setdefault(repr(made_of(spec.root)), other)
        if len(kept) > 1:
            found[cell] = sorted(kept.values(), key=_in_order)
    return found


def as_printed(network: str) -> dict[str, str]:
    """The texts of the cells that a network of a table is made of."""
    entry = catalog.find(network)
    return cells_of(entry.table, entry.network)


def _spec(design: TableDesign, cells: dict[str, str]) -> Spec:
    return compiled(design.table, design.network, (), Options(set=cells or None), checks=False)[0]


def _classes(spec: Spec) -> list[Op]:
    return [] if spec.headless else [layer.op for layer in classifiers(spec.root)]


def _others(text: str) -> Iterator[str]:
    """A cell's text with other kernels, channels and repeats."""
    for kernel, channels, repeat in product(_kernels(text), _channels(text), _repeats(text)):
        other = text
        if kernel:
            other = _KERNEL.sub(lambda match, k=kernel: _with_kernel(match, k), other)  # type: ignore[misc]
        if channels:
            other = re.sub(rf"(?<!\d){_last_channels(text)}(?!\d)", channels, other)
        if repeat:
            other = _REPEAT.sub(rf"\g<1>{repeat}", other)
        if other != text:
            yield other


def _with_kernel(match: re.Match[str], kernel: str) -> str:
    return f"{kernel}{match[2]}{kernel}" if match[1] else f"{match[4]}{kernel}"


def _kernels(text: str) -> list[str]:
    match = _KERNEL.search(text)
    if match is None:
        return [""]
    size = int(match[1] or match[5])
    return [str(each) for each in (size - 2, size, size + 2) if each > 0]


def _last_channels(text: str) -> str:
    numbers = _CHANNELS.findall(_KERNEL.sub("", text))
    return numbers[-1] if numbers else ""


def _channels(text: str) -> list[str]:
    number = text if text.isdecimal() else _last_channels(text)
    if not number or int(number) > 100_000:
        return [""]
    return [str(max(1, round(int(number) * factor))) for factor in FACTORS]


def _repeats(text: str) -> list[str]:
    match = _REPEAT.search(text)
    if match is None:
        return [""]
    return [str(each) for each in (int(match[2]) - 1, int(match[2]), int(match[2]) + 1) if each > 0]


def _in_order(text: str) -> tuple[list[int], str]:
    """By the numbers in a text, so that neighbours are alike."""
    return [int(each) for each in re.findall(r"\d{1,9}", text)], text
