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
    """A network before its witnesses: its table where it has one, its spec and its graph at batch 1."""

    table: Table | None
    spec: Spec
    graph: Graph


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


def _module(witness: str) -> Any:
    if witness not in named():
        raise unknown_name("witness", witness, named())
    return import_module(f"archscope.evidence.{witness}")


def _always(table: Table, network: str) -> bool:  # noqa: ARG001  the signature of ``concerns``
    return True


def _unavailable(case: Case, witness: str, why: str) -> Finding:
    return Finding(witness, case.spec.name, UNAVAILABLE, "everything", why=why)
