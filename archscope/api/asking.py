"""A picture before a trained network: both as the run's folder says, so that its maps can be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from archscope import catalog
from archscope.api.trained import Trained, trained
from archscope.core.errors import Problem, Unsupported, UsageError
from archscope.spec.network import Spec
from archscope.spec.options import Options, options

if TYPE_CHECKING:
    import torch

    from archscope.running.images import Shown


class Asked(NamedTuple):
    """The network of a run and a picture. example: the picture as the network takes it, float32 (1, C, H, W)."""

    folder: Path
    trained: Trained
    spec: Spec
    image: Shown
    example: torch.Tensor

    @property
    def words(self) -> str:
        """Which network it is, with what was changed, whose weights it has, and what was done to the picture."""
        changes = f" with {', '.join(self.spec.changes)}" if self.spec.changes else ""
        weights = f"the {self.trained.checkpoint} checkpoint of {str(self.folder)!r}"
        return f"{self.spec.name}{changes}: {weights}, the image prepared as in its validation"

    @property
    def title(self) -> str:
        """Whose weights they are, in short."""
        return f"{self.trained.checkpoint} weights of {self.folder.resolve().name}"


def asked_of(network: object, image: Path, folder: Path, changes: Mapping[str, Any]) -> Asked:
    """The network of a run, on the CPU, and a picture that is prepared as the run's validation does.

    network: what the caller takes the run's network to be; changes: none, since the run has its own.

    Raises UsageError for another network than the run's and for changes, Unsupported for a run of a module's address,
    whose code is not run, UnreadablePicture for a file that is no picture, and what trained raises.
    """
    from archscope.training.predicting import seen
    from archscope.training.runs import read_run

    run = read_run(folder)
    address = run.network.address
    if catalog.is_module_address(address):
        message = f"{str(folder)!r} is of {address!r}, a module, and activations takes networks of tables"
        raise Unsupported(Problem("no-table", message))
    if not isinstance(network, str) or catalog.find(network) != catalog.find(address):
        named = repr(network) if isinstance(network, str) else f"a {type(network).__name__}"
        message = f"{str(folder)!r} is a run of {address!r}, and {named} was asked for"
        raise UsageError(Problem("other-network", message, help=f"name the run's own: {address}"))
    _refuse_changes(folder, changes)
    found = trained(folder, device="cpu")
    return Asked(folder, found, cast("Spec", found.spec), *seen(image, run.preprocessing))


def _refuse_changes(folder: Path, changes: Mapping[str, Any]) -> None:
    """Raises UsageError for a change to the network, or its input: other weights would belong to it."""
    usual = Options()
    chosen = options({name: value for name, value in changes.items() if name not in {"input", "softmax"}})
    given = [each.name for each in fields(Options) if getattr(chosen, each.name) != getattr(usual, each.name)]
    given += [name for name in ("input", "softmax") if changes.get(name)]
    if given:
        message = f"{str(folder)!r} says how its network was changed, and {given[0]} was given as well"
        raise UsageError(Problem("bad-usage", message, help="leave it out: the run's changes are applied"))
