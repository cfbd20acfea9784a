"""How weights begin: torch's own way, Glorot's, He's, or the paper's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from archscope.core.errors import Problem, Unsupported

if TYPE_CHECKING:
    import torch
    from torch import nn


class Beginning(NamedTuple):
    """How a paper draws weights; biases are 0. words: what it says, and where."""

    kind: str
    words: str
    deviation: float = 0.0


PAPERS = {
    "10.1109/5.726791": Beginning("uniform", "uniform within ±2.4 / inputs of a unit (appendix A)"),
    "1409.1556": Beginning("normal", "normal of variance 10⁻², biases 0 (section 3.1)", 0.1),
    "1512.03385": Beginning("he", "as He et al. (arXiv:1502.01852), equation 10 (section 3.4)"),
}
"""Papers that say it, by their identifier."""


def paper_beginning(source: str) -> Beginning:
    """What the paper at ``source`` says. Raises Unsupported where archscope does not know that it says anything."""
    for identifier, found in PAPERS.items():
        if identifier in source:
            return found
    message = f"not supported: init paper for {source or 'a module'}, whose initialisation archscope does not know"
    raise Unsupported(Problem("unknown-init", message, expected=f"for {', '.join(PAPERS)}", help="--init kaiming"))


def initialise(model: nn.Module, how: str, source: str = "") -> None:
    """Draws the weights of convolutions and FC layers anew, in place, biases 0; norms stay at 1 and 0.

    how: ``default`` leaves what torch made; ``xavier`` is ``xavier_uniform_``; ``kaiming`` is ``kaiming_normal_`` with
    ``nonlinearity="relu"``, over the inputs; ``paper`` what the paper at ``source`` says. Raises Unsupported where
    archscope does not know that.
    """
    from torch import nn

    if how == "default":
        return
    found = paper_beginning(source) if how == "paper" else Beginning({"xavier": "xavier", "kaiming": "he"}[how], how)
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            _draw(module.weight, found)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _draw(weight: torch.Tensor, found: Beginning) -> None:
    from torch.nn import init

    if found.kind == "xavier":
        init.xavier_uniform_(weight)
    elif found.kind == "he":
        init.kaiming_normal_(weight, nonlinearity="relu")
    elif found.kind == "normal":
        init.normal_(weight, 0.0, found.deviation)
    else:
        inputs = weight[0].numel()
        init.uniform_(weight, -2.4 / inputs, 2.4 / inputs)
