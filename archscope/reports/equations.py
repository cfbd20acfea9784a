"""How a step of a derivation is called and how its result is written, on a terminal and on a page."""

from __future__ import annotations

from archscope.formats import spelled
from archscope.studies.explaining.derivation import Step

NAMES = {
    "output_shape": "output",
    "macs": "MACs",
    "saved_activation_bytes": "kept for backward",
    "receptive_field": "receptive field",
    "weight_layers": "weight layers",
    "window": "sees of its input",
    "nonlinearities": "non-linearities",
}
"""What quantities are called where their name will not do."""


def name_of(quantity: str) -> str:
    """What a quantity is called in print."""
    return NAMES.get(quantity, quantity.replace("_", " "))


def value_of(step: Step) -> str:
    """The result as people read it; bytes also in the unit that suits them."""
    if step.unit != "bytes" or step.value is None:
        return spelled(step.value, step.unit).replace("-", "−")
    exact = f"{step.value:,} bytes"
    return exact if step.value < 1024 else f"{exact} = {spelled(step.value, 'bytes')}"
