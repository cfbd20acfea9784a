"""``archscope fit vgg16 --memory 8GiB``."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated

import typer

from archscope import catalog
from archscope.api import fits
from archscope.api.fits import ChipFit, Fit
from archscope.api.settings import checked_optimizer
from archscope.commands import (
    AmpFlag,
    DeviceFlag,
    DtypeFlag,
    ForceFlag,
    FormatFlag,
    GradsFlag,
    ImplementationFlag,
    MomentumFlag,
    OptimizerFlag,
    OutputFlag,
    WeightDecayFlag,
    emit,
    refuse,
    refuse_written,
    takes_network,
)
from archscope.commands._watching import Watch, watched
from archscope.core.errors import Problem, UsageError
from archscope.formats import Field, Sheet, spelled
from archscope.spec.options import Changes

MemoryFlag = Annotated[
    list[str] | None,
    typer.Option("--memory", help="What there is: 8GiB; may be repeated; auto asks the GPU.", metavar="SIZE"),
]
TrainFlag = Annotated[bool, typer.Option("--train/--infer", help="A training step, or inference.")]
LargestFlag = Annotated[
    str, typer.Option("--largest", help="What to make as large as fits: batch, input or width.", metavar="WHAT")
]
ReserveFlag = Annotated[
    str, typer.Option("--reserve", help="Kept free for context, workspaces, fragmentation.", metavar="SIZE")
]
NetworksArgument = Annotated[
    list[str], typer.Argument(help="Names or table files.", metavar="NETWORK…", show_default=False)
]


FOR_TRAINING = ("optimizer", "momentum", "weight_decay", "implementation", "grads")
FOR_A_CARD = (*FOR_TRAINING, "train", "largest", "batch", "reserve", "amp", "device")


@takes_network
def fit(
    context: typer.Context,
    networks: NetworksArgument,
    changes: Changes,
    memory: MemoryFlag = None,
    train: TrainFlag = True,
    largest: LargestFlag = "batch",
    batch: Annotated[int, typer.Option("--batch", min=1, help="For --largest input or width.", metavar="N")] = 1,
    reserve: ReserveFlag = "",
    optimizer: OptimizerFlag = "sgd",
    momentum: MomentumFlag = None,
    weight_decay: WeightDecayFlag = 0.0,
    implementation: ImplementationFlag = "",
    dtype: DtypeFlag = "",
    amp: AmpFlag = "",
    device: DeviceFlag = "cuda",
    grads: GradsFlag = "none",
    flash: Annotated[str, typer.Option("--flash", help="A microcontroller's, for weights.", metavar="SIZE")] = "",
    ram: Annotated[str, typer.Option("--ram", help="A microcontroller's, for activations.", metavar="SIZE")] = "",
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """The largest batch that trains, or runs, in a memory; or the largest input or width. Exit code 1 if nothing fits.

    Exact for the tensors that torch allocates in eager mode. A GPU also holds its context (some hundred MiB) and
    workspaces, and its allocator wastes some: --reserve keeps room for them.

    Examples:

        archscope fit vgg16 --memory 8GiB

        archscope fit vgg16 googlenet resnet50 --memory 8GiB --memory 24GiB --reserve 1GiB

        archscope fit vgg16 --memory 8GiB --optimizer adam --largest width --batch 64

        archscope fit mobilenet --width 7/32 --flash 4MiB --ram 512KiB
    """
    refuse_written(output, force=force)
    names = catalog.named_networks(networks)
    refuse(context, () if train else FOR_TRAINING, "inference")
    if flash or ram:
        refuse(context, FOR_A_CARD, "a microcontroller")
        chips = _chips(names, memory, flash, ram, dtype, changes)
        emit(_chip_sheet(chips), format_, output, force=force)
        if not all(each.fits for each in chips):
            raise typer.Exit(1)
        return
    if not memory:
        raise UsageError(Problem("missing-option", "archscope fit needs --memory", help="--memory 8GiB, or auto"))
    chosen = checked_optimizer(optimizer, momentum, weight_decay, implementation)
    one = functools.partial(
        fits.fit, largest=largest, train=train, batch=batch, reserve=reserve or 0, dtype=dtype or "float32", amp=amp,
        device=device, grads=grads, optimizer=chosen, **changes,
    )  # fmt: skip
    found, watch = _fitted(one, names, list(map(_free_if_auto, memory)))
    emit(_sheet(found), format_, output, force=force)
    watch.reraise()
    if any(each.value is None for each in found):
        raise typer.Exit(1)


def _fitted(one: Callable[..., Fit], names: list[str], sizes: list[str | int]) -> tuple[list[Fit], Watch]:
    """What fits of each network in each memory, or of those that were finished before Ctrl-C."""
    found: list[Fit] = []
    with watched("fitting", len(names) * len(sizes), keeps=True) as watch:
        for name, size in itertools.product(names, sizes):
            watch.at(f"fitting {name}")
            found.append(one(name, size))
            watch.finished()
    return found, watch


def _free_if_auto(size: str) -> str | int:
    if size != "auto":
        return size
    from archscope.running.device import free_bytes

    return free_bytes()


def _sheet(found: list[Fit]) -> Sheet:
    """A line per network and memory size; below, what binds and what would fit instead."""
    first = found[0]
    fields = (
        Field("network", "network"),
        Field("memory", "memory", "bytes"),
        Field("value", f"largest {first.largest}", "count"),
        Field("peak", "peak", "bytes", keep=1),
        Field("layer", "at", keep=2, least=6),
        Field("phase", "in", keep=2),
        Field("next", "next needs", "bytes", keep=3),
    )
    rows = tuple(
        (
            each.network, each.memory, _value(each), each.moment.bytes, each.moment.layer or "–", each.moment.phase,
            each.beyond or "",
        )
        for each in found
    )  # fmt: skip
    title = f"what fits, {'training' if first.training else 'inference'}"
    return Sheet("fit", title, fields, rows, notes=tuple(_notes(found)), data={"fits": [_data(each) for each in found]})


def _value(each: Fit) -> str | int:
    if each.value is None:
        return "none"
    return each.value if isinstance(each.value, int) else str(each.value)


def _notes(found: list[Fit]) -> list[str]:
    first = found[0]
    notes = [first.setting.in_words if first.training else f"{first.setting.dtype}, inference"]
    notes += [f"batch {first.setting.batch}"] if first.largest != "batch" else []
    notes += [f"changed from the paper: {', '.join(first.changes)}"] if first.changes else []
    kept = f"{spelled(first.reserve, 'bytes')} kept free" if first.reserve else "nothing kept free: see --reserve"
    exact = "" if any(each.missing for each in found) else ", exact"
    notes.append(f"tensors of eager torch{exact}; a GPU's context, workspaces and allocator come on top ({kept})")
    for each in found:
        notes += _why_not(each) if each.value is None else []
        if each.missing:
            notes.append(f"{each.network}: the memory of {', '.join(each.missing)} is not known: less may fit")
    return notes


def _why_not(each: Fit) -> list[str]:
    """By how much the least does not fit, which part alone does not, and what would."""
    size, parts = spelled(each.memory, "bytes"), each.moment.parts
    least = {"batch": "a single example", "input": "the smallest input", "width": "width 1/32"}[each.largest]
    lines = [f"{each.network}, {size}: {least} needs {each.moment.bytes:,} B, {each.too_much:,} B too much"]
    held = sum(parts[part] for part in ("params", "grads", "optimizer"))
    what = "parameters, gradients and optimizer state" if each.training else "parameters"
    alone = f"{what} alone need {held:,} B"
    over = held - each.limit
    lines.append(f"{each.network}, {size}: {alone}, {f'{over:,} B too much' if over > 0 else 'which fit'}")
    if each.advice:
        ways = ", ".join(f"{words} (batch {batch})" for words, batch in each.advice)
        lines.append(f"{each.network}, {size}: what would fit: {ways}")
    return lines


def _data(each: Fit) -> dict[str, object]:
    setting = each.setting._asdict() | {"optimizer": each.setting.optimizer._asdict()}
    return {
        "network": each.network,
        "mode": "train" if each.training else "infer",
        "setting": setting,
        "memory": each.memory,
        "reserve": each.reserve,
        "largest": each.largest,
        "value": str(each.value) if isinstance(each.value, Fraction) else each.value,
        "peak": {"bytes": each.moment.bytes, "phase": each.moment.phase, "layer": each.moment.layer}
        | {"parts": each.moment.parts},
        "next_bytes": each.beyond or None,
        "too_much": each.too_much,
        "advice": [{"change": words, "batch": batch} for words, batch in each.advice],
        "missing": list(each.missing),
        "changes": list(each.changes),
    }


def _chips(
    names: list[str], memory: list[str] | None, flash: str, ram: str, dtype: str, changes: Changes
) -> list[ChipFit]:
    if memory or not flash or not ram:
        message = "a microcontroller has --flash and --ram, both of them, and no --memory"
        raise UsageError(Problem("bad-usage", message, help="archscope fit mobilenet --flash 4MiB --ram 512KiB"))
    return [fits.fit_chip(name, flash=flash, ram=ram, dtype=dtype or "int8", **changes) for name in names]


def _chip_sheet(found: list[ChipFit]) -> Sheet:
    first = found[0]
    fields = (
        Field("network", "network"),
        Field("weights", f"weights of {spelled(first.flash, 'bytes')}", "bytes"),
        Field("activations", f"activations of {spelled(first.ram, 'bytes')}", "bytes"),
        Field("fits", "fits"),
        Field("width", "largest width"),
    )
    rows = tuple(
        (
            each.network, each.weights, each.activations, "yes" if each.fits else "no",
            "none" if each.width is None else str(each.width),
        )
        for each in found
    )  # fmt: skip
    notes = (
        f"{first.dtype}, one example; weights: parameters and running statistics; batch norm is not folded",
        "activations: most alive at once if each tensor dies with its last use, which a static planner may reach",
        "widths in steps of 1/32, up to 4",
    )
    data = {"fits": [_chip_data(each) for each in found]}
    return Sheet("chip_fit", "what fits a microcontroller", fields, rows, notes=notes, data=data)


def _chip_data(each: ChipFit) -> dict[str, object]:
    return {**each._asdict(), "fits": each.fits, "width": None if each.width is None else str(each.width)}
