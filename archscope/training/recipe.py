"""Every setting of a training, checked, in one frozen record that a run keeps as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from archscope.core.errors import Problem, UsageError, nearest
from archscope.core.records import Optimizer, Setting

OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("constant", "cosine", "step")
INITS = ("default", "paper", "xavier", "kaiming")
AMPS = ("bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings of a training. None stands for what suits the network, which :func:`completed` fills in.

    steps, epochs: how long; one of them. batch_size: examples per update, of all processes together; accumulate: in how
    many parts one after another. lr: of a full step, after a warm-up over ``warmup`` of all steps; schedule: constant
    after it, down a cosine to 0, or a tenth after half and again after three quarters (``step``). momentum: of sgd.
    weight_decay: of all parameters. label_smoothing: as of ``CrossEntropyLoss``. clip: the largest norm of all
    gradients together. init: ``default`` is torch's own, ``paper`` the paper's, ``xavier`` is Glorot's uniform,
    ``kaiming`` He's normal over the outputs for ReLU. weights: ``torchvision`` or a state dict's path, loaded after
    that. freeze: patterns of parameters that are not trained: ``features.*``. aux_weight: factor on the losses of
    auxiliary heads. device: ``auto`` takes a GPU where there is one. amp: autocast in ``bfloat16`` or ``float16``.
    compile: by ``torch.compile``. channels_last: memory format of pictures and weights; quicker on a CPU, and
    what is chosen there for the network of a table. num_workers: processes that
    make batches. log_every: steps between two lines of ``metrics.jsonl``.
    """

    steps: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    accumulate: int = 1
    lr: float | None = None
    optimizer: str | None = None
    momentum: float | None = None
    schedule: str = "cosine"
    warmup: float = 0.1
    weight_decay: float | None = None
    label_smoothing: float = 0.0
    clip: float | None = None
    init: str | None = None
    weights: str = ""
    freeze: tuple[str, ...] = ()
    aux_weight: float = 0.3
    seed: int = 0
    device: str = "auto"
    amp: str = ""
    compile: bool = False
    channels_last: bool | None = None
    num_workers: int = 0
    log_every: int = 10

    def __post_init__(self) -> None:
        if isinstance(self.freeze, list):
            object.__setattr__(self, "freeze", tuple(self.freeze))
        if self.steps is not None and self.epochs is not None:
            raise UsageError(Problem("bad-value", "steps and epochs both say how long it trains", help="give one"))
        for name in ("steps", "epochs", "batch_size", "accumulate", "log_every"):
            _whole(name, getattr(self, name), 1)
        for name in ("seed", "num_workers"):
            _whole(name, getattr(self, name), 0)
        _between("lr", self.lr, 0, 1e9, least=False)
        _between("clip", self.clip, 0, 1e9, least=False)
        _between("momentum", self.momentum, 0, 1, most=False)
        _between("weight_decay", self.weight_decay, 0, 1, most=False)
        _between("label_smoothing", self.label_smoothing, 0, 1, most=False)
        _between("warmup", self.warmup, 0, 1, most=False)
        _between("aux_weight", self.aux_weight, 0, 100)
        choices = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES, "init": INITS, "device": DEVICES}
        for name, known in choices.items():
            value = getattr(self, name)
            if value is not None and value not in known:
                raise UsageError(Problem("bad-value", f"{name} is {value!r}", expected=", ".join(known)))
        if self.amp and self.amp not in AMPS:
            raise UsageError(Problem("bad-value", f"amp is {self.amp!r}", expected=", ".join(AMPS)))
        if self.optimizer in {"adam", "adamw"} and self.momentum is not None:
            raise UsageError(Problem("bad-value", f"{self.optimizer} has no momentum to set", help="sgd has"))

    def plain(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self) | {"freeze": list(self.freeze)}

    @property
    def batch(self) -> int:
        """Examples per update. The recipe must be complete."""
        return _known("batch_size", self.batch_size)

    def setting(self, device: str, batch: int | None = None) -> Setting:
        """What the memory of a step depends on. The recipe must be complete."""
        own = Optimizer(self.optimizer or "sgd", self.momentum or 0.0, self.weight_decay or 0.0)
        grads = "resident" if self.accumulate > 1 else "none"
        part = -(-self.batch // self.accumulate) if batch is None else batch
        return Setting(part, mode="train", optimizer=own, device=device, amp=self.amp, grads=grads)


def recipe_of(plain: Mapping[str, Any]) -> Recipe:
    """The recipe of plain values, as JSON has them. Raises UsageError for a setting that there is not.

    >>> recipe_of(Recipe(lr=0.1).plain()) == Recipe(lr=0.1)
    True
    """
    known = [each.name for each in fields(Recipe)]
    for name in plain:
        if name not in known:
            help_line = nearest(name, known)
            raise UsageError(
                Problem("unknown-setting", f"a recipe has no {name!r}", expected=", ".join(known), help=help_line)
            )
    return Recipe(**plain)


def _known(name: str, value: int | None) -> int:
    if value is None:
        raise UsageError(Problem("bad-value", f"{name} is not chosen yet", help="completed(recipe, graph)"))
    return value


def _whole(name: str, value: object, least: int) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
        expected = f"a whole number from {least} on"
        raise UsageError(Problem("bad-value", f"{name} is {value!r}", expected=expected))


def _between(name: str, value: object, low: float, high: float, *, least: bool = True, most: bool = True) -> None:
    """Raises UsageError for what is no number from low to high; ``least``, ``most``: these two included."""
    if value is None:
        return
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
    if (low <= number if least else low < number) and (number <= high if most else number < high):
        return
    words = f"a number {'from' if least else 'above'} {low:g} {'up to' if most else 'and below'} {high:g}"
    raise UsageError(Problem("bad-value", f"{name} is {value!r}", expected=words))
