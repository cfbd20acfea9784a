"""One file per command; the folder is the register, except for files whose name begins with an underscore.

Only the command that runs is imported.

A module here defines a function of its own name, a typer command: its docstring is the help. ``takes_network`` adds
the flags that every command that takes a network has.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperGroup

from archscope import formats
from archscope.core.errors import Problem, UsageError, printable
from archscope.spec.options import BATCH_NORMS, HEADS, Blocks, Changes

HELP = """Architecture analysis of neural networks: a paper's own table is the program.

Start with:

    archscope list

    archscope summary vgg16

    archscope compare vgg16 googlenet
"""

_CHANGES = "Changes to the network"

FormatFlag = Annotated[
    str | None, typer.Option("--format", help=f"One of {', '.join(formats.named())}.", metavar="FORMAT")
]
OutputFlag = Annotated[
    str | None,
    typer.Option("--output", "-o", help="Write to a file; its ending, such as .md or .csv, says the format.",
                 metavar="FILE"),
]  # fmt: skip
BatchFlag = Annotated[int, typer.Option("--batch", min=1, help="Examples at once.", metavar="N")]
DtypeFlag = Annotated[str, typer.Option("--dtype", help="Type of parameters and activations.", metavar="TYPE")]
OptimizerFlag = Annotated[str, typer.Option("--optimizer", help="sgd, adam or adamw.", metavar="NAME")]
MomentumFlag = Annotated[float | None, typer.Option("--momentum", help="Of sgd; 0.9 unless given.", metavar="X")]
WeightDecayFlag = Annotated[float, typer.Option("--weight-decay", help="Of the optimizer.", metavar="X")]
ImplementationFlag = Annotated[
    str, typer.Option("--implementation", help="for-loop, foreach or fused; torch's default else.", metavar="NAME")
]
AmpFlag = Annotated[str, typer.Option("--amp", help="Autocast: bfloat16 or float16.", metavar="TYPE")]
DeviceFlag = Annotated[str, typer.Option("--device", help="cuda or cpu: their masks and steps differ.", metavar="NAME")]
GradsFlag = Annotated[
    str, typer.Option("--grads", help="none: freed before a step; resident: kept, to accumulate.", metavar="WHERE")
]
RealFlag = Annotated[
    bool, typer.Option("--real", help="Run a module on real tensors, weights and all: for one that asks for values.")
]
UpperBoundFlag = Annotated[
    bool,
    typer.Option("--upper-bound", help="Of a module: take sizes that depend on values to be the largest possible."),
]
RunArgument = Annotated[str, typer.Argument(help="The folder that a training wrote: --out of train.", metavar="RUN")]
CheckpointFlag = Annotated[
    str | None, typer.Option("--checkpoint", help="best, by validation, or last; the best there is.", metavar="NAME")
]
TrainDeviceFlag = Annotated[
    str, typer.Option("--device", help="auto, cpu or cuda; auto takes a GPU where there is one.", metavar="NAME")
]
TrustCodeFlag = Annotated[
    bool, typer.Option("--trust-code", help="Import and run the module that the run names: your own code.")
]
DownloadFlag = Annotated[bool, typer.Option("--download", help="Download a data set that is not there.")]
DataRootFlag = Annotated[
    str | None,
    typer.Option("--data-root", help="Where downloads lie; $ARCHSCOPE_DATA or the cache.", metavar="FOLDER"),
]
SkipCorruptFlag = Annotated[
    bool, typer.Option("--skip-corrupt", help="Leave pictures out that cannot be read, and count them.")
]
NumWorkersFlag = Annotated[
    int, typer.Option("--num-workers", help="Processes that read pictures from files ahead.", metavar="N")
]
ModeFlag = Annotated[str, typer.Option("--mode", help="eval, or train to count auxiliary heads.", metavar="MODE")]


PlotFlag = Annotated[
    Path | None, typer.Option("--plot", help="Draw it as bars as well: .png, .svg or .pdf.", metavar="FILE")
]
ForceFlag = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")]
PICTURES = (".png", ".svg", ".pdf")


class Flags(Changes, total=False):
    """What every command that takes a network can be told: changes, and one example of its input, as written."""

    input: tuple[str, ...]


def named() -> list[str]:
    """The commands, by name. A file whose name would hide a builtin ends in an underscore."""
    return sorted(stem.rstrip("_") for stem in _stems())


def _stems() -> list[str]:
    return [path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_")]


class _Commands(TyperGroup):
    """The group of all commands, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  typer's signature
        return named()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  typer's signature
        stem = next((path for path in _stems() if path.rstrip("_") == cmd_name), None)
        if stem is None:
            return None
        module = import_module(f"archscope.commands.{stem}")
        app = typer.Typer(add_completion=False)
        app.command(cmd_name)(getattr(module, stem))
        return typer.main.get_command(app)


def command_line() -> Any:
    """The command line as one object with ``main(args)``."""
    app = typer.Typer(
        cls=_Commands, help=HELP, add_completion=True, context_settings={"help_option_names": ["-h", "--help"]}
    )
    app.callback(invoke_without_command=True)(_root)
    return typer.main.get_command(app)


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # noqa: ARG001  read in __main__, which catches errors
) -> None:
    if version:
        from archscope.core.version import __version__

        typer.echo(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def _flag(*names: str, help: str, metavar: str | None = None, **more: Any) -> Any:  # noqa: A002  typer's name
    """An option that changes the network: all of them stand in one part of the help."""
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=_CHANGES, **more)


def _network_flags(
    input_: Annotated[
        list[str] | None,
        _flag(
            "--input",
            help="One example: 3x224x224; for a module also ids:128:int64, repeated, or ./net.py:make_inputs.",
            metavar="CxHxW",
        ),
    ] = None,
    classes: Annotated[int | None, _flag("--classes", help="Outputs of the classifier.", metavar="N", min=1)] = None,
    in_channels: Annotated[
        int | None, _flag("--in-channels", help="Channels of the input.", metavar="N", min=1)
    ] = None,
    width: Annotated[str | None, _flag("--width", help="Factor on conv channels, such as 1/4.", metavar="X")] = None,
    head_width: Annotated[
        str | None, _flag("--head-width", help="Factor on hidden FC layers, such as 1/4.", metavar="X")
    ] = None,
    round_to: Annotated[
        int | None, _flag("--round-to", help="Round scaled channels to multiples of this.", metavar="N", min=1)
    ] = None,
    head: Annotated[
        str | None,
        _flag("--head", help=f"{' or '.join(HEADS)}; gap pools instead of hidden FC layers.", metavar="HEAD"),
    ] = None,
    dense: Annotated[bool, _flag("--dense", help="FC layers as convolutions, for larger images.")] = False,
    blocks: Annotated[
        str | None,
        _flag(
            "--blocks", help="Convolutions or blocks per stage: 1,1,2,2,2 or 1x64,1x128 or 64,M,128,M.", metavar="LIST"
        ),
    ] = None,
    bn: Annotated[str | None, _flag("--bn", help=f"Batch norm: {', '.join(BATCH_NORMS)}.", metavar="WHERE")] = None,
    conv_bias: Annotated[bool | None, _flag("--conv-bias/--no-conv-bias", help="Biases of convolutions.")] = None,
    dropout: Annotated[
        float | None, _flag("--dropout", help="Share dropped, in every dropout layer.", metavar="P")
    ] = None,
    adaptive_pool: Annotated[
        bool, _flag("--adaptive-pool", help="torchvision's pool before the head: the same weights fit any input.")
    ] = False,
    softmax: Annotated[bool, _flag("--softmax", help="Keep the soft-max as a layer.")] = False,
    aux: Annotated[bool, _flag("--aux/--no-aux", help="Auxiliary heads.")] = True,
    set_: Annotated[
        list[str] | None,
        _flag("--set", help='Another text for a cell: "inception (3a).#1×1=32"; may be repeated.', metavar="CELL=TEXT"),
    ] = None,
) -> Flags:
    """The flags as changes to a network."""
    changes = Flags(
        num_classes=classes, in_channels=in_channels, width=width, head_width=head_width, round_to=round_to, head=head,
        dense=dense, blocks=_blocks(blocks), bn=bn, conv_bias=conv_bias,
        dropout=dropout, adaptive_pool=adaptive_pool, softmax=softmax, aux=aux, set=_cells(set_ or []),
    )  # fmt: skip
    if input_:
        changes["input"] = tuple(input_)
    return changes


def takes_network(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the flags of every network; it gets them as its argument ``changes``."""
    flags = inspect.signature(_network_flags, eval_str=True).parameters
    own = inspect.signature(command, eval_str=True).parameters

    @functools.wraps(command)
    def run(**given: Any) -> None:
        changes = _network_flags(**{name: given.pop(name) for name in flags})
        command(**given, changes=changes)

    kept = [parameter for name, parameter in own.items() if name != "changes"]
    merged = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*kept, *flags.values())]
    run.__signature__ = inspect.Signature(merged)  # type: ignore[attr-defined]
    hints = {**get_type_hints(_network_flags, include_extras=True), **get_type_hints(command, include_extras=True)}
    run.__annotations__ = {each.name: hints[each.name] for each in merged}
    return run


def refuse(context: typer.Context, names: Sequence[str], case: str) -> None:
    """Raises UsageError for a flag that was given where it means nothing. names: of parameters; case: ``inference``."""
    for parameter in context.command.params:
        given = context.get_parameter_source(str(parameter.name))
        if parameter.name in names and given is not None and given.name == "COMMANDLINE":
            flag = "/".join((*parameter.opts, *parameter.secondary_opts))
            raise UsageError(Problem("bad-usage", f"{flag} means nothing for {case}"))


def emit(sheet: formats.Sheet, name: str | None, output: str | None, *, force: bool) -> None:
    """Prints a sheet, or writes it to a file in the format that is asked for or that the file's name says.

    Raises UsageError for a file that is there, unless ``force``.
    """
    if output is not None:
        from archscope.core.writing import write_whole

        text = formats.render(sheet, name or formats.of_file(output))
        write_whole(Path(output), text, force=force)
        typer.echo(f"wrote {printable(output)}")
        return
    sys.stdout.write(formats.render(sheet, name or "terminal", terminal_width()))


def refuse_written(output: str | Path | None, *, force: bool) -> None:
    """Raises UsageError where a file would be overwritten without ``force``, before long work is done for nothing."""
    if output is not None:
        from archscope.core.writing import refuse_taken

        refuse_taken(Path(output), force=force)


def refuse_picture(path: Path | None, *, force: bool) -> None:
    """Raises UsageError for a picture whose name says no format, and for one that would be overwritten."""
    if path is not None and path.suffix not in PICTURES:
        message = f"the name {str(path)!r} does not say a format"
        raise UsageError(Problem("bad-value", message, expected=f"a name that ends in {', '.join(PICTURES)}"))
    refuse_written(path, force=force)


def terminal_width() -> int | None:
    """Characters of a line, at a terminal; None for a pipe or a file."""
    import os
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() or "COLUMNS" in os.environ else None


def among(flag: str, given: Sequence[str], known: Sequence[str]) -> None:
    """Raises UsageError for a value of a flag that is not among the known ones."""
    for value in given:
        if value not in known:
            raise UsageError(Problem("bad-value", f"{flag} is {value!r}", expected=", ".join(known)))


def _cells(given: Sequence[str]) -> dict[str, str] | None:
    """Texts by cell, of ``row.column=text``."""
    cells: dict[str, str] = {}
    for each in given:
        cell, equals, text = each.partition("=")
        if not equals or not cell.strip():
            expected = 'a cell and its text: "inception (3a).#1×1=32", "row 5.D=conv3-512"'
            raise UsageError(Problem("bad-value", f"--set is {each!r}", expected=expected))
        if cell.strip() in cells:
            raise UsageError(Problem("bad-value", f"--set gives {cell.strip()!r} twice"))
        cells[cell.strip()] = text.strip()
    return cells or None


def _blocks(text: str | None) -> Blocks | None:
    if text is None:
        return None
    from archscope.spec.stages import blocks_from

    return blocks_from(text)
