"""``archscope memory vgg16 --batch 32``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from archscope.api import footprints
from archscope.api.settings import checked_optimizer
from archscope.commands import (
    AmpFlag,
    BatchFlag,
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
    takes_network,
    terminal_width,
)
from archscope.commands._watching import watched
from archscope.drawings.timeline import chart
from archscope.formats import Field, Sheet, spelled
from archscope.reports.courses import WORDS
from archscope.spec.options import Changes
from archscope.studies.allocator import gpu_estimate
from archscope.studies.memory_use import PARTS, MemoryUse, Moment
from archscope.studies.other_tools import Estimate, estimates

if TYPE_CHECKING:
    from archscope.running.measuring import Measured

FIELDS = (
    Field("part", "bytes"),
    Field("inference", "inference", "count"),
    Field("ideal", "ideal inference", "count", keep=1),
    Field("training", "training step", "count"),
)


@takes_network
def memory(
    network: Annotated[
        str, typer.Argument(help="A name, a table file: ./mine.toml:B, or a module's address.", metavar="NETWORK")
    ],
    changes: Changes,
    batch: BatchFlag = 1,
    optimizer: OptimizerFlag = "sgd",
    momentum: MomentumFlag = None,
    weight_decay: WeightDecayFlag = 0.0,
    implementation: ImplementationFlag = "",
    dtype: DtypeFlag = "float32",
    amp: AmpFlag = "",
    device: DeviceFlag = "cuda",
    grads: GradsFlag = "none",
    measure: Annotated[bool, typer.Option("--measure", help="Build it, run it, and measure as well.")] = False,
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """What a network needs in inference and in a training step, to the byte, what it is made of, and its course.

    Exact for the tensors that torch allocates in eager mode. What a GPU's context, workspaces and allocator add depends
    on the machine, and is not in it.

    Examples:

        archscope memory vgg16

        archscope memory googlenet --batch 32 --optimizer adam

        archscope memory lenet5 --device cpu --measure

        archscope memory resnet50 --batch 8 --format json
    """
    chosen = checked_optimizer(optimizer, momentum, weight_decay, implementation)
    with watched(f"working {network} out"):
        use = footprints.memory(
            network, batch, dtype=dtype, amp=amp, device=device, grads=grads, optimizer=chosen, **changes
        )
        real = None
        if measure and use.graph is not None:
            from archscope.running.measuring import measured

            real = measured(use.graph, use.setting)
    emit(sheet_of(use, real), format_, output, force=force)


def sheet_of(use: MemoryUse, real: Measured | None = None) -> Sheet:
    """What each peak is made of, when it comes, and what other tools would say."""
    peaks = (use.inference, use.ideal, use.training)
    rows = [(WORDS[part], *(moment.parts[part] for moment in peaks)) for part in PARTS]
    found = _other_tools(use)
    return Sheet(
        name="memory",
        title=f"{use.network} · peak memory at batch {use.setting.batch}",
        fields=FIELDS,
        rows=(
            *rows,
            ("at", *(moment.layer or "–" for moment in peaks)),
            ("in", *(moment.phase for moment in peaks)),
        ),
        total=("peak", *(moment.bytes for moment in peaks)),
        notes=(*_notes(use, found), *_on_gpu(use), *(_measured(use, real) if real is not None else [])),
        picture=tuple(_chart(use)),
        data=_data(use, found) | ({"measured": real._asdict()} if real is not None else {}),
    )


def _notes(use: MemoryUse, found: tuple[Estimate, ...]) -> list[str]:
    shape = spelled(use.input_shape, "shape")
    sizes = ", ".join(
        f"{what} {spelled(moment.bytes, 'bytes')}"
        for what, moment in (("inference", use.inference), ("training", use.training))
    )
    notes = [f"{sizes}: input {shape}, batch {use.setting.batch}, {use.setting.in_words}"]
    notes += [f"changed from the paper: {', '.join(use.changes)}"] if use.changes else []
    if use.missing:
        notes.append(f"lower bounds: the memory of {', '.join(use.missing)} is not known")
    exact = "" if use.missing else ", exact"
    notes += [
        f"tensors of torch's eager mode{exact}; a GPU's context, workspaces and allocator come on top",
        "inference peak: without autograd, tensors as long as Python holds them; ideal: until their last use",
        "training peak: forward, cross-entropy, backward and the optimizer's step, auxiliary heads included",
        f"saved for backward when the loss is made, batch and targets included: {use.saved_bytes:,} B; {_most(use)}",
    ]
    peak = use.training.bytes
    for each in found:
        share = 100 * (each.bytes - peak) / peak
        notes.append(f"{each.tool} says {spelled(each.bytes, 'bytes')} ({each.claims}; {share:+.0f} %): {each.why}")
    return notes


def _other_tools(use: MemoryUse) -> tuple[Estimate, ...]:
    """What other tools would print for a table's network; before a module one can run them."""
    return estimates(use.graph, use.setting) if use.graph is not None and use.graph.held is None else ()


def _on_gpu(use: MemoryUse) -> list[str]:
    """What the GPU makes of it, as far as it can be estimated."""
    if use.setting.device != "cuda" or use.graph is None:
        return []
    found = gpu_estimate(use.graph, use.setting)
    allocated, reserved = spelled(found.allocated, "bytes"), spelled(found.reserved, "bytes")
    held = f"{allocated} allocated in blocks of 512 B, {reserved} reserved by the caching allocator as modelled"
    return [f"on a GPU, estimates: {held}; workspaces of cuBLAS and cuDNN and the context are not in it"]


def _measured(use: MemoryUse, real: Measured) -> list[str]:
    """Predicted and measured peaks, side by side."""
    pairs = (
        ("inference", use.inference.bytes, real.inference_peak, real.inference_with_kernels),
        ("training", use.training.bytes, real.train_peak, real.train_with_kernels),
    )
    return [
        f"{what} peak measured: {own:,} B, predicted {expected:,} B, {expected - own:+,} B; "
        f"with what kernels took for themselves {whole:,} B"
        for what, expected, own, whole in pairs
    ]


def _most(use: MemoryUse) -> str:
    layer = max(use.saved, key=lambda name: use.saved[name])
    return f"most of it by {layer}, {use.saved[layer]:,} B"


def _chart(use: MemoryUse) -> list[str]:
    values = [moment.bytes for moment in use.timeline]
    phases = [moment.phase for moment in use.timeline]
    return chart(values, phases, spelled(max(values), "bytes"), width=min(terminal_width() or 100, 120))


def _data(use: MemoryUse, found: tuple[Estimate, ...]) -> dict[str, object]:
    setting = use.setting._asdict() | {"optimizer": use.setting.optimizer._asdict()}
    return {
        "network": use.network,
        "input_shape": list(use.input_shape),
        "setting": setting,
        "changes": list(use.changes),
        "status": "bound" if use.missing else "exact",
        "missing": list(use.missing),
        "inference_peak": _moment(use.inference),
        "inference_peak_ideal": _moment(use.ideal),
        "train_peak": _moment(use.training),
        "saved": use.saved,
        "saved_bytes": use.saved_bytes,
        "timeline": [_moment(moment) for moment in use.timeline],
        "other_tools": [each._asdict() for each in found],
    }


def _moment(moment: Moment) -> dict[str, object]:
    return {"bytes": moment.bytes, "phase": moment.phase, "layer": moment.layer, "parts": moment.parts}
