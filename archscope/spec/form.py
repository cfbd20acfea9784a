"""The form of a table file: every key that it may hold, of which type, and what it means.

A key that is not here is an error, not ignored. ``archscope keys`` prints what stands here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archscope.core.errors import Problem, nearest
from archscope.core.source import Source
from archscope.spec.checks import missing_keys
from archscope.spec.places import exact_span, inline_span


class Entry(NamedTuple):
    """A key: the type of its value, and what it means.

    type: a class; a list of one, for a list; a tuple of alternatives; a mapping of keys to entries, for a section; a
    list of such a mapping, for sections in double brackets.
    """

    type: Any
    means: str


Form = Mapping[str, Entry]
"""Keys and their entries; ``*`` is any key."""

_COLUMN: Form = {
    "cell": Entry(str, "how its cells are taken apart: '{h}×{w}×{out}' names three numbers"),
    "next": Entry(str, "what a row takes from the next row's cell, whose input is its output"),
    "published": Entry(str, "the quantity that it prints, for check: output, params, macs, depth …"),
    "K": Entry(int, "what a K in its cells stands for, where it is not 1000"),
}

_BLOCK: Form = {
    "row": Entry(str, "the label of the rows that it is for: 'inception ({module})'"),
    "cell": Entry(str, "the cell that it is for: '[{body}] × {n}'"),
    "filled": Entry([str], "heads whose cells must be filled for it to be for a row"),
    "where": Entry(dict, "values that placeholders must have for it to be for a row"),
    "name": Entry(str, "how cells and other blocks refer to it"),
    "kind": Entry(str, "what its class is called, where neither name nor row says it"),
    "layers": Entry(list, "what it is made of, one after another: cells, names of blocks, blocks"),
    "branches": Entry(list, "what it is made of, side by side; an empty branch is the input itself"),
    "join": Entry(str, "what makes one tensor of the branches: concat (without it), add, mul"),
    "connections": Entry(str, "a grid of X: the input maps (rows) that each output map (columns) sees"),
    "repeat": Entry((str, int), "how often: '{n}'; {turn} counts, {block} of {blocks} over all rows"),
    "first": Entry(dict, "values that placeholders have the first time, 1 later: { stride = '2' }"),
    "takes": Entry(str, "which layer gets the values of 'first': a template; the others get 1"),
    "skip": Entry(str, "a way around it, and what joins both: add"),
    "project": Entry(str, "when that way has its projection: when shapes differ, always, never"),
    "projection": Entry(list, "its layers where it is no identity; {out}: what the main way puts out"),
    "joined": Entry(list, "what the main way passes where there is a sum: stochastic depth"),
    "main": Entry(str, "the name of the main way's module"),
    "shortcut": Entry(str, "the name of the other way's module"),
    "dense": Entry(bool, "each of its layers sees the outputs of all layers before it, concatenated"),
    "follows": Entry([str], "what follows each of its layers, instead of what is implied"),
    "last": Entry([str], "what follows its last layer with weights, instead of what is implied"),
    "after": Entry(list, "layers behind it, and behind the sum of a skip"),
    "module": Entry(bool, "whether its parts are a module of their own"),
    "numbered": Entry(bool, "whether the parts of that module are called 0, 1, 2"),
    "continues": Entry(bool, "the row goes on within the block of the row above"),
    "shrinks": Entry(bool, "false keeps its layers as wide as they are at any width below 1"),
}

_NETWORK: Form = {
    "column": Entry(str, "the head of its column in the grid"),
    "aliases": Entry([str], "other names that it is found by"),
    "values": Entry({"*": Entry(str, "the text that this placeholder has for this network")}, "values of placeholders"),
    "input": Entry([int], "its input, where it is not the file's"),
    "after": Entry(dict, "layers that it has besides, by what they follow: { conv3 = ['LRN'] }"),
    "bn": Entry(str, "batch norm, as --bn takes it: none, conv, relu, conv+fc, relu+fc"),
    "note": Entry(str, "what makes it differ from the others"),
    "headless": Entry(bool, "it ends without a classifier"),
    "blocks": Entry([int], "how often each block is repeated, in order, where not as printed"),
    "round_to": Entry(int, "what channels are rounded to multiples of, at another width"),
    "torchvision": Entry(str, "torchvision's constructor of the same network, which check holds it against"),
    "transform_input": Entry(bool, "torchvision's weights for it want torchvision's input transform"),
    "changes": Entry([str], "how it differs from what the paper prints, in words"),
}

FORM: Form = {
    "title": Entry(str, "the paper's title"),
    "authors": Entry(str, "its authors"),
    "year": Entry(int, "its year"),
    "arxiv": Entry(str, "its number on arXiv"),
    "doi": Entry(str, "its DOI"),
    "url": Entry(str, "where it is, without either"),
    "table": Entry(str, "which table of it this is: Table 1"),
    "note": Entry(str, "what else a reader of the numbers must know"),
    "input": Entry([int], "one example: [channels, height, width], or [features]"),
    "grid": Entry(str, "the table as printed, in a text in three single quotes: | cell | cell |"),
    "turned": Entry(bool, "the grid is printed on its side: its columns are the layers"),
    "columns": Entry(
        {"*": Entry((str, _COLUMN), "label, field, a template that takes its cells apart, or keys")},
        "what a column holds; one that is not described is a network",
    ),
    "rows": Entry(
        {"*": Entry(str, "published, published: QUANTITY, or repeated, for '{times}× {label}'")},
        "rows, by their label, that are no layers or are repeated",
    ),
    "notation": Entry(
        {"*": Entry((str, list, dict), "what a cell of this form stands for: a cell, cells, a block")},
        "how this paper spells its cells",
    ),
    "blocks": Entry([_BLOCK], "what a row, a cell or a name stands for that is more than a layer"),
    "implied": Entry(
        {
            "*": Entry(
                ([str], {"*": Entry(str, "a layer of the module that takes its place; {cell} is the layer itself")}),
                "what follows each layer of this op, or of 'classifier', the last one",
            )
        },
        "what the paper's text says once of all hidden layers",
    ),
    "names": Entry(
        {"*": Entry(str, "a pattern: {stage}, {i} within it, {layer}, {n} of this op, {of} which")},
        "how layers are called, by op, and rows, by label",
    ),
    "sections": Entry(
        {
            "*": Entry(
                (str, {"first": Entry(str, "its first cell"), "named": Entry(bool, "its parts keep their names")}),
                "the cell that it begins with; '' ends it",
            )
        },
        "how modules are grouped: features, classifier",
    ),
    "networks": Entry({"*": Entry((str, _NETWORK), "its column, or keys")}, "the networks of the grid by name"),
    "side_branches": Entry(
        [
            {
                "name": Entry(str, "its name"),
                "after": Entry(str, "the layer or block whose output it starts from"),
                "loss_weight": Entry(float, "what its loss is weighted by"),
                "layers": Entry(list, "what it is made of"),
            }
        ],
        "auxiliary heads, which run while training",
    ),
    "published": Entry(
        [
            {
                "source": Entry(str, "who prints the numbers, and where"),
                "url": Entry(str, "where that is"),
                "network": Entry(str, "the network that they are about"),
                "totals": Entry(dict, "numbers of whole networks by quantity: { params = '138M' }"),
                "grid": Entry(str, "a table of numbers, as printed"),
                "columns": Entry(dict, "its heads, and the quantity below each, or its networks"),
                "rows": Entry(dict, "its labels and the network, with options, or the quantity of each"),
                "label": Entry(str, "the head of the labels, where they are not in the first column"),
                "unit": Entry(str, "the unit of cells that print none: M, G, MB, %"),
                "K": Entry(int, "what a K stands for, where it is not 1000"),
                "digits": Entry(int, "how many digits the source gives, where it fills up with zeros"),
                "note": Entry(str, "what it says, quoted"),
            }
        ],
        "other figures of the paper, and other sources' about its networks",
    ),
    "errata": Entry(
        [
            {
                "row": Entry(str, "the row, by the text of any of its cells; TOTAL for a whole network"),
                "column": Entry(str, "its column; the quantity for TOTAL"),
                "printed": Entry(str, "what is wrong, as printed"),
                "instead": Entry(str, "what the network needs there, where it is made of the cell"),
                "says": Entry(str, "what is right, with the number"),
                "cause": Entry(str, "how the slip can be explained"),
                "source": Entry(str, "how it is known"),
                "published": Entry(str, "the source, where the cell is not in this file's grid"),
            }
        ],
        "what arithmetic refutes in print",
    ),
}


def form_problems(source: Source, data: Mapping[str, Any], form: Form = FORM, section: str = "") -> Iterator[Problem]:
    """A problem, at its place, for each key that is not of the form, whose type is another, or that is missing."""
    yield from missing_keys(source, section, data)
    for key, value in data.items():
        entry = form.get(key, form.get("*"))
        if entry is None:
            span = exact_span(source, section, key) or inline_span(source, section, key)
            yield Problem("unknown-key", f"{key!r} means nothing here", span, ", ".join(form), nearest(key, form))
        else:
            yield from _value_problems(source, section, key, value, entry.type)


def _value_problems(source: Source, section: str, key: str, value: Any, wanted: Any) -> Iterator[Problem]:
    within = f"{section}.{key}" if section else key
    if isinstance(wanted, tuple) and isinstance(value, dict):
        wanted = next((each for each in wanted if isinstance(each, Mapping)), wanted)
    if isinstance(wanted, Mapping) and isinstance(value, dict):
        yield from form_problems(source, value, wanted, within)
    elif _is_of_tables(wanted) and isinstance(value, list) and all(isinstance(each, dict) for each in value):
        for number, each in enumerate(value):
            yield from form_problems(source, each, wanted[0], f"{within}[{number}]")
    elif not _is(value, wanted):
        span = exact_span(source, section, key) or inline_span(source, section, key)
        message = f"{key!r} is {type_words(type(value))}, and must be {type_words(wanted)}"
        yield Problem("wrong-type", message, span)


def _is(value: Any, wanted: Any) -> bool:
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(wanted, Mapping) or _is_of_tables(wanted):
        return False
    if isinstance(wanted, tuple):
        return any(_is(value, each) for each in wanted)
    if isinstance(wanted, list):
        return isinstance(value, list) and all(_is(each, wanted[0]) for each in value)
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))


def type_words(wanted: Any) -> str:
    """The type of an entry in words: ``a list of strings``."""
    if isinstance(wanted, Mapping) or wanted is dict:
        return "a table"
    if isinstance(wanted, tuple):
        return " or ".join(type_words(each) for each in wanted)
    if isinstance(wanted, list):
        return f"a list of {'tables' if _is_of_tables(wanted) else {str: 'strings', int: 'whole numbers'}[wanted[0]]}"
    words = {str: "a string", int: "a whole number", float: "a number", list: "a list", bool: "true or false"}
    return words.get(wanted, "a value of another kind")


def _is_of_tables(wanted: Any) -> bool:
    return isinstance(wanted, list) and isinstance(wanted[0], Mapping)
