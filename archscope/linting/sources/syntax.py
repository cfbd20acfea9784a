"""What does a file of Python say? Read as syntax, never run: names as they were imported, scopes, what holds what."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from archscope.core.errors import Problem, UnknownName, Unsupported
from archscope.core.python_text import parsed
from archscope.core.source import Source, Span

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef
LOOPS = (ast.For, ast.AsyncFor, ast.While)


@dataclass(frozen=True, eq=False)
class Script:
    """A file of Python as its tree, with what is asked of it again and again worked out once.

    aliases: what each imported name stands for; parents: what each node lies in. Each script equals itself only.
    """

    source: Source
    tree: ast.Module
    aliases: dict[str, str] = field(repr=False)
    parents: dict[ast.AST, ast.AST] = field(repr=False)
    _own: dict[ast.AST, list[ast.AST]] = field(repr=False, default_factory=dict)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes, the outermost first."""
        return list(ast.walk(self.tree))

    @cached_property
    def all_calls(self) -> list[tuple[str, ast.Call]]:
        """All calls with their dotted names."""
        return list(self._calls(self.nodes))

    def own(self, scope: ast.AST) -> list[ast.AST]:
        """The nodes of a scope in the order of the text, functions and classes within it left out."""
        if scope not in self._own:
            self._own[scope] = list(_own_nodes(scope))
        return self._own[scope]

    def name_of(self, node: ast.AST | None) -> str:
        """The dotted name of an expression, imports spelled out: ``F.relu`` is ``torch.nn.functional.relu``.

        Empty for what is no name.
        """
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            before = self.name_of(node.value)
            return f"{before}.{node.attr}" if before else ""
        return ""

    def span(self, node: ast.AST) -> Span:
        """Where a node stands in the file; columns in characters, where ast counts bytes."""
        line = getattr(node, "lineno", 1)
        text = self.source.lines[line - 1].encode()
        start = len(text[: getattr(node, "col_offset", 0)].decode(errors="replace"))
        same = getattr(node, "end_lineno", line) == line
        stop = len(text[: getattr(node, "end_col_offset", 0)].decode(errors="replace")) if same else start + 1
        return Span(self.source, line, start + 1, max(1, stop - start))

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node lies in, the innermost first."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def scope_of(self, node: ast.AST) -> Scope:
        """The function that a node runs in, or the module."""
        return next((each for each in self.around(node) if isinstance(each, Scope)), self.tree)

    def scopes(self) -> list[Scope]:
        """The module and all functions in it."""
        return [self.tree, *(node for node in self.nodes if isinstance(node, Function))]

    def classes(self) -> list[ast.ClassDef]:
        """All classes in it."""
        return [node for node in self.nodes if isinstance(node, ast.ClassDef)]

    def calls(self, within: ast.AST | None = None) -> Iterable[tuple[str, ast.Call]]:
        """All calls with the dotted name of what is called; a method of a result bears its own name only."""
        return self.all_calls if within is None else self._calls(ast.walk(within))

    def _calls(self, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.Call]]:
        for node in nodes:
            if isinstance(node, ast.Call):
                yield self.name_of(node.func) or getattr(node.func, "attr", ""), node


def script_at(path: str) -> Script:
    """The file at ``path``. Raises UnknownName where there is none, Unsupported for what is no Python."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UnknownName(Problem("no-such-file", f"{path!r} cannot be read: {reason}")) from error
    return script_of(Source(path, text))


def script_of(source: Source) -> Script:
    """A text as a script. Raises Unsupported for what is no Python, at the place where that shows."""
    try:
        tree = parsed(source.text)
    except (SyntaxError, ValueError) as error:
        line, column = getattr(error, "lineno", 1) or 1, getattr(error, "offset", 1) or 1
        message = f"this is no Python that can be read: {getattr(error, 'msg', error)}"
        raise Unsupported(Problem("no-python", message, Span(source, line, column))) from error
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    return Script(source, tree, _aliases(tree), parents)


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, Function | ast.ClassDef | ast.Lambda):
            yield child
            yield from _own_nodes(child)


def words_of(name: str) -> list[str]:
    """The words that a name is made of.

    >>> words_of("test_loader"), words_of("valLoader2"), words_of("self.testDataset")
    (['test', 'loader'], ['val', 'loader', '2'], ['self', 'test', 'dataset'])
    """
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def assigned(node: ast.AST) -> list[tuple[ast.expr, ast.expr | None]]:
    """The targets of an assignment, each with its value; None where a value is only unpacked into it."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return [(node.target, node.value)]
    if isinstance(node, ast.NamedExpr):
        return [(node.target, node.value)]
    if not isinstance(node, ast.Assign):
        return []
    found: list[tuple[ast.expr, ast.expr | None]] = []
    for target in node.targets:
        if not isinstance(target, ast.Tuple | ast.List):
            found.append((target, node.value))
        elif isinstance(node.value, ast.Tuple | ast.List) and len(node.value.elts) == len(target.elts):
            found.extend(zip(target.elts, node.value.elts, strict=True))
        else:
            found.extend((each, None) for each in target.elts)
    return found


def keyword_of(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """An argument of a call, by name or by position; None where it is left out."""
    for each in call.keywords:
        if each.arg == name:
            return each.value
    if position is not None and position < len(call.args) and not isinstance(call.args[position], ast.Starred):
        return call.args[position]
    return None


def constant(node: ast.AST | None) -> object:
    """The value of a literal; None for anything else."""
    return node.value if isinstance(node, ast.Constant) else None


def _aliases(tree: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                found[each.asname or each.name.partition(".")[0]] = (
                    each.name if each.asname else each.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names if each.name != "*"}
    return found
