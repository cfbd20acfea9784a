"""``NLLLoss`` on what is no logarithm: it only picks an entry, and goes below zero without a bound."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.linting import ERROR, Found, Subject
from archscope.linting.sources.training_script import loss_calls

LEVEL = ERROR
SOURCE = "pytorch/pytorch PR #12703; yanx27/Pointnet_Pointnet2_pytorch#30; Text-Classification-Models-Pytorch#9"


def examine(subject: Subject) -> Iterator[Found]:
    """Negative log-likelihoods in a file that takes no logarithm of a soft-max."""
    if subject.script is None:
        return
    script = subject.script
    names = {name.rpartition(".")[2] for name, _ in script.calls()}
    used = [call for call, name in loss_calls(script).items() if name in {"NLLLoss", "nll_loss"}]
    if not used or names & {
        "LogSoftmax",
        "log_softmax",
        "LogSigmoid",
        "logsigmoid",
        "log",
        "AdaptiveLogSoftmaxWithLoss",
    }:
        return
    if not any("Module" in base for cls in script.classes() for base in map(script.name_of, cls.bases)):
        return  # the model comes from elsewhere, and may well end in log_softmax
    yield Found(
        "NLLLoss, and no log_softmax in the file",
        "it is minus the entry of the right class: with logits it falls below zero without end, with soft-max it "
        "stops at -1",
        "CrossEntropyLoss on the logits, or log_softmax(x, dim=1) before NLLLoss",
        span=script.span(used[0]),
    )
