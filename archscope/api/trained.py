"""A run's network with its weights, ready to be asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from archscope import catalog
from archscope.api.trainees import Trainee, trainee
from archscope.core.errors import ArchscopeError, Problem, Unsupported, UsageError

if TYPE_CHECKING:
    from torch import nn

    from archscope.spec.network import Spec
    from archscope.training.runs import Run

CHECKPOINTS = ("best", "last")


class Trained(NamedTuple):
    """What a run trained. checkpoint: which one it is, ``best`` or ``last``. spec: None for a module of the user's."""

    run: Run
    model: nn.Module
    checkpoint: str
    spec: Spec | None


def trained(
    folder: str | Path,
    *,
    checkpoint: str | None = None,
    device: str = "auto",
    trust_code: bool = False,
    dense: bool = False,
) -> Trained:
    """The network of a run in evaluation, with the weights of its best checkpoint, else of its last.

    trust_code: whether a run may name code, a module's address, that is imported and run. dense: FC layers as
    convolutions, so that it slides over larger pictures; only a table's network can.

    Raises ArchscopeError for a folder that is no run, a checkpoint that is not there or of another network, UsageError
    for code that is not trusted, Unsupported for a GPU that is not there.
    """
    from archscope.running.device import device_called
    from archscope.training.checkpoints import restore
    from archscope.training.runs import checkpoints_of, read_run

    place, run = Path(folder), read_run(Path(folder))
    if catalog.is_module_address(run.network.address) and not trust_code:
        message = f"{str(folder)!r} is of {run.network.address!r}: to ask it means to run that code"
        raise UsageError(Problem("untrusted-code", message, help="--trust-code, where the code is yours"))
    chosen = checkpoint or _newest(checkpoints_of(place))
    if chosen not in CHECKPOINTS:
        raise UsageError(Problem("bad-value", f"checkpoint is {chosen!r}", expected=", ".join(CHECKPOINTS)))
    found = _network(folder, run)
    model = found.made("meta")
    restore(checkpoints_of(place), chosen, model)
    model = _dense(found, model) if dense else model
    return Trained(run, model.to(device_called(device)).eval(), chosen, found.spec)


def _newest(checkpoints: Path) -> str:
    return next((name for name in CHECKPOINTS if (checkpoints / f"{name}.pt").is_file()), CHECKPOINTS[-1])


def _network(folder: str | Path, run: Run) -> Trainee:
    """The network that a run names. Its changes come from a file: what no change looks like is an error of the run."""
    known = run.network
    example = known.input_shape if catalog.is_module_address(known.address) else None
    try:
        return trainee(known.address, classes=len(run.classes), changes=known.changes, input=example)
    except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
        message = f"'network.json' in {str(folder)!r} has changes that make no network: {error}"
        raise ArchscopeError(Problem("bad-run", message)) from error


def _dense(found: Trainee, model: nn.Module) -> nn.Module:
    """The same network with its FC layers as convolutions: the same numbers, in the same order."""
    if found.spec is None:
        raise Unsupported(Problem("no-table", f"{found.address} is a module, and --dense is for networks of tables"))
    from archscope.graph.heads import dense
    from archscope.graph.lowering import lower
    from archscope.targets.torch_module import module_of

    state = model.state_dict()
    sliding = module_of(lower(dense(found.spec)), device="meta")
    shapes = {key: each.shape for key, each in sliding.state_dict().items()}
    sliding.load_state_dict({key: state[key].reshape(shape) for key, shape in shapes.items()}, assign=True)
    return sliding
