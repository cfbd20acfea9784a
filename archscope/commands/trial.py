"""``archscope trial vgg11 vgg11_bn --width 1/8``."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Annotated, cast

import typer

from archscope.commands import (
    DataRootFlag,
    DownloadFlag,
    ForceFlag,
    FormatFlag,
    OutputFlag,
    TrainDeviceFlag,
    emit,
    refuse_written,
    takes_network,
)
from archscope.commands.train import (
    BatchSizeFlag,
    DataFlag,
    EpochsFlag,
    InitFlag,
    LrFlag,
    OptimizerFlag,
    SeedFlag,
    StepsFlag,
)
from archscope.core.errors import printable
from archscope.formats import Field, Sheet
from archscope.spec.options import Changes

if TYPE_CHECKING:
    from archscope.api.trials import Side, Trial

SideArgument = Annotated[str, typer.Argument(help='A network, with flags of its own: "vgg11 --bn conv".')]
NetworkArgument = Annotated[str, typer.Argument(metavar="NETWORK")]
SeedsFlag = Annotated[int, typer.Option("--seeds", help="Pairs of runs, from --seed on.", metavar="N")]


@takes_network
def trial(
    first: SideArgument, second: SideArgument, changes: Changes, seeds: SeedsFlag = 5, data: DataFlag = "digits",
    download: DownloadFlag = False, data_root: DataRootFlag = None, steps: StepsFlag = None, epochs: EpochsFlag = None,
    batch_size: BatchSizeFlag = None, lr: LrFlag = None, optimizer: OptimizerFlag = None, init: InitFlag = None,
    seed: SeedFlag = 0, device: TrainDeviceFlag = "auto", format_: FormatFlag = None, output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:  # fmt: skip
    """Is one network better? Paired short trainings on equal data and length: a difference with its interval.

    Exit code 0 where the 95 % interval of the differences in held-out accuracy leaves out 0, and 3, undecided, where
    it does not. Flags of a network are those of both, and of one where they are quoted with it.

    Examples:

        archscope trial vgg11 "vgg11 --bn conv" --width 1/16 --seeds 3 --steps 40
    """
    from archscope.api import trials
    from archscope.api.preparations import DataChoices
    from archscope.training.recipe import Recipe

    refuse_written(output, force=force)

    def watch(name: str, number: int, accuracy: float) -> None:
        sys.stderr.write(f"seed {number}  {printable(name)}  {accuracy:.2%}\n")

    recipe = Recipe(
        steps=steps, epochs=epochs, batch_size=batch_size, lr=lr, optimizer=optimizer, init=init, seed=seed,
        device=device,
    )  # fmt: skip
    example = changes.pop("input", None)  # type: ignore[typeddict-item]  # the flag's
    done = trials.trial(
        _side(first), _side(second), data, recipe, seeds=seeds, input=example,
        choices=DataChoices(download=download, root=data_root), watch=watch if sys.stderr.isatty() else None,
        **changes,
    )  # fmt: skip
    emit(_sheet(done), format_, output, force=force)
    if done.interrupted:
        sys.stderr.write(f"interrupted; these {len(done.pairs)} of {seeds} pairs were finished\n")
        raise KeyboardInterrupt
    if done.better is None:
        raise typer.Exit(3)


def _side(text: str) -> Side:
    """A network with flags of its own. Raises what the command line raises for a flag that there is not."""
    from archscope.api.trials import Side

    found: list[Side] = []
    app = typer.Typer(add_completion=False)

    def side(network: NetworkArgument, changes: Changes) -> None:
        found.append(Side(network, changes))

    app.command()(takes_network(side))
    command = typer.main.get_command(app)
    command.main(["-"], prog_name="archscope trial", standalone_mode=False)
    command.main(shlex.split(text), prog_name="archscope trial", standalone_mode=False)
    usual, given = found
    own = {name: value for name, value in given.changes.items() if value != usual.changes.get(name)}
    return Side(given.network, cast("Changes", own))


def _sheet(done: Trial) -> Sheet:
    """A line per seed; below, the difference with its interval, and what follows."""
    one, other = done.names
    fields = (
        Field("seed", "seed", "count"),
        Field("first", one, "percent"),
        Field("second", other, "percent"),
        Field("difference", "difference", "percent"),
    )
    rows = tuple(
        (each.seed, f"{each.first:.2%}", f"{each.second:.2%}", f"{each.difference:+.2%}") for each in done.pairs
    )
    found = done.difference
    words = f"mean difference {found.mean:+.2%}, 95 % interval {found.low:+.2%} to {found.high:+.2%}"
    outcome = "undecided" if done.better is None else f"{done.better} is better"
    notes = [f"held-out accuracy on {done.data}, {done.images} pictures; second minus first"]
    about = zip(done.names, done.changes, done.params, done.macs, done.recipes, strict=True)
    for name, changes, params, macs, recipe in about:
        changed = f"; changed: {', '.join(changes)}" if changes else ""
        costs = f"{params:,} params, {'?' if macs is None else f'{macs:,}'} MACs{changed}"
        length = f"epochs {recipe.epochs}" if recipe.epochs else f"steps {recipe.steps}"
        rate = f"{recipe.optimizer}, lr {recipe.lr:g}, init {recipe.init}"
        notes.append(f"{name}: {costs}; {length}, batch {recipe.batch}, {rate}")
    notes.append("a pair has one split, one order, one length; the interval is Student's, at least one picture wide")
    data = {
        "networks": list(done.names),
        "data": done.data,
        "changes": [list(each) for each in done.changes],
        "params": list(done.params),
        "macs": list(done.macs),
        "recipes": [each.plain() for each in done.recipes],
        "pairs": [each._asdict() | {"verdicts": list(each.verdicts)} for each in done.pairs],
        "difference": found._asdict(),
        "better": done.better,
    }
    title = f"{one} against {other}"
    return Sheet("trial", title, fields, rows, None, tuple(notes), (f"{words}: {outcome}",), data)
