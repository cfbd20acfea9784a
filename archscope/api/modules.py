"""``capture``: the Graph of any ``torch.nn.Module``, given itself, by a factory or by an address."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from archscope import catalog
from archscope.core.errors import Problem, UsageError
from archscope.graph.graph import Graph
from archscope.spec.network import Spec
from archscope.spec.options import Options, options

if TYPE_CHECKING:
    from torch import nn

Module = "nn.Module | Callable[..., nn.Module] | str"
"""What names a module: itself, what makes it when called without arguments, or its address."""


def capture(
    module: Any,
    input: Any = None,  # noqa: A002  as load has it
    *,
    batch: int = 1,
    mode: str = "eval",
    real: bool = False,
    upper_bound: bool = False,
) -> Graph:
    """The Graph of a ``torch.nn.Module``: what one forward does on tensors without storage; nothing is computed.

    module: a module, which stays as it was; what makes one when called without arguments, whose weights are then never
    allocated; or an address, ``torchvision.models:resnet50``, ``timm:convnext_tiny``, ``package.module:Name``,
    ``./net.py:Net(width=64)``: that imports and runs the code that it names.

    input: one example without the batch, ``(3, 224, 224)`` or ``"3x224x224"``; with a type, ``((128,), "int64")`` or
    ``"128:int64"``; several in a list, or by name in a dictionary; tensors, which have their batch; a function that
    makes any of these, or its address. Left out where the module says what it takes. batch: examples at once.
    mode: ``eval`` or ``train``. real: run on real tensors, with weights, for a forward that asks for values.
    upper_bound: take sizes that depend on values to be the largest possible; each such assumption is listed, and totals
    are upper bounds.

    Raises UnknownName for an address that leads nowhere, UsageError for arguments or an input that make no sense,
    Unsupported, naming the module and the line, for a forward that raises or that asks for the values of activations.
    """
    if mode not in {"eval", "train"}:
        raise UsageError(Problem("bad-value", f"mode is {mode!r}", expected="eval, train"))
    from archscope.capturing.examples import example_for
    from archscope.capturing.walk import Manner, walked

    found, name, title = made(module, real=real)
    example = example_for(found, input, title or name)
    return walked(found, example, Manner(mode, real, upper_bound), batch=batch, name=name, title=title)


def made(module: Any, *, real: bool = False) -> tuple[nn.Module, str, str]:
    """The module itself, made where only its factory or its address was given; its name; the address.

    What is made has no weights unless they are to be ``real``.
    """
    from archscope.capturing.loading import made_by, module_at

    if isinstance(module, str):
        return module_at(module, real=real), module.partition(":")[2], module
    if _is_module(module):
        return module, type(module).__name__, ""
    name = getattr(module, "__name__", type(module).__name__)
    return made_by(module, (), {}, name, real=real), name, ""


def is_module(network: object) -> bool:
    """Whether something names a module, and no network of a table."""
    if isinstance(network, str):
        return catalog.is_module_address(network)
    return _is_module(network) or (callable(network) and not isinstance(network, Spec))


def refuse_changes(network: object, changes: dict[str, Any]) -> None:
    """Raises UsageError for changes to a module: they mean something for tables only."""
    usual, chosen = Options(), options(changes)
    for each in fields(Options):
        value = getattr(chosen, each.name)
        if value != getattr(usual, each.name) and value is not False:
            name = network if isinstance(network, str) else type(network).__name__
            message = f"{name} is a module, and {each.name} changes networks of tables only"
            help_line = "give it as an argument of the module's own: ./net.py:Net(width=64)"
            raise UsageError(Problem("no-such-knob", message, help=help_line))


def _is_module(network: object) -> bool:
    """Whether it is a module; where torch was never imported, nothing is."""
    torch: Any = sys.modules.get("torch")
    return torch is not None and isinstance(network, torch.nn.Module)
