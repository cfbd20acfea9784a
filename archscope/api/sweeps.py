"""``sweep``: every design of a space with its numbers, as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from archscope.api.networks import Network
from archscope.api.spaces import COLUMNS, Wanted, asked, fingerprint
from archscope.core.errors import Problem, UsageError
from archscope.core.schema import headed
from archscope.core.writing import in_one_step
from archscope.graph.graph import Graph
from archscope.spec.options import Changes
from archscope.studies.design_space.answers import Answer, Progress, answer
from archscope.studies.design_space.checkpoints import Checkpoint
from archscope.studies.design_space.columnfiles import FORMATS, Columns, write_csv, write_json, write_parquet
from archscope.studies.design_space.designs import MOST
from archscope.studies.design_space.sweeping import Question, in_this_process

SAMPLE = 20_000
"""Designs in a picture, besides those that are kept."""


def sweep(  # noqa: PLR0913  a public verb: its keywords are the flags of the command
    *networks: Network | Graph,
    vary: Mapping[str, str | Iterable[Any]],
    columns: Sequence[str] = COLUMNS,
    where: str = "",
    pareto: Sequence[str] = (),
    sort: Sequence[str] = (),
    top: int | None = None,
    input: Sequence[str] = (),  # noqa: A002  what tables and the command line call it
    batch: int = 1,
    dtype: str = "float32",
    mode: str = "eval",
    output: str | Path | None = None,
    dask: str = "",
    yes: bool = False,
    tell: Callable[[Progress], None] | None = None,
    **changes: Unpack[Changes],
) -> Columns:
    """Every design of a space with its numbers, equal to those that :func:`archscope.profile` gives for it alone.

    networks: what load takes. vary: what changes, by name (see
    :data:`archscope.studies.design_space.designs.KNOBS`): values one by one, or as text, ``"1,8,32"`` or
    ``"64:512:32"`` with both ends. columns: totals of analyses (:func:`archscope.analyses.columns`). where: a
    condition, ``"params < 5M and train_peak_bytes < 2GiB"``. pareto:
    keeps the designs that no other one beats in these columns, less being better, or more with a minus before the name.
    sort: orders by columns in the same way; top: keeps the first so many. output: a file, ``.csv``, ``.json`` or
    ``.parquet``; an interrupted sweep goes on from ``<output>.partial`` when it is asked again, and rows that neither
    ``top`` nor ``pareto`` bounds stay in the file: the arrays are then empty. dask: a scheduler's address, or
    ``local``. yes: also over 10⁹ designs. tell: hears of each chunk of designs, with its rows. input: ``["3x96x96"]``,
    and changes: as for :func:`archscope.load`, for all designs. batch, dtype, mode: as for :func:`archscope.profile`.

    Chunks of some ten thousand designs are worked out at once: what is kept takes memory, the others do not. Raises
    UsageError for ranges, columns and conditions that make no sense, and for too many designs; ArchscopeError where
    none can be built and for a cluster that does not answer; what load raises.
    """
    setting = {"batch": batch, "dtype": dtype, "mode": mode}
    question = asked(networks, vary, Wanted(columns, where, pareto, sort, top), setting, {**changes, "input": input})
    path = None if output is None else Path(output)
    name = format_of(path)
    found = answered(question, dask=dask, yes=yes, tell=tell, output=path)
    if found.interrupted:
        raise KeyboardInterrupt
    if path is not None:
        save(found, path, name)
    return Columns(found)


def answered(
    question: Question,
    *,
    dask: str = "",
    yes: bool = False,
    tell: Callable[[Progress], None] | None = None,
    output: Path | None = None,
    picture: bool = False,
) -> Answer:
    """The answer to a question; see :func:`sweep`. picture: sets some designs aside for one."""
    points = question.space.points
    if points > MOST and not yes:
        message = f"these are {points:,} designs, more than {MOST:,}"
        raise UsageError(Problem("too-many-points", message, help="say yes (--yes) to work them all out"))
    if picture:
        question = question._replace(sample=-(-points // SAMPLE))
    columns = [*(axis.name for axis in question.space.axes), *question.columns]
    checkpoint = None
    if output is not None:
        checkpoint = Checkpoint(output, fingerprint(question), columns, question.space.variants)
    if not dask:
        return answer(question, in_this_process, tell, checkpoint)
    from archscope.studies.design_space.clusters import on_dask

    with on_dask(dask) as run:
        return answer(question, run, tell, checkpoint)


def format_of(path: Path | None, name: str = "") -> str:
    """The format that is asked for, or that a file's ending says. Raises UsageError where nothing does."""
    found = name or (path.suffix.removeprefix(".") if path is not None else "")
    if path is not None and found not in FORMATS:
        expected = f"a name that ends in {', '.join(f'.{each}' for each in FORMATS)}"
        raise UsageError(Problem("bad-value", f"the name {str(path)!r} does not say a format", expected=expected))
    return found


def save(found: Answer, path: Path, name: str) -> None:
    """Writes the rows to a file, and removes what was kept to go on from. Raises ArchscopeError if it cannot."""
    with in_one_step(path) as whole:
        if name == "parquet":
            write_parquet(found, str(whole))
        else:
            with whole.open("w", encoding="utf-8", newline="\n") as file:
                write_csv(found, file) if name == "csv" else write_json(found, file, summary_of(found))
    if found.checkpoint is not None:
        found.checkpoint.remove()


def summary_of(found: Answer) -> dict[str, Any]:
    """What is known of a sweep besides its rows, as plain values."""
    space = found.question.space
    data = {
        "networks": list(space.networks),
        "varied": space.varied,
        "setting": {name: getattr(found.question.setting, name) for name in ("batch", "dtype", "mode")},
        "where": str(found.question.where or ""),
        "designs": found.points,
        "fitting": found.fitting,
        "unusable": [reason._asdict() for reason in found.unusable],
        "missing": {name: list(ops) for name, ops in found.missing.items()},
    }
    return headed("sweep", data)
