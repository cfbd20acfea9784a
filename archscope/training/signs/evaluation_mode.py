"""Is the model evaluated in evaluation mode?"""

from __future__ import annotations

from collections.abc import Iterator

from archscope.training.observing import Observed
from archscope.training.signs import FAULT, Sign, listed

RANK = 140
TOLERANCE = 1e-3
"""Of the largest logit: kernels for other batch sizes differ by rounding alone."""


def examine(seen: Observed) -> Iterator[Sign]:
    """Whether an answer depends on the other examples or on chance."""
    if not seen.history or not seen.changes_with_company > TOLERANCE:
        return
    seen.model.eval()
    training = [path or "the model" for path, module in seen.model.named_modules() if module.training]
    who = f"; in train mode: {listed(training)}" if training else ""
    what = f"in evaluation, logits change by {seen.changes_with_company:.1%} with the other examples or by chance{who}"
    yield Sign(FAULT, what, "evaluation in train mode", "let model.eval() reach every module")
