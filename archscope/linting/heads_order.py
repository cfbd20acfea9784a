"""Outputs in the wrong order: what the caller takes for the classifier is an auxiliary head, or one head the other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from archscope.graph.graph import Graph
from archscope.linting import ERROR, Found, Subject
from archscope.linting.sources.syntax import Script, words_of
from archscope.linting.sources.written_modules import module_classes, returns
from archscope.studies.differing.structure import structure_of

LEVEL = ERROR
SOURCE = "pytorch/vision#8736 and PR #8743, where three orders meet; pytorch/vision#302; pytorch/examples PR #560"


def examine(subject: Subject) -> Iterator[Found]:
    """Graphs whose first output is a head, or whose heads are numbered amiss; scripts that unpack in another order."""
    if subject.graph is not None:
        yield from _in_graph(subject.graph)
    if subject.script is not None:
        yield from _in_script(subject.script)


def _in_graph(graph: Graph) -> Iterator[Found]:
    structure = structure_of(graph)
    position = graph.outputs.index(structure.main)
    if position > 0:
        yield Found(
            f"the first of {len(graph.outputs)} outputs is an auxiliary head, the classifier comes as number "
            f"{position + 1}",
            "output[0], which training loops score, is the head's opinion: the classifier, whose layers end the "
            "network, "
            "gets the head's loss weight",
            "return the classifier first, then the heads: torchvision's order is (logits, aux_logits2, aux_logits1)",
            place=structure.main.name,
        )
    numbered = [
        (number, head.output.name) for head in structure.heads if (number := _number(head.output.name)) is not None
    ]
    if numbered != sorted(numbered):
        names = ", ".join(name for _, name in numbered)
        yield Found(
            f"the heads leave the network in the order {names}",
            "their numbers say the opposite: pytorch/vision returned them so, and each loss went to the other head",
            "number them in the order in which they are attached",
            place=numbered[0][1],
        )


def _number(name: str) -> int | None:
    found = re.search(r"[a-z_](\d+)$", name)  # outputs without a name are called 0, 1 and 2
    return int(found.group(1)) if found else None


def _in_script(script: Script) -> Iterator[Found]:
    """Names that a caller unpacks outputs into, against those that ``forward`` returns, place by place."""
    given = [_texts(node.value) for cls in module_classes(script) for node in returns(script, cls)]
    for scope in script.scopes():
        for node in script.own(scope):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _is_model(node.value.func):
                taken = _texts(node.targets[0])
                for names in [*given, *_torchvisions(script)]:
                    yield from _compared(script, node, taken, names)


def _texts(node: ast.expr | None) -> list[str]:
    return [ast.unparse(each) for each in node.elts] if isinstance(node, ast.Tuple | ast.List) else []


def _is_model(func: ast.expr) -> bool:
    return bool({"model", "net", "network", "googlenet", "inception"} & set(words_of(ast.unparse(func))))


def _torchvisions(script: Script) -> Iterator[list[str]]:
    """What torchvision's GoogLeNet returns in train mode, where a script uses that."""
    if any(name == "torchvision.models.googlenet" for name, _ in script.calls()):
        yield ["logits", "aux2", "aux1"]


def _compared(script: Script, node: ast.Assign, taken: list[str], given: list[str]) -> Iterator[Found]:
    if len(taken) < 2 or len(taken) != len(given):
        return
    mine, its = ([_role(name) for name in names] for names in (taken, given))
    if mine != its and sorted(mine) == sorted(its):
        yield Found(
            f"outputs ({', '.join(given)}) are taken as ({', '.join(taken)})",
            "each loss goes to another output than its name says: with weights 1, 0.3 and 0.3 the classifier may "
            "get 0.3",
            f"{', '.join(taken[mine.index(role)] for role in its)} = …",
            span=script.span(node),
        )


def _role(name: str) -> str:
    """``head 1``, ``head 2`` …, or ``classifier``: what a name says that an output is."""
    words = words_of(name)
    if not {"aux", "auxiliary", "head"} & {word.rstrip("0123456789") for word in words}:
        return "classifier"
    return f"head {next((word for word in words if word.isdigit()), '')}"
