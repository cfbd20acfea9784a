"""Forwards that are loops when one writes them by hand: what dense connections make of straight-line text.

Each rewriting first makes the straight-line text that it stands for, and takes place only where the forward is exactly
that: a loop cannot say anything else than the text that the module target compiles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEAD = re.compile(r"def forward\(self, (.*)\):")


def looped(forward: Sequence[str]) -> tuple[str, ...]:
    """The forward with ``*features`` for inputs that it only concatenates, and with a loop over a dense block."""
    match = _HEAD.fullmatch(forward[0])
    if match is None:
        return tuple(forward)
    names = match.group(1).split(", ")
    return _dense(names, forward) or _concatenating(names, forward) or tuple(forward)


def _concatenating(names: list[str], forward: Sequence[str]) -> tuple[str, ...]:
    """A dense layer, which takes any number of tensors and concatenates them first of all."""
    first = f"    x = torch.cat([{', '.join(names)}], 1)"
    others = re.compile(rf"\b(?:{'|'.join(name for name in names if name != 'x') or '(?!)'})\b")
    if forward[1] != first or any(others.search(line) for line in forward[2:]):
        return ()
    return ("def forward(self, *features):", "    x = torch.cat(features, 1)", *forward[2:])


def _dense(names: list[str], forward: Sequence[str]) -> tuple[str, ...]:
    """A dense block: each layer gets all results before it, and in the end all are concatenated."""
    layers = [line.strip().partition(" = ")[0] for line in forward[1:-1]]
    known = list(names)
    straight = [forward[0]]
    for layer in layers:
        straight.append(f"    {layer} = self.{layer}({', '.join(known)})")
        known.append(layer)
    straight.append(f"    return torch.cat([{', '.join(known)}], 1)")
    if list(forward) != straight or len(layers) < 2 or len(names) != 1:
        return ()
    return (
        forward[0],
        f"    features = [{names[0]}]",
        "    for layer in self.children():",
        "        features.append(layer(*features))",
        "    return torch.cat(features, 1)",
    )
