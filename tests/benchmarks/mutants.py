"""The faults that ``mutation.py`` makes: cosmic-ray's, of these kinds, drawn with a seed."""

from __future__ import annotations

import ast
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cosmic_ray.plugins
from cosmic_ray.ast import Visitor, get_ast
from cosmic_ray.mutating import mutate_code

ROOT = Path(__file__).parents[2]
PLACES = ("ops/*.py", "graph/*.py", "analyses/*.py", "studies/profiling.py")
SWAPS = {
    "BinaryOperator": "Add_Sub Sub_Add Mul_Add Mul_FloorDiv FloorDiv_Mul Div_Mul Mod_FloorDiv Pow_Mul BitOr_BitAnd "
    "BitAnd_BitOr",
    "ComparisonOperator": "Eq_NotEq NotEq_Eq Lt_LtE LtE_Lt Gt_GtE GtE_Gt Is_IsNot IsNot_Is",
    "UnaryOperator": "USub_UAdd Delete_Not",
}
OTHERS = (
    "AddNot", "ExceptionReplacer", "NumberReplacer", "RemoveDecorator", "ReplaceAndWithOr", "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue",
    "ZeroIterationForLoop",
)  # fmt: skip


class Mutant(NamedTuple):
    """A fault. operator, occurrence: cosmic-ray's. line, column: where it is."""

    path: str
    line: int
    column: int
    operator: str
    occurrence: int


class _Places(Visitor):  # type: ignore[misc]  # cosmic-ray has no types
    """Where an operator has something to change, in its own order."""

    def __init__(self, operator: object) -> None:
        self.operator, self.found = operator, list[tuple[int, int]]()

    def visit(self, node: object) -> object:
        self.found += [start for start, _ in self.operator.mutation_positions(node)]  # type: ignore[attr-defined]
        return node


def operators() -> list[str]:
    """The names of the operators in use."""
    return [f"core/Replace{kind}_{swap}" for kind, swaps in SWAPS.items() for swap in swaps.split()] + [
        f"core/{name}" for name in OTHERS
    ]


def operator_of(name: str) -> object:
    """One of cosmic-ray's."""
    return cosmic_ray.plugins.get_operator(name)()


def mutants_in(path: Path) -> Iterator[Mutant]:
    """All mutants of a file."""
    tree = get_ast(path.read_text(encoding="utf-8"))
    for name in operators():
        places = _Places(operator_of(name))
        places.walk(tree)
        for number, (line, column) in enumerate(places.found):
            yield Mutant(str(path.relative_to(ROOT)), line, column, name, number)


def sample(count: int, seed: int) -> list[Mutant]:
    """So many mutants, each at a place of its own, spread over the files as their places are."""
    known = defaultdict(list)
    for pattern in PLACES:
        for path in sorted((ROOT / "archscope").glob(pattern)):
            for mutant in mutants_in(path):
                known[mutant.path, mutant.line, mutant.column].append(mutant)
    draw = random.Random(seed)
    places = draw.sample(sorted(known), len(known))
    chosen = (draw.choice(known[place]) for place in places)
    found = [each for each, _ in zip((each for each in chosen if is_seen(each)), range(count), strict=False)]
    print(f"{len(known):,} places to change; {len(found)} mutants drawn with seed {seed}")
    return found


def code_of(mutant: Mutant) -> str:
    """The file with the fault."""
    source = (ROOT / mutant.path).read_text(encoding="utf-8")
    return str(mutate_code(source, operator_of(mutant.operator), mutant.occurrence))


def is_seen(mutant: Mutant) -> bool:
    """Whether the fault is in what runs and could be seen."""
    source = (ROOT / mutant.path).read_text(encoding="utf-8")
    try:
        return _plain(source) != _plain(code_of(mutant))
    except SyntaxError:
        return False


def _plain(source: str) -> str:
    """The syntax without annotations, docstrings, ``strict=`` and caches."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list = [each for each in node.decorator_list if "cache" not in ast.dump(each)]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        if isinstance(node, ast.Call):
            node.keywords = [each for each in node.keywords if each.arg != "strict"]
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
    return ast.dump(tree)


def change_of(mutant: Mutant) -> str:
    """What stands at the place, and what the mutant has instead."""
    before, after = (text.splitlines() for text in ((ROOT / mutant.path).read_text(encoding="utf-8"), code_of(mutant)))
    pairs = [(a, b) for a, b in zip(before, after, strict=False) if a != b]
    return " -> ".join(each.strip() for each in (pairs or [("", "a line less")])[0])
