"""A copy of a module on the meta device, for tools that change what they look at; the original is not touched."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from archscope.capturing.modules import Survey
from archscope.capturing.standins import twin


def without_weights(module: nn.Module) -> nn.Module:
    """The same modules with meta tensors for parameters and buffers, tied ones still tied; nothing is allocated.

    Tensors that are plain attributes are copied, and so are whatever else the modules hold.
    """
    survey = Survey(module)
    known: dict[int, Any] = {
        key: nn.Parameter(twin(parameter), requires_grad=parameter.requires_grad)
        for key, (_, parameter) in survey.parameters.items()
    }
    with torch.no_grad():
        known |= {key: twin(buffer) for key, (_, buffer) in survey.buffers.items()}
    return copy.deepcopy(module, known)
