"""What is likely a mistake, in a network or in a training script. One rule per file; the folder is the register.

A module here defines ``LEVEL`` (``error``, ``warning`` or ``info``), ``SOURCE`` (where the mistake was seen) and
``examine(subject) -> findings``. It looks at the subject's graph, at its script, or at both; what is not there is None,
and nothing is to be said about it. The file ``softmax_before_loss.py`` is the rule ``softmax-before-loss``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol

from archscope.core.arithmetic import Shape
from archscope.core.errors import Problem, UnknownName, nearest
from archscope.core.showing import shown_as_html
from archscope.core.source import Span
from archscope.graph.graph import Graph
from archscope.linting.sources.syntax import Script
from archscope.studies.differing.difference import Difference, differences

ERROR, WARNING, INFO = LEVELS = ("error", "warning", "info")

Again = Callable[[int, Shape | None], Graph]
"""The same network for another batch or another input shape, in train mode. Raises ArchscopeError where it fails."""


class Subject:
    """What rules look at.

    name: of the network, or the file. graph: in train mode, at its own input. script: the file it stands in, or the
    training script. known: the network that its name promises. again: makes its graph anew; None where a table fits
    every layer to its input, so that nothing can be hard-coded.
    """

    def __init__(
        self,
        name: str,
        graph: Graph | None = None,
        script: Script | None = None,
        known: Graph | None = None,
        again: Again | None = None,
    ) -> None:
        self.name, self.graph, self.script, self.known, self.again = name, graph, script, known, again

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """In what the network differs from the one that its name promises; nothing where it promises none."""
        if self.graph is None or self.known is None:
            return ()
        return differences(self.graph, self.known)


class Found(NamedTuple):
    """What a rule has found: what it is, why it matters (with the number that proves it), and how to mend it.

    place: the layer, by its path. span: the line. level: where it is not the rule's own.
    """

    what: str
    why: str
    mend: str
    place: str = ""
    span: Span | None = None
    level: str = ""


class Finding(NamedTuple):
    """A mistake, or what is likely one.

    id: the rule. subject: the network or the file. place: ``net.py:34``, a layer, or both. source: who met it.
    """

    id: str
    subject: str
    level: str
    place: str
    what: str
    why: str
    mend: str
    source: str
    span: Span | None = None

    def _repr_html_(self) -> str:
        return shown_as_html(self)


class Rule(Protocol):
    """What a module of this folder looks like."""

    LEVEL: str
    SOURCE: str

    def examine(self, subject: Subject) -> Iterable[Found]:
        """What is wrong with the subject."""


def named() -> list[str]:
    """The rules, by id."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(path.stem.replace("_", "-") for path in files if path.stem != "__init__")


def find(rule: str) -> Rule:
    """The rule of that id. Raises UnknownName."""
    if rule not in named():
        helps = nearest(rule, named())
        raise UnknownName(Problem("unknown-rule", f"no rule is called {rule!r}", None, ", ".join(named()), helps))
    module: Rule = import_module(f"archscope.linting.{rule.replace('-', '_')}")
    return module


def findings(subject: Subject, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> tuple[Finding, ...]:
    """What the rules find, errors first. select: only these rules, all where empty; ignore: not these.

    Raises UnknownName for a rule that there is not.
    """
    for rule in (*select, *ignore):
        find(rule)
    chosen = [rule for rule in (select or named()) if rule not in ignore]
    found = [finding for rule in chosen for finding in _examined(rule, subject)]
    return tuple(sorted(found, key=lambda finding: (LEVELS.index(finding.level), _position(finding))))


def _examined(name: str, subject: Subject) -> Iterator[Finding]:
    rule = find(name)
    for found in rule.examine(subject):
        level = found.level or rule.LEVEL
        told = (_place(found), found.what, found.why, found.mend)
        yield Finding(name, subject.name, level, *told, rule.SOURCE, found.span)


def _place(found: Found) -> str:
    if found.span is None:
        return found.place
    line = f"{found.span.source.name}:{found.span.line}"
    return f"{line} {found.place}" if found.place else line


def _position(finding: Finding) -> tuple[int, str]:
    return (finding.span.line if finding.span is not None else 0), finding.id
