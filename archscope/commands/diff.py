"""``archscope diff googlenet_torchvision googlenet``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from archscope import catalog
from archscope.api.differences import diff as differences_of
from archscope.api.differences import graphs_of
from archscope.api.networks import lower
from archscope.commands import Flags, ForceFlag, FormatFlag, OutputFlag, emit, takes_network
from archscope.commands._watching import watched
from archscope.formats import Field, Sheet
from archscope.graph.graph import Graph
from archscope.studies.differing.costs import cost_of
from archscope.studies.differing.difference import Difference

SAME = "written differently; the same numbers come out at this input size"


@takes_network
def diff(
    network: Annotated[
        str, typer.Argument(help="A name, a table file, or a module's address: ./net.py:Net.", metavar="NETWORK")
    ],
    spec: Annotated[str, typer.Argument(help="What it is held against: likewise.", metavar="SPEC")],
    changes: Flags,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on what is only written differently, too.")] = False,
    spec_as_is: Annotated[bool, typer.Option("--spec-as-is", help="Make the changes to NETWORK only.")] = False,
    format_: FormatFlag = None,
    output: OutputFlag = None,
    force: ForceFlag = False,
) -> None:
    """In what a network differs from a spec, in words: aligned along their structure, whatever the layers are called.

    Exit code 1 if anything differs, 0 if nothing does. Changes are made to both, modules aside; a module takes the
    input of the other side if none is given, and its own code is imported and run.

    Examples:

        archscope diff googlenet_torchvision googlenet

        archscope diff "torchvision.models:googlenet(init_weights=False)" googlenet

        archscope diff vgg16 vgg16 --blocks 2,2,2,3,3 --spec-as-is
    """
    given = changes.pop("input", None)
    other = spec if not spec_as_is or catalog.is_module_address(spec) else lower(spec, 2)
    with watched(f"holding {network} against {other}"):
        graphs = graphs_of(network, other, given, changes)
        found = differences_of(*graphs)
    emit(_sheet(graphs, found), format_, output, force=force)
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
    """What both come to, per example and without auxiliary heads."""
    mine, its = (cost_of(graph) for graph in graphs)
    words = [f"{mine.depth} weight layers, spec {its.depth}", f"{mine.params:,} params, spec {its.params:,}"]
    if mine.macs is not None and its.macs is not None:
        words.append(f"{mine.macs:,} MACs, spec {its.macs:,}")
    return "; ".join(words)
