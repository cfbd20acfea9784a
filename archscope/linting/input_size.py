"""An input size that was mistyped, or is another network's: 244 for 224, 224 for 227 or 299."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archscope.core.arithmetic import Shape
from archscope.graph.graph import Graph
from archscope.linting import INFO, WARNING, Found, Subject
from archscope.linting.sources.syntax import Script
from archscope.ops.fc import FC

LEVEL = WARNING
SOURCE = (
    "udacity/deep-learning PR #49 and ylhz/tf_to_pytorch_model#11 (244); cs231n.github.io#9 (227); "
    "n3011/Inception_v3_GoogLeNet#7 (299); forresti/SqueezeNet#6"
)

_TRANSFORMS = frozenset({
    "Resize", "CenterCrop", "RandomCrop", "RandomResizedCrop", "resize", "center_crop", "Scale", "RandomSizedCrop",
})  # fmt: skip


def examine(subject: Subject) -> Iterator[Found]:
    """244 in the network's input or in a transform, and inputs that are not the paper's."""
    if subject.script is not None:
        yield from _in_script(subject.script)
    if subject.graph is None:
        return
    size = _input(subject.graph)[1:]
    if 244 in size:
        yield _mistyped("the input is " + "×".join(map(str, size)))
    elif subject.known is not None and size != _input(subject.known)[1:]:
        yield from _not_the_papers(subject.graph, subject.known)


def _input(graph: Graph) -> Shape:
    return graph.tensors[graph.inputs[0]].shape[1:]


def _mistyped(what: str) -> Found:
    return Found(
        f"{what}: typed for 224?",
        "nothing fails, VGG ends in 7×7 for any size from 224 to 255: but VGG-16 takes 18.10 G MACs per image, not "
        "15.47 G, and pretrained weights have seen 224",
        "224",
    )


def _not_the_papers(graph: Graph, known: Graph) -> Iterator[Found]:
    (_, *mine), (_, *its) = _input(graph), _input(known)
    sizes = [_first_fc(each) for each in (graph, known)]
    fails = (
        f"; the first FC layer then sees {sizes[0]:,} numbers, and {sizes[1]:,} in the paper"
        if len(set(sizes)) > 1
        else ""
    )
    yield Found(
        f"the input is {'×'.join(map(str, mine))}, the paper's {'×'.join(map(str, its))}",
        f"other sizes on the way, and other numbers in the end{fails}",
        f"--input {'x'.join(map(str, (_input(graph)[0], *its)))}, or say that it is meant",
        level=WARNING if fails else INFO,
    )


def _first_fc(graph: Graph) -> int:
    first = next((node for node in graph.nodes if isinstance(node.op, FC) and not node.side), None)
    return graph.shapes_in(first)[0][-1] if first is not None else 0


def _in_script(script: Script) -> Iterator[Found]:
    for name, call in script.calls():
        if name.rpartition(".")[2] not in _TRANSFORMS:
            continue
        if any(isinstance(node, ast.Constant) and node.value == 244 for each in call.args for node in ast.walk(each)):
            yield _mistyped(ast.unparse(call))._replace(span=script.span(call))
