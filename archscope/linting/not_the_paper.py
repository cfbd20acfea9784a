"""The name is a paper's network, and the network is another one."""

from __future__ import annotations

from collections.abc import Iterator

from archscope import catalog
from archscope.graph.graph import Graph
from archscope.linting import INFO, WARNING, Found, Subject
from archscope.studies.differing.costs import cost_of
from archscope.studies.differing.difference import Difference, differences

LEVEL = WARNING
SOURCE = (
    "pytorch/vision#906, #1171, #1927 (GoogLeNet's 5×5), #185 (AlexNet); tensorflow/models#443, #2130; "
    "kuangliu/pytorch-cifar#5; shicai/MobileNet-Caffe#50"
)


def examine(subject: Subject) -> Iterator[Found]:
    """Differences that matter, the input aside; only a remark where the catalogue knows the network by another name."""
    if subject.graph is None or subject.known is None:
        return
    found = _real(subject.differences)
    if not found:
        return
    twin = _twin(subject.graph, subject.known)
    first = "; ".join(str(each) for each in found[:3]) + (" …" if len(found) > 3 else "")
    yield Found(
        f"{len(found)} difference{'s' * (len(found) != 1)} from {subject.known.name}: {first}"
        + (f": it is {twin}" if twin else ""),
        _why(subject.graph, subject.known),
        f"archscope diff {subject.name} {subject.known.name} lists all" + (f"; call it {twin}" if twin else ""),
        level=INFO if twin else WARNING,
    )


def _real(found: tuple[Difference, ...]) -> list[Difference]:
    return [each for each in found if each.matters and each.aspect != "input"]


def _twin(graph: Graph, known: Graph) -> str:
    """The network of the catalogue that this one is, among relatives by name; empty where there is none."""
    classes = known.tensors[known.outputs[0].tensor].shape[-1]
    family = known.name.partition("_")[0].rstrip("0123456789")
    for name, entry in catalog.everything().items():
        if name == known.name or not name.startswith(family):
            continue
        if not _real(differences(graph, catalog.with_classes(entry, classes))):
            return name
    return ""


def _why(graph: Graph, known: Graph) -> str:
    mine, its = cost_of(graph), cost_of(known)
    if (mine.params, mine.macs) == (its.params, its.macs):
        return "neither params nor MACs show it, and accuracies that are published for one do not hold for the other"
    words = f"{mine.params:,} params instead of {its.params:,}"
    words += f", {mine.macs:,} MACs instead of {its.macs:,}" if mine.macs is not None and its.macs is not None else ""
    return f"{words}: what is published for one does not hold for the other"
