"""The files that a training writes beside its checkpoints: what happened, as numbers and as pictures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from archscope.core.schema import dumped, headed
from archscope.training.events import Epoch, Report
from archscope.training.folders import refuse_links, write_durably, write_json
from archscope.training.observing import Observed
from archscope.training.rate_range import RateRange
from archscope.training.runs import METRICS
from archscope.training.verdict import Verdict

HISTORY, VERDICT = "history.csv", "verdict.json"
CURVES, CONFUSION = "curves.png", "confusion.png"
RATES = "lr_range"


def write_history(folder: Path, history: Sequence[Epoch]) -> None:
    """``history.csv``: a row per epoch."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = list(history[0].losses) if history else []
    plain = [name for name in Epoch._fields if name != "losses"]
    writer.writerow([*plain, *(f"{head}_loss" for head in heads)])
    for epoch in history:
        writer.writerow([*(getattr(epoch, name) for name in plain), *(epoch.losses[head] for head in heads)])
    write_durably(folder / HISTORY, text.getvalue().encode())


def add_metrics(folder: Path, report: Report) -> None:
    """``metrics.jsonl``: a line per report."""
    refuse_links(folder / METRICS)
    with (folder / METRICS).open("a", encoding="utf-8") as file:
        file.write(f"{dumped(headed('metrics', report._asdict()))}\n")


def cut_metrics(folder: Path, step: int) -> None:
    """Leaves out of ``metrics.jsonl`` what a run that goes on after ``step`` will write again."""
    path = folder / METRICS
    if not path.is_file():
        return
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if _step_of(line) <= step]
    write_durably(path, "".join(f"{line}\n" for line in kept).encode())


def write_verdict(folder: Path, verdict: Verdict, seen: Observed) -> None:
    """``verdict.json``: the verdict with all its signs, and the confusion of classes."""
    found: dict[str, Any] = {
        "verdict": verdict.verdict,
        "causes": list(verdict.causes),
        "signs": [sign._asdict() for sign in verdict.signs],
    }
    if seen.history:
        found["confusion"] = seen.held_out.confusion.tolist()
    write_json(folder / VERDICT, "verdict", found)


def write_pictures(folder: Path, seen: Observed) -> bool:
    """``curves.png`` and ``confusion.png``; whether matplotlib is there to draw them."""
    if not seen.history or find_spec("matplotlib") is None:
        return False
    from archscope.training.curves import confusion_picture, curves_picture

    write_durably(folder / CURVES, curves_picture(seen.history, seen.curve, seen.classes, seen.chance))
    write_durably(folder / CONFUSION, confusion_picture(seen.held_out.confusion.tolist(), seen.data.classes))
    return True


def write_rates(folder: Path, found: RateRange) -> None:
    """``lr_range.csv``: a row per step of the range test; and ``lr_range.png`` where matplotlib is there."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rate", "loss", "smoothed"])
    writer.writerows(zip(found.rates, found.losses, found.smoothed, strict=True))
    write_durably(folder / f"{RATES}.csv", text.getvalue().encode())
    if find_spec("matplotlib") is not None:
        from archscope.training.curves import rates_picture

        write_durably(folder / f"{RATES}.png", rates_picture(found))


def _step_of(line: str) -> int:
    """The step of a line; a torn last one counts as after everything."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 2**62
