"""What printed cells say of one another: sums, params × places, and from which row on sizes part from the printed ones.

These rules find which cells cannot be right together; which of them is wrong, a recount says (``studies/counting.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from archscope.core.arithmetic import product
from archscope.core.source import Span
from archscope.spec.claims import TOTAL, Claim
from archscope.studies.agreement import SHARE, SIZES, Convention, agrees, size_text
from archscope.studies.counting import Counts

if TYPE_CHECKING:
    from fractions import Fraction

CountsOf = Callable[[Claim], Counts]

ADDED_UP = ("params", "weights", "macs", "activations", "neurons", "connections")
"""Quantities whose total is the sum over the rows of a column."""


class Clash(NamedTuple):
    """Cells that cannot all be right.

    cells: those claims. what: which rule, and where. claimed, computed: both sides. why: the arithmetic. span: where it
    shows; the place of the first cell for None.
    """

    cells: tuple[Claim, ...]
    what: str
    claimed: str
    computed: str
    why: str
    span: Span | None = None


def sums(columns: Sequence[Sequence[Claim]], counts_of: CountsOf, conventions: Sequence[Convention]) -> Iterator[Clash]:
    """Columns that do not add up: shares of all layers to 100 %, rows to the total that the same source prints."""
    totals = {(c.network, c.source, c.quantity): c for claims in columns for c in claims if c.row == TOTAL}
    for claims, convention in zip(columns, conventions, strict=True):
        first = claims[0]
        rows = [
            claim for claim in claims if claim.row != TOTAL and claim.network == first.network and not claim.changes
        ]
        if len(rows) < 2 or rows[0].quantity in SIZES:
            continue
        total = totals.get((first.network, first.source, first.quantity))
        if first.quantity.endswith(SHARE) and _covers(rows, counts_of(first)):
            yield from _off(rows, "100%", (100, 100), rows[-1], Convention())
        elif total is not None and first.quantity in ADDED_UP:
            printed = total.printed()
            yield from _off(rows, total.text, printed.bounds(convention.thousand, total.significant), total, convention)


def _off(
    rows: Sequence[Claim],
    claimed: str,
    wanted: tuple[Fraction | int, Fraction | int],
    where: Claim,
    convention: Convention,
) -> Iterator[Clash]:
    """The clash of rows whose sum, however they are rounded, is not within the bounds."""
    bounds = [claim.printed().bounds(convention.thousand, claim.significant) for claim in rows]
    low, high = sum(each[0] for each in bounds), sum(each[1] for each in bounds)
    if high < wanted[0] or low > wanted[1]:
        added = sum(claim.printed().value(convention.thousand) for claim in rows)
        text = f"{added:.2f}%" if claimed == "100%" else f"{added:,.0f}"
        what = f"sum of {where.quantity}" + (f" ({where.source})" if where.source else "")
        yield Clash((*rows, where), what, claimed, text, f"the {len(rows)} cells add up to {text}", where.span)


def _covers(rows: Sequence[Claim], counts: Counts) -> bool:
    """Whether rows are about all layers that have weights."""
    lines = {line for claim in rows for line in claim.lines or ()}
    return all(node.span is not None and node.span.line in lines for node in counts.nodes(None) if node.op.weight_layer)


def places(
    columns: Sequence[Sequence[Claim]], counts_of: CountsOf, conventions: Sequence[Convention]
) -> Iterator[Clash]:
    """Rows whose params, each used once at every place of their output, are not the MACs printed beside them."""
    macs: Mapping[tuple[object, ...], Claim] = {
        (c.network, c.lines): c for claims in columns for c in claims if c.quantity == "macs" and c.lines
    }
    for claims, convention in zip(columns, conventions, strict=True):
        for params in claims:
            beside = macs.get((params.network, params.lines))
            if params.quantity == "params" and params.lines and beside is not None:
                yield from _misplaced(params, beside, counts_of(params), convention)


def _misplaced(params: Claim, macs: Claim, counts: Counts, convention: Convention) -> Iterator[Clash]:
    nodes = [node for node in counts.nodes(params.lines) if node.op.weight_layer]
    at = {product(counts.graph.shape_out(node)[2:]) for node in nodes}
    if len(at) != 1:
        return
    (positions,) = at
    everything, weights = counts.of("params", params.lines)[0], counts.of("weights", params.lines, batch_norm=False)[0]
    low, high = params.printed().bounds(convention.thousand, params.significant)
    least, most = macs.printed().bounds(1000, macs.significant)
    if (low - (everything - weights)) * positions > most or high * positions < least:
        worth = params.printed().value(convention.thousand) * positions
        why = f"{params.text} at {positions:,} places are {worth / 1e6:,.1f}M, and {macs.text} is printed"
        yield Clash((params, macs), f"params × places of {params.row}", params.text, macs.text, why)


def first_step_off(claims: Sequence[Claim], counts: Counts) -> Clash | None:
    """The row from which on a network's sizes part from the printed ones, in the order that it runs in.

    A printed input that is not there is the doing of the row before it.
    """
    order = {node.span.line: at for at, node in reversed(list(enumerate(counts.nodes(None)))) if node.span is not None}
    sizes = [claim for claim in claims if claim.quantity in SIZES and claim.lines and claim.lines[0] in order]
    for claim in sorted(sizes, key=lambda each: order[each.lines[0]] if each.lines else 0):
        shape = counts.shape(claim.lines, claim.quantity)
        if shape is None or agrees(claim, counts, Convention()) or claim.lines is None:
            continue
        first = order[claim.lines[0]]
        before = counts.nodes(None)[first - 1] if claim.quantity == "input" and first else None
        span = claim.span if before is None else before.span
        why = f"the row gives {size_text(shape)}, where {claim.text} is printed"
        return Clash((claim,), f"{claim.quantity} of {claim.row}", claim.text, size_text(shape), why, span)
    return None
