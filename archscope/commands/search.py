"""``archscope search googlenet --vary width=1/8:1:1/8 --max-params 5M --maximize macs``."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from archscope import analyses, commands
from archscope.api import searches, spaces
from archscope.api.cell_spaces import as_printed
from archscope.commands import BatchFlag, Flags, ForceFlag, FormatFlag, ModeFlag, OutputFlag, takes_network
from archscope.commands.sweep import DaskFlag, NetworksArgument, TypeFlag, VaryFlag, progress, varied
from archscope.formats import Field, Sheet, spelled
from archscope.studies.design_space.designs import Space
from archscope.studies.design_space.searching import SWEPT, Candidate, Found


def _limited(command: Callable[..., None]) -> Callable[..., None]:
    """The command with ``--max-…`` and ``--min-…`` for each column; it gets them as ``at_most`` and ``at_least``."""
    own = inspect.signature(command, eval_str=True).parameters
    columns = [name for name, unit in spaces.columns_known(Space((), (), ())).items() if unit != "text"]
    flags = {f"{bound}_{name}": (bound, name) for name in columns for bound in ("max", "min")}

    @functools.wraps(command)
    def run(**given: Any) -> None:
        limits: dict[str, dict[str, str]] = {"max": {}, "min": {}}
        for flag, (bound, name) in flags.items():
            value = given.pop(flag)
            if value is not None:
                limits[bound][name] = value
        command(**given, at_most=limits["max"], at_least=limits["min"])

    added = [_parameter(flag, bound, name) for flag, (bound, name) in flags.items()]
    kept = [parameter for name, parameter in own.items() if name not in {"at_most", "at_least"}]
    merged = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*kept, *added)]
    run.__signature__ = inspect.Signature(merged)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in merged}
    return run


def _parameter(flag: str, bound: str, name: str) -> inspect.Parameter:
    head = analyses.of_column(name)[1].head
    example = "2GiB" if analyses.of_column(name)[1].unit == "bytes" else "5M"
    option = typer.Option(
        f"--{flag.replace('_', '-')}",
        help=f"{head}, at {'most' if bound == 'max' else 'least'}.",
        metavar=example,
        rich_help_panel="Limits",
    )
    kind = Annotated[str | None, option]
    return inspect.Parameter(flag, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)


MaximizeFlag = Annotated[str | None, typer.Option("--maximize", help="The column to have most of.", metavar="NAME")]
MinimizeFlag = Annotated[str | None, typer.Option("--minimize", help="The column to have least of.", metavar="NAME")]
WhereFlag = Annotated[str, typer.Option("--where", help='What else must hold: "macs < 100 * params".', metavar="TEXT")]
TrialsFlag = Annotated[
    int, typer.Option("--trials", min=1, help=f"Designs to try, of more than {SWEPT:,}.", metavar="N")
]
SeedFlag = Annotated[int, typer.Option("--seed", help="The same seed tries the same designs.", metavar="N")]


@_limited
@takes_network
def search(
    networks: NetworksArgument,
    changes: Flags,
    at_most: dict[str, str],
    at_least: dict[str, str],
    vary: VaryFlag = None,
    maximize: MaximizeFlag = None,
    minimize: MinimizeFlag = None,
    where: WhereFlag = "",
    trials: TrialsFlag = 1000,
    seed: SeedFlag = 0,
    batch: BatchFlag = 1,
    dtype: TypeFlag = "float32",
    mode: ModeFlag = "eval",
    dask: DaskFlag = "",
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """The best design within limits: all are looked at if they are two million or fewer, else some, by Optuna.

    Examples:

        archscope search googlenet --vary width=1/8:2:1/64 --vary input=128:512:8 --max-params 5M --maximize macs

        archscope search vgg16 resnet50 --vary width=1/8:2:1/64 --max-train-peak-bytes 2GiB --maximize params

        archscope search googlenet --max-params 5M --max-macs 1G --maximize receptive_field --trials 50

    Without --vary what stands in the cells of the network's table is varied: channels, kernels, repeats.
    """
    commands.refuse_written(output, force=force)
    heard: list[Found] = []
    try:
        with progress(trials, heard) as tell:
            found = searches.search(
                *networks, vary=varied(vary) if vary else None, maximize=maximize, minimize=minimize, where=where,
                at_most=at_most, at_least=at_least, trials=trials, seed=seed, batch=batch, dtype=dtype, mode=mode,
                dask=dask, tell=tell, **changes,
            )  # fmt: skip
        interrupted = False
    except KeyboardInterrupt:
        if not heard:
            raise
        found, interrupted = heard[-1], True
    objective = f"most {maximize}" if maximize is not None else f"least {minimize}"
    printed = as_printed(networks[0]) if not vary else {}
    commands.emit(_sheet(found, objective, printed), format_, output, force=force)
    if interrupted:
        sys.stderr.write(f"interrupted after {found.tried:,} designs\n")
        raise KeyboardInterrupt
    if found.best is None:
        raise typer.Exit(1)


def _sheet(found: Found, objective: str, printed: dict[str, str]) -> Sheet:
    """The best design: what is varied, cells that are as printed aside, and its numbers."""
    fields = (Field("what", "what"), Field("value", "value", "count"))
    how = (
        "all designs were looked at"
        if found.optimum
        else "some designs were tried, by Optuna: there may be better ones"
    )
    tried = f"{found.tried:,} of {found.designs:,} designs, {found.fitting:,} of them fit"
    return Sheet(
        name="search",
        title=f"The design with the {objective}" if found.best is not None else "No design fits",
        fields=fields,
        rows=tuple(_rows(found.best, printed)) if found.best is not None else (),
        notes=(how, *(["cells that are not listed are as printed"] if printed and found.best is not None else [])),
        closing=(tried,),
        data={
            "objective": objective,
            "best": None if found.best is None else {**found.best.point, **_numbers(found.best)},
            "optimum": found.optimum,
            "tried": found.tried,
            "fitting": found.fitting,
            "designs": found.designs,
        },
    )


def _numbers(best: Candidate) -> dict[str, int]:
    return {name: value for name, value in best.numbers.items() if name not in best.point}


def _rows(best: Candidate, printed: dict[str, str]) -> list[tuple[str, str]]:
    point = [(name, text) for name, text in best.point.items() if printed.get(name) != text]
    numbers = [(name, spelled(value, analyses.of_column(name)[1].unit)) for name, value in _numbers(best).items()]
    return [*point, *numbers]
