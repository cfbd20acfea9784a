"""``archscope diff googlenet_torchvision googlenet``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from archscope.api.differences import diff as differences_of
from archscope.api.differences import graph_of
from archscope.api.profiles import profile
from archscope.commands import FormatFlag, OutputFlag, emit, takes_network
from archscope.formats import Field, Sheet
from archscope.graph.graph import Graph
from archscope.spec.options import Changes
from archscope.studies.difference import Difference

SAME = "written differently; the same numbers come out at this input size"


@takes_network
def diff(
    network: Annotated[str, typer.Argument(help="A network: a name or a table file.", metavar="NETWORK")],
    spec: Annotated[str, typer.Argument(help="What it is held against: likewise.", metavar="SPEC")],
    changes: Changes,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on what is only written differently, too.")] = False,
    format_: FormatFlag = None,
    output: OutputFlag = None,
) -> None:
    """In what a network differs from a spec, in words: aligned along their structure, whatever the layers are called.

    Exit code 1 if anything differs, 0 if nothing does. Changes are made to both networks.

    Examples:

        archscope diff googlenet_torchvision googlenet

        archscope diff vgg13 vgg11

        archscope diff resnet50_v1_5 resnet50 --format markdown
    """
    graphs = graph_of(network, changes), graph_of(spec, changes)
    found = differences_of(*graphs)
    emit(_sheet(graphs, found), format_, output)
    if any(each.matters or strict for each in found):
        raise typer.Exit(1)


def _sheet(graphs: Sequence[Graph], found: Sequence[Difference]) -> Sheet:
    """A line per difference: what matters first, then what is only written differently."""
    ordered = sorted(found, key=lambda each: not each.matters)
    real = sum(each.matters for each in found)
    rows = [("differs" if each.matters else SAME, each.where, each.what, len(each.places) or 1) for each in ordered]
    fields = (
        Field("verdict", "verdict", heading=True),
        Field("where", "where", least=12),
        Field("difference", "difference", least=20),
        Field("times", "times", "count", keep=1),
    )
    names = [graph.name for graph in graphs]
    count = f"{real} difference{'s' * (real != 1)}" if real else "no difference"
    title = f"{names[0]}, held against {names[1]} (the spec): {count}"
    headings = {real: SAME} if real < len(found) else {}
    data = {"network": names[0], "spec": names[1], "differences": [each._asdict() for each in ordered]}
    return Sheet("diff", title, fields, tuple(rows), closing=(_totals(graphs),), data=data, headings=headings)


def _totals(graphs: Sequence[Graph]) -> str:
    """What both come to."""
    profiles = [profile(graph, columns=("params", "macs")) for graph in graphs]
    depths = f"{profiles[0].depth} weight layers, spec {profiles[1].depth}"
    params, macs = ([each.totals[name].value for each in profiles] for name in ("params", "macs"))
    return f"{depths}; {params[0]:,} params, spec {params[1]:,}; {macs[0]:,} MACs, spec {macs[1]:,}"
