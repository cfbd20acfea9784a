"""What stands for a module's own tensors while it is captured: tensors without storage, and copies of small constants.

A parameter, a large tensor and whatever an activation was written into are stood for by a meta tensor. A small tensor
that no activation has touched keeps its values, in a copy: forwards look at masks, indices and tables of positions.
"""

from __future__ import annotations

import torch
from torch import nn

LARGEST_CONSTANT = 65_536
"""Elements of the largest tensor that keeps its values."""


class StandIns:
    """The stand-ins of one capture, by the tensor that each stands for."""

    def __init__(self) -> None:
        self.known: dict[int, torch.Tensor] = {}
        self.alive: list[torch.Tensor] = []
        """What ids are known of: an id is only good while its tensor lives."""

    def of(self, tensor: torch.Tensor) -> torch.Tensor:
        """What stands for a tensor that is not on the meta device."""
        found = self.known.get(id(tensor))
        if found is not None:
            return found
        small = tensor.numel() <= LARGEST_CONSTANT and not isinstance(tensor, nn.Parameter)
        return self.add(tensor, _copy(tensor) if small else twin(tensor))

    def add(self, tensor: torch.Tensor, stand_in: torch.Tensor) -> torch.Tensor:
        """Notes what stands for a tensor."""
        self.known[id(tensor)] = stand_in
        self.alive.append(tensor)
        return stand_in

    def overwritten(self, tensor: torch.Tensor) -> torch.Tensor:
        """The stand-in of a constant that an activation was written into: its values, and its views', are gone."""
        storage = self.of(tensor).untyped_storage()._cdata  # noqa: SLF001  the identity of a storage has no other name
        for each in self.alive:
            own = self.known[id(each)]
            if not own.is_meta and own.untyped_storage()._cdata == storage:  # noqa: SLF001  as above
                self.known[id(each)] = twin(own)
        return self.known[id(tensor)]


def twin(tensor: torch.Tensor) -> torch.Tensor:
    """A meta tensor of the same shape, layout and type: a normal one of a normal one, for autograd keeps them apart."""
    with torch.inference_mode(tensor.is_inference()):
        return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode(tensor.is_inference()):
        return tensor.detach().clone()
