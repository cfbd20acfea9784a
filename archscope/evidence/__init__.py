"""Independent witnesses of a network's numbers, one per file; the file's name is the witness's name.

A module here defines ``NEEDS``, the packages it cannot do without, and ``examine(case) -> findings``. It raises
:class:`Unavailable` where it cannot say anything about a network: that never counts as agreement. It may define
``concerns(table, network) -> bool``, false where it has nothing to say, so that no graph is made for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from archscope.core.errors import ArchscopeError, TableError, unknown_name
from archscope.core.source import Span
from archscope.graph.graph import Graph
from archscope.spec.network import Spec
from archscope.spec.table import Table

AGREES, EXPLAINED, REFUTED, STALE, UNDECIDED, UNAVAILABLE = (
    "agrees",
    "explained",
    "refuted",
    "stale",
    "undecided",
    "unavailable",
)
FAILURES = frozenset({REFUTED, STALE})
"""What makes a check fail: a number refuted without an erratum, and an erratum for a number that agrees."""


class Unavailable(Exception):
    """A witness that cannot testify, and why: not installed, or it fails on this network."""


class Case(NamedTuple):
    """A network before its witnesses, its graph at batch 1: one of a table, with its spec; or a module.

    module: what was captured; it stays as it is. example: what it was captured on. name: of a module, its address.
    """

    table: Table | None
    spec: Spec | None
    graph: Graph
    module: Any = None
    example: Any = None
    address: str = ""

    @property
    def name(self) -> str:
        """What findings call the network."""
        return self.address if self.spec is None else self.spec.name

    def model(self, device: str = "meta") -> Any:
        """The network as a module in eval mode, on meta tensors or on ``cpu`` with arbitrary weights."""
        if self.module is None:
            from archscope.targets.torch_module import module_of

            model = module_of(self.graph, device="meta")
        else:
            from archscope.capturing.copies import without_weights

            model = without_weights(self.module)
        return (model if device == "meta" else model.to_empty(device=device)).eval()

    def inputs(self, device: str = "meta") -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of its forward for one example, by place and by name."""
        import torch

        if self.module is None:
            return (torch.zeros(self.graph.tensors[self.graph.inputs[0]].shape, device=device),), {}
        from archscope.capturing.examples import made_example

        made = made_example(self.example, 1, torch.float32, device)
        return made.args, made.kwargs


class Finding(NamedTuple):
    """One number, as the witness has it and as archscope computes it.

    status: ``agrees``; ``explained``, refuted with an erratum that says why; ``refuted``; ``stale``, an erratum whose
    number agrees; ``undecided``, where archscope does not compute such a quantity; ``unavailable``.
    what: the quantity and where it stands. claimed, computed: as text. why: the convention, the erratum, the reason.
    """

    witness: str
    network: str
    status: str
    what: str
    claimed: str = ""
    computed: str = ""
    why: str = ""
    span: Span | None = None


class Witness(Protocol):
    """What a module of this folder looks like."""

    NEEDS: tuple[str, ...]

    def examine(self, case: Case) -> Iterable[Finding]:
        """What this witness says of the network. Raises Unavailable."""


def named() -> list[str]:
    """The witnesses, by name."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def concerned(witness: str, table: Table, network: str) -> bool:
    """Whether a witness may have something to say of a network of a table. Raises UnknownName for no witness."""
    return bool(getattr(_module(witness), "concerns", _always)(table, network))


def examined(case: Case, witness: str) -> list[Finding]:
    """What the witness says of a network; one ``unavailable`` finding with its reason where it cannot testify.

    Raises UnknownName for a witness that there is not, TableError at a cell that should be a number and is none.
    """
    module = _module(witness)
    missing = [package for package in module.NEEDS if find_spec(package) is None]
    if missing:
        return [_unavailable(case, witness, f"{', '.join(missing)} is not installed")]
    try:
        return list(module.examine(case))
    except Unavailable as reason:
        return [_unavailable(case, witness, str(reason))]
    except TableError:
        raise  # the table is wrong, not the witness
    except ArchscopeError as error:
        return [_unavailable(case, witness, error.problems[0].message)]
    except Exception as error:
        if case.module is None:
            raise
        # Other tools fail on some modules, each in its own way: they then say nothing about the numbers.
        return [_unavailable(case, witness, f"it raised {type(error).__name__}: {str(error).partition(chr(10))[0]}")]


def _module(witness: str) -> Any:
    if witness not in named():
        raise unknown_name("witness", witness, named())
    return import_module(f"archscope.evidence.{witness}")


def _always(table: Table, network: str) -> bool:  # noqa: ARG001  the signature of ``concerns``
    return True


def _unavailable(case: Case, witness: str, why: str) -> Finding:
    return Finding(witness, case.name, UNAVAILABLE, "everything", why=why)
