"""How numbers of maps become shades: which range, of a channel or of the whole layer, and what is cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from archscope.core.errors import Problem, UsageError

if TYPE_CHECKING:
    import torch

KINDS = ("channel", "layer", "percentile:1,99", "zscore", "symmetric")


class Scale(NamedTuple):
    """A way to scale: one of :data:`KINDS`, and the two percentiles."""

    kind: str
    low: float = 0.0
    high: float = 100.0

    @property
    def signed(self) -> bool:
        """Whether the middle of its shades is 0."""
        return self.kind in {"symmetric", "zscore"}


class Statistics(NamedTuple):
    """Of the numbers of a layer: the least, the largest, the share that is 0, and the share that a scale cuts off."""

    least: float
    largest: float
    zeros: float
    clipped: float


def scale_of(text: str) -> Scale:
    """The scale that a text says. Raises UsageError for any other."""
    kind, colon, rest = text.partition(":")
    if text in KINDS and not colon:
        return Scale(text)
    if kind == "percentile" and colon:
        try:
            low, high = (float(each) for each in rest.split(","))
        except ValueError:
            low, high = 1.0, 0.0
        if 0 <= low < high <= 100:
            return Scale("percentile", low, high)
    raise UsageError(Problem("bad-value", f"--scale is {text!r}", expected=", ".join(KINDS)))


def scaled(values: torch.Tensor, scale: Scale) -> tuple[torch.Tensor, Statistics]:
    """Maps (channels, height, width) as numbers from 0 to 1, and what is said of them.

    channel: each from its least to its largest; layer: all from the least to the largest; percentile: between two
    percentiles of the layer; zscore: three deviations around the layer's mean; symmetric: 0 in the middle.
    """
    low, high = _range(values, scale)
    inside = (values >= low) & (values <= high)
    width = (high - low).clamp(min=1e-12)
    shades = ((values - low) / width).clamp(0, 1)
    zeros = float((values == 0).float().mean())
    clipped = 1 - float(inside.float().mean())
    return shades, Statistics(float(values.min()), float(values.max()), zeros, clipped)


def _range(values: torch.Tensor, scale: Scale) -> tuple[torch.Tensor, torch.Tensor]:
    if scale.kind == "channel":
        return values.amin((1, 2), keepdim=True), values.amax((1, 2), keepdim=True)
    if scale.kind == "percentile":
        ordered = values.flatten().sort().values  # torch.quantile takes 16 million numbers at most
        at = [round(share / 100 * (len(ordered) - 1)) for share in (scale.low, scale.high)]
        return ordered[at[0]], ordered[at[1]]
    if scale.kind == "zscore":
        mean, deviation = values.mean(), values.std(correction=0)
        return mean - 3 * deviation, mean + 3 * deviation
    if scale.kind == "symmetric":
        largest = values.abs().max()
        return -largest, largest
    return values.min(), values.max()
