"""``archscope train vgg11_bn --width 1/8``."""

from __future__ import annotations

import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from archscope.commands import (
    DataRootFlag,
    DownloadFlag,
    FormatFlag,
    NumWorkersFlag,
    SkipCorruptFlag,
    TrainDeviceFlag,
    emit,
    takes_network,
    terminal_width,
)
from archscope.core.errors import printable
from archscope.formats import Field, Sheet, spelled
from archscope.spec.options import Changes

if TYPE_CHECKING:
    from archscope.api.trainings import Judged, Training
    from archscope.training.events import Epoch, Event
    from archscope.training.planning import Plan

_RECIPE, _DATA = "Recipe; what is left out suits the network", "Data"

MARKS = {"fine": "✓", "odd": "!", "fault": "✗"}
FIELDS = (Field("status", ""), Field("sign", "sign"), Field("evidence", "evidence", least=40))


def _recipe(*names: str, help: str, **more: Any) -> Any:  # noqa: A002  typer's name
    return typer.Option(*names, help=help, rich_help_panel=_RECIPE, **more)


def _data(*names: str, help: str, **more: Any) -> Any:  # noqa: A002  typer's name
    return typer.Option(*names, help=help, rich_help_panel=_DATA, **more)


NetworkArgument = Annotated[
    str, typer.Argument(help="A name, a table file: ./mine.toml:B, or a module's address.", metavar="NETWORK")
]
DataFlag = Annotated[
    str, _data("--data", help="digits, mnist, cifar10, …, folder:PATH or fake:CLASSES.", metavar="NAME")
]
AugmentFlag = Annotated[
    list[str] | None, _data("--augment", help="flip, crop:4, rotate:15 …; may be repeated.", metavar="KIND")
]
NormalizeFlag = Annotated[str, _data("--normalize", help="data, imagenet, half or none.", metavar="HOW")]
ResizeFlag = Annotated[str, _data("--resize", help="squash, or short: the shorter side.", metavar="HOW")]
ScaleJitterFlag = Annotated[
    str | None, _data("--scale-jitter", help="Shorter side at random: 256:512.", metavar="LOW:HIGH")
]
StepsFlag = Annotated[int | None, _recipe("--steps", help="How many updates.", metavar="N")]
EpochsFlag = Annotated[int | None, _recipe("--epochs", help="How often every picture.", metavar="N")]
BatchSizeFlag = Annotated[int | None, _recipe("--batch-size", help="Pictures per update.", metavar="N")]
AccumulateFlag = Annotated[int, _recipe("--accumulate", help="In how many parts of a batch.", metavar="N")]
LrFlag = Annotated[float | None, _recipe("--lr", help="Learning rate.", metavar="X")]
OptimizerFlag = Annotated[str | None, _recipe("--optimizer", help="sgd, adam or adamw.", metavar="NAME")]
MomentumFlag = Annotated[float | None, _recipe("--momentum", help="Of sgd.", metavar="X")]
ScheduleFlag = Annotated[str, _recipe("--schedule", help="cosine, step or constant.", metavar="NAME")]
WarmupFlag = Annotated[float, _recipe("--warmup", help="Share of steps with a rising rate.", metavar="X")]
WeightDecayFlag = Annotated[float | None, _recipe("--weight-decay", help="Of the optimizer.", metavar="X")]
LabelSmoothingFlag = Annotated[float, _recipe("--label-smoothing", help="Of the loss.", metavar="X")]
ClipFlag = Annotated[float | None, _recipe("--clip", help="Largest norm of all gradients.", metavar="X")]
InitFlag = Annotated[str | None, _recipe("--init", help="default (torch's), paper, xavier or kaiming.", metavar="NAME")]
WeightsFlag = Annotated[str, _recipe("--weights", help="torchvision, or a state dict's path.", metavar="FILE")]
FreezeFlag = Annotated[
    list[str] | None, _recipe("--freeze", help="Parameters not to train: features.*", metavar="PATTERN")
]
AuxWeightFlag = Annotated[float, _recipe("--aux-weight", help="Of auxiliary heads' losses.", metavar="X")]
SeedFlag = Annotated[int, _recipe("--seed", help="Of everything random.", metavar="N")]
AmpFlag = Annotated[str, _recipe("--amp", help="Autocast: bfloat16 or float16.", metavar="TYPE")]
CompileFlag = Annotated[bool, _recipe("--compile", help="By torch.compile.")]
ChannelsLastFlag = Annotated[
    bool | None, _recipe("--channels-last/--no-channels-last", help="Memory format of pictures and weights.")
]
LogEveryFlag = Annotated[int, _recipe("--log-every", help="Steps per line of metrics.jsonl.", metavar="N")]
OutFlag = Annotated[
    Path | None, typer.Option("--out", help="Folder for checkpoints, figures, curves.", metavar="FOLDER")
]
TensorboardFlag = Annotated[bool, typer.Option("--tensorboard", help="Event files for TensorBoard in --out.")]
LrRangeFlag = Annotated[bool, _recipe("--lr-range", help="First a range test: where the loss falls.")]
ResumeFlag = Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, exactly.")]
DryRunFlag = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")]
ForceFlag = Annotated[bool, typer.Option("--force", help="Train though it does not fit, or a fault is proved.")]


@takes_network
def train(
    network: NetworkArgument, changes: Changes, data: DataFlag = "digits", augment: AugmentFlag = None,
    normalize: NormalizeFlag = "data", resize: ResizeFlag = "squash", scale_jitter: ScaleJitterFlag = None,
    download: DownloadFlag = False, data_root: DataRootFlag = None, skip_corrupt: SkipCorruptFlag = False,
    steps: StepsFlag = None, epochs: EpochsFlag = None, batch_size: BatchSizeFlag = None,
    accumulate: AccumulateFlag = 1, lr: LrFlag = None, optimizer: OptimizerFlag = None, momentum: MomentumFlag = None,
    schedule: ScheduleFlag = "cosine", warmup: WarmupFlag = 0.1, weight_decay: WeightDecayFlag = None,
    label_smoothing: LabelSmoothingFlag = 0.0, clip: ClipFlag = None, init: InitFlag = None,
    weights: WeightsFlag = "", freeze: FreezeFlag = None, aux_weight: AuxWeightFlag = 0.3, seed: SeedFlag = 0,
    device: TrainDeviceFlag = "auto", amp: AmpFlag = "", compile_: CompileFlag = False,
    channels_last: ChannelsLastFlag = None, num_workers: NumWorkersFlag = 0, log_every: LogEveryFlag = 10,
    out: OutFlag = None, tensorboard: TensorboardFlag = False, lr_range: LrRangeFlag = False,
    resume: ResumeFlag = False, dry_run: DryRunFlag = False, force: ForceFlag = False, format_: FormatFlag = None,
) -> None:  # fmt: skip
    """Does it learn? A short, real training with a verdict: exit code 0 learns, 1 does not, 3 undecided.

    Before it starts it says what it will do and whether that fits; in the end, what speaks for and against, each with
    its number, and what is proved to be wrong.

    Examples:

        archscope train lenet5 --epochs 1 --out runs/lenet5

        archscope train vgg11_bn --width 1/8 --dry-run
    """
    from archscope.api import trainings
    from archscope.api.preparations import DataChoices
    from archscope.training.recipe import Recipe

    recipe = Recipe(
        steps=steps, epochs=epochs, batch_size=batch_size, accumulate=accumulate, lr=lr, optimizer=optimizer,
        momentum=momentum, schedule=schedule, warmup=warmup, weight_decay=weight_decay,
        label_smoothing=label_smoothing, clip=clip, init=init, weights=weights, freeze=tuple(freeze or ()),
        aux_weight=aux_weight, seed=seed, device=device, amp=amp, compile=compile_, channels_last=channels_last,
        num_workers=num_workers, log_every=log_every,
    )  # fmt: skip
    choices = DataChoices(tuple(augment or ()), normalize, resize, scale_jitter, download, data_root, skip_corrupt)
    example = changes.pop("input", None)  # type: ignore[typeddict-item]  # the flag's
    with _Screen(quiet=format_ not in {None, "terminal"}) as screen:
        done = trainings.train(
            network, data, recipe, input=example, choices=choices, out=out, resume=resume, force=force,
            dry_run=dry_run, tensorboard=tensorboard, lr_range=lr_range, watch=screen.show, **changes,
        )  # fmt: skip
    if done.verdict is not None:
        if done.writes and format_ in {None, "terminal"}:
            sys.stdout.write(told(sheet_of(done), terminal_width() or 120))
        elif done.writes:
            emit(sheet_of(done), format_, None, force=False)
        raise typer.Exit(done.verdict.exit_code)


class _Screen:
    """Shows a training: lines for the plan and each epoch, and at a terminal a live one for the steps."""

    def __init__(self, *, quiet: bool) -> None:
        self.stream = sys.stderr if quiet else sys.stdout
        self.live: Any = None
        self.task: Any = None
        self.plan: Plan | None = None
        self.peak = 0.0
        self.since = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._end_live()

    def show(self, event: Plan | Event | Judged) -> None:
        """Shows an event: the plan, a step, a report, an epoch. The verdict is printed at the end."""
        kind = type(event).__name__
        if kind == "Plan":
            self._begin(event)  # type: ignore[arg-type]  # told by its name: nothing of torch is imported here
        elif kind == "Step" and self.live is not None:
            self.live.update(self.task, completed=event.step)  # type: ignore[union-attr]  # as above
        elif kind == "Report" and self.live is not None:
            self.live.update(self.task, words=_losses(event.losses, event.accuracy))  # type: ignore[union-attr]
        elif kind == "Epoch":
            self._line(self._epoch(event))  # type: ignore[arg-type]  # as above
        elif kind == "Judged":
            self._end_live()

    def _begin(self, plan: Plan) -> None:
        from archscope.running.matmul import matmul_peak

        self.plan, self.peak = plan, matmul_peak(plan.device, plan.recipe.amp or "float32")
        for line in plan_lines(plan, self.peak):
            self._line(line)
        self.since = time.perf_counter()
        if self.stream.isatty():
            self._begin_live(plan.steps)

    def _begin_live(self, steps: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (
            BarColumn(20), MofNCompleteColumn(), TextColumn("{task.fields[words]}"), TimeElapsedColumn(),
            TextColumn("left"), TimeRemainingColumn(),
        )  # fmt: skip
        self.live = Progress(*columns, console=Console(file=self.stream), transient=True)
        self.task = self.live.add_task("steps", total=steps, words="")
        self.live.start()

    def _end_live(self) -> None:
        if self.live is not None:
            self.live.stop()
            self.live = None

    def _line(self, text: str) -> None:
        if self.live is not None:
            self.live.console.print(text, highlight=False, markup=False, soft_wrap=True)
        else:
            self.stream.write(f"{text}\n")
            self.stream.flush()

    def _epoch(self, epoch: Epoch) -> str:
        """One line: losses, accuracy, held-out, speed, memory, time."""
        from archscope.running.device import used_bytes

        plan = self.plan
        if plan is None:
            raise AssertionError("a plan comes first")
        spent = time.perf_counter() - self.since
        words = [
            f"{epoch.step:>5}/{plan.steps}",
            _losses(epoch.losses, epoch.accuracy),
            f"held-out {epoch.validation_loss:.3f} {epoch.validation_accuracy:.1%}",
            f"{epoch.images_per_second:,.0f} images/s",
        ]
        if plan.train_macs is not None:
            rate = 2 * plan.train_macs * epoch.images_per_second
            words.append(f"{rate / 1e9:,.3g} GFLOP/s, {rate / self.peak:.0%} of matmul")
        used = used_bytes(plan.device)
        words += [spelled(used, "bytes")] if used is not None else []
        words.append(f"{spent:.0f} s, {spent / epoch.step * (plan.steps - epoch.step):.0f} s left")
        return "  ".join(words)


def _losses(losses: dict[str, float], accuracy: float) -> str:
    """``loss 0.412 86.1%  aux1 0.612``."""
    main, *others = losses.items()
    return "  ".join([f"loss {main[1]:.3f} {accuracy:.1%}", *(f"{name} {loss:.3f}" for name, loss in others)])


def plan_lines(plan: Plan, peak: float) -> list[str]:
    """What the training is about to do, in lines."""
    shape, recipe = spelled(plan.input_shape, "shape"), plan.recipe
    changed = f" · changed: {', '.join(plan.changes)}" if plan.changes else ""
    lines = [f"{plan.network} on {plan.data} at {shape}{changed}"]
    for split, counts in plan.images.items():
        each = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
        lines.append(f"{split:<11}{sum(counts):,} images of {len(counts)} classes, {each} of each")
    macs = "? MACs" if plan.step_macs is None else f"{plan.step_macs:,} MACs"
    frozen = f", {plan.params - plan.trainable:,} of them frozen" if plan.trainable < plan.params else ""
    lines.append(f"network    {plan.params:,} params{frozen}")
    parts = f" in {recipe.accumulate} parts" if recipe.accumulate > 1 else ""
    length = f"{recipe.epochs} epochs, " if recipe.epochs else ""
    lines.append(f"step       {recipe.batch} images{parts}, {macs} forward and backward; {length}{plan.steps:,} steps")
    rate = f"{recipe.optimizer}, lr {recipe.lr:g} {recipe.schedule}, weight decay {recipe.weight_decay:g}"
    layout = ", channels last" if recipe.channels_last else ""
    lines.append(f"recipe     {rate}, init {recipe.init}, seed {recipe.seed}{layout}")
    lines += [f"           {words}" for words in plan.chosen]
    there = spelled(plan.available, "bytes")
    lines.append(f"memory     {spelled(plan.memory, 'bytes')} of tensors in a step; {plan.device} has {there}")
    time_ = "not known" if plan.seconds is None else f"about {plan.seconds:.0f} s"
    lines.append(f"time       {time_}; {plan.device} multiplies matrices at {peak / 1e9:,.3g} GFLOP/s")
    return [printable(line) for line in lines]


def told(sheet: Sheet, width: int) -> str:
    """The verdict for people: no evidence is cut, its lines are broken."""
    rows = [(f"{mark} {name:<19}", what) for mark, name, what in sheet.rows]
    lines = [textwrap.fill(head + printable(what), width, subsequent_indent=" " * 21) for head, what in rows]
    return "\n".join(["", *lines, "", *sheet.closing, ""])


def sheet_of(done: Training) -> Sheet:
    """The verdict with its evidence."""
    verdict = done.verdict
    if verdict is None:
        raise AssertionError("a plan has no verdict")
    rows = tuple((MARKS[sign.status], sign.name, sign.what) for sign in verdict.signs)
    mends = dict.fromkeys(sign.mend for sign in verdict.signs if sign.cause and sign.mend)
    head = f"{done.plan.network}: {verdict.verdict}"
    closing = [f"{head}: {'; '.join(verdict.causes)}" if verdict.causes else head]
    closing += [f"try: {mend}" for mend in mends]
    closing.append(f"wrote {printable(str(done.folder))}" if done.folder else "nothing was kept; --out FOLDER keeps it")
    data = {
        "network": done.plan.network,
        "verdict": verdict.verdict,
        "causes": list(verdict.causes),
        "signs": [sign._asdict() for sign in verdict.signs],
        "history": [epoch._asdict() for epoch in done.history],
        "recipe": done.recipe.plain(),
    }
    return Sheet("train", f"{done.plan.network} on {done.plan.data}", FIELDS, rows, None, (), tuple(closing), data)
