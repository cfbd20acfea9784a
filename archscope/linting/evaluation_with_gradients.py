"""A model is evaluated while autograd keeps every activation for a backward pass that never comes."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.linting import WARNING, Found, Subject
from archscope.linting.sources.evaluations import evaluations, everywhere
from archscope.linting.sources.training_script import without_grad

LEVEL = WARNING
SOURCE = "PyTorch documentation, 'Autograd mechanics', section 'No-grad Mode'"


def examine(subject: Subject) -> Iterator[Found]:
    """Loops over held-out data that run neither in ``no_grad`` nor in ``inference_mode``."""
    if subject.script is None:
        return
    script = subject.script
    for each in evaluations(script):
        inside = without_grad(script, each.call)
        if not inside and not everywhere(script, each.loop, lambda node: without_grad(script, node)):
            yield Found(
                f"{each.model!r} is evaluated with gradients switched on",
                "every activation is kept for backward: VGG-16 keeps 70 MiB per image so, and none without",
                "with torch.no_grad(): around the loop, or @torch.inference_mode() on the function",
                span=script.span(each.loop),
            )
