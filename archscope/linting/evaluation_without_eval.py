"""A model is evaluated in train mode: dropout goes on dropping, and batch norm goes by the batch it sees."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.linting import ERROR, WARNING, Found, Subject
from archscope.linting.sources.evaluations import evaluations, everywhere, in_eval_mode
from archscope.linting.sources.syntax import Script

LEVEL = ERROR
SOURCE = "PyTorch documentation, 'Autograd mechanics', section 'Evaluation Mode (nn.Module.eval())'"


def examine(subject: Subject) -> Iterator[Found]:
    """Loops over held-out data before which nobody calls ``eval()``."""
    if subject.script is None:
        return
    script = subject.script
    for each in evaluations(script):
        if everywhere(script, each.loop, lambda node: in_eval_mode(script, node)):
            continue
        yield Found(
            f"{each.model!r} is evaluated without {each.model}.eval()",
            "dropout 0.5 still zeroes half of the units, and batch norm takes the statistics of the test batch: the "
            "score "
            "depends on the batch size, and changes from run to run",
            f"{each.model}.eval() before the loop, {each.model}.train() before training goes on",
            span=script.span(each.loop),
            level=LEVEL if _depends(script) else WARNING,
        )


def _depends(script: Script) -> bool:
    """Whether the file shows a layer whose result depends on the mode, or leaves open what the model is."""
    names = [name for name, _ in script.calls()]
    own = any("Module" in base for cls in script.classes() for base in map(script.name_of, cls.bases))
    layers = any("Dropout" in name or "BatchNorm" in name for name in names)
    return layers or not own or any(name.startswith("torchvision.models") for name in names)
