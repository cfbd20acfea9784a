"""Pictures of a training: loss and accuracy by step, and which class was taken for which."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from archscope.training.events import Epoch
from archscope.training.rate_range import RateRange

LABELLED = 20
"""Classes up to which a confusion matrix has names and numbers."""


def curves_picture(history: Sequence[Epoch], curve: Sequence[float], classes: int, chance: float) -> bytes:
    """Loss of every step and of held-out examples, and accuracy in training and held-out, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    steps = [epoch.step for epoch in history]
    loss.plot(range(1, len(curve) + 1), curve, color="0.75", linewidth=0.8, label="train, each step")
    for head in history[0].losses:
        words, style = ("train", "-") if head == "logits" else (f"train, {head}", ":")
        loss.plot(steps, [epoch.losses[head] for epoch in history], style, marker=".", label=words)
    loss.plot(steps, [epoch.validation_loss for epoch in history], marker="o", label="held-out")
    loss.axhline(math.log(classes), color="0.5", linestyle="--", linewidth=0.8, label=f"guessing, ln {classes}")
    finite = sorted(value for value in curve if math.isfinite(value))
    if finite:
        loss.set_ylim(0, 1.1 * max(finite[int(0.98 * (len(finite) - 1))], math.log(classes)))
    accuracy.plot(steps, [epoch.accuracy for epoch in history], marker=".", label="train")
    accuracy.plot(steps, [epoch.validation_accuracy for epoch in history], marker="o", label="held-out")
    accuracy.axhline(chance, color="0.5", linestyle="--", linewidth=0.8, label="guessing")
    accuracy.set_ylim(0, 1.02)
    accuracy.set_xlim(left=0)
    for axes, name in ((loss, "cross-entropy"), (accuracy, "accuracy")):
        axes.set_xlabel("step")
        axes.set_ylabel(name)
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    return _png(figure)


def rates_picture(found: RateRange) -> bytes:
    """The loss by learning rate, with the interval in which it falls, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(found.rates, found.losses, color="0.75", linewidth=0.8, label="each step")
    axes.plot(found.rates, found.smoothed, label="running mean")
    if found.low is not None and found.high is not None:
        axes.axvspan(found.low, found.high, color="0.93", label=f"falls: {found.low:.1e} to {found.high:.1e}")
    axes.set_xscale("log")
    axes.set_ylim(0, 1.5 * found.losses[0])
    axes.set_xlabel("learning rate")
    axes.set_ylabel("cross-entropy")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return _png(figure)


def confusion_picture(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> bytes:
    """Which class was taken for which, each row's shares as shades, as PNG."""
    from matplotlib.figure import Figure

    shares = [[value / max(1, sum(row)) for value in row] for row in confusion]
    side = min(12.0, 3.0 + 0.4 * len(shares))
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xlabel("taken for")
    axes.set_ylabel("class")
    if len(shares) <= LABELLED and len(shares[0]) == len(classes) == len(shares):
        axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
        axes.set_yticks(range(len(classes)), classes)
        for row, values in enumerate(confusion):
            for column, value in enumerate(values):
                if value:
                    colour = "white" if shares[row][column] > 0.5 else "black"
                    axes.text(column, row, str(value), ha="center", va="center", color=colour, fontsize=8)
    return _png(figure)


def _png(figure: object) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)  # type: ignore[attr-defined]  # matplotlib's Figure, imported late
    return content.getvalue()
