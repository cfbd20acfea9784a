"""Do activations keep their scale from layer to layer, and do examples stay different from each other?"""

from __future__ import annotations

from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, FINE, ODD, Sign
from archscope.training.signs.dead_relu import MOST, is_relu

RANK = 60
VANISHED = 1e-5
"""A layer's differences between examples as a share of the largest before it: float32 has 1e-7."""
FADED = 1e-2
EXPLODED = 1e4
"""Root mean square of activations."""


def examine(seen: Observed) -> Iterator[Sign]:
    """The layer at which examples become the same, or values huge, before the first step."""
    layers = [each for each in seen.seen.layers if each.finite_out]
    if not layers:
        return
    largest = 0.0
    for layer in layers:
        if is_relu(layer) and layer.dead >= MOST and largest:
            return  # that sign says it
        if layer.spread <= VANISHED * largest:
            what = f"at {layer.path} ({layer.kind}) all examples look the same: they differ by {layer.spread:.1e}"
            yield Sign(FAULT, what, "initialisation: activations vanish", "--init kaiming, or xavier without ReLU")
            return
        largest = max(largest, layer.spread)
    loud = next((each for each in layers if each.rms > EXPLODED), None)
    if loud is not None:
        yield Sign(ODD, f"activations explode at {loud.path} ({loud.kind}): root mean square {loud.rms:.1e}")
        return
    last = layers[-1]
    share = last.spread / largest
    gradients = [each.gradient for each in layers if each.gradient]
    ratio = f"; gradients by layer {min(gradients):.1e} to {max(gradients):.1e}" if gradients else ""
    words = f"examples differ by {last.spread:.1e} at {last.path}, {share:.1e} of the most before it{ratio}"
    yield Sign(FINE if share >= FADED else ODD, words)
