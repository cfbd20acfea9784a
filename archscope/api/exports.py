"""``export``: a network as a text that others read: a Python module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from archscope.api.modules import is_module
from archscope.api.networks import Network, load
from archscope.core.errors import Problem, Unsupported, UsageError
from archscope.graph.lowering import lower
from archscope.spec.options import Changes

if TYPE_CHECKING:
    from archscope.spec.network import Spec

TARGETS = {"python": ".py"}
"""What a network can be exported to, and how such a file's name ends."""


def export(network: Network, to: str = "python", **changes: Unpack[Changes]) -> str:
    """A network of a table as text.

    to: ``python``, a module file that imports only torch: a class per kind of block, state-dict keys and outputs as
    those of :func:`archscope.build`, output shapes and params as comments.

    Raises UsageError for another target, Unsupported for a module and for an op that the target cannot express, and
    what load raises.
    """
    if to not in TARGETS:
        raise UsageError(Problem("bad-value", f"to is {to!r}", expected=", ".join(TARGETS)))
    if is_module(network):
        name = network if isinstance(network, str) else type(network).__name__
        raise Unsupported(Problem("no-table", f"{name} is a module, and export writes networks of tables"))
    spec = load(network, **changes)
    from archscope.core.version import __version__
    from archscope.targets.python_source import python_source

    return python_source(lower(spec), origin(spec), __version__)


def origin(spec: Spec) -> str:
    """Where a network comes from: the paper with its table, and the file."""
    column = f", column {spec.column}" if spec.column else ""
    return f"{spec.paper} ({spec.table}{column})" if spec.paper else spec.table
