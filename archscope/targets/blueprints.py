"""The classes of a source file: which pieces are uses of one class, and what each of them hands its constructor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from archscope.targets.forward import literal
from archscope.targets.pieces import USUAL, Piece, pieces_in

_MISSING = object()
_IN = ("in_channels", "num_features", "in_features")


@dataclass(slots=True, eq=False)
class Argument:
    """What a constructor takes: its name, its default if it has one, and its value in every use."""

    name: str
    values: list[Any]
    default: Any = _MISSING

    @property
    def has_default(self) -> bool:
        """Whether a use may leave it out."""
        return self.default is not _MISSING

    @property
    def annotation(self) -> str:
        """Its type."""
        kinds = {"tuple[int, int]" if isinstance(each, tuple) else type(each).__name__ for each in self.values}
        if self.has_default and self.default is not None:
            kinds.add(type(self.default).__name__)
        return " | ".join(sorted(kinds))


@dataclass(slots=True, eq=False)
class Blueprint:
    """A class of the file. uses: its pieces. arguments: of its constructor. written: per value within, its source."""

    name: str
    uses: list[Piece]
    arguments: list[Argument] = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    def given(self, piece: Piece) -> list[tuple[str, Any]]:
        """What a use hands the constructor."""
        at = next(number for number, use in enumerate(self.uses) if use is piece)
        return [(argument.name, argument.values[at]) for argument in self.arguments]


@dataclass(slots=True)
class _Slot:
    """A value within a class. place: the attribute that it belongs to. name: of the argument."""

    place: str
    name: str
    values: list[Any]
    default: Any = _MISSING


def blueprints(root: Piece) -> dict[Any, Blueprint]:
    """The classes by their pieces' key, in the order in which a file defines them."""
    found: dict[Any, Blueprint] = {}
    for piece in pieces_in(root):
        found.setdefault(piece.key, Blueprint("", [])).uses.append(piece)
    for key, name in _class_names(found, root).items():
        found[key].name = name
    for blueprint in found.values():
        _settle(blueprint, found)
    return found


def slots_of(piece: Piece, known: dict[Any, Blueprint], place: str = "") -> Iterator[tuple[str, str, Any, Any]]:
    """The values of a piece and within it, in the order in which it is written: place, name, value, default."""
    for name, value in piece.values.items():
        yield place, name, value, _MISSING
    for attribute, child in piece.children:
        inner = f"{place}_{attribute}" if place else attribute
        if child.plain:
            yield from slots_of(child, known, inner)
        elif child.has_class:
            blueprint = known[child.key]
            defaults = {argument.name: argument.default for argument in blueprint.arguments}
            for name, value in blueprint.given(child):
                yield inner, name, value, defaults[name]
        else:
            usual = USUAL.get(child.made, {})
            for name, value in child.values.items():
                yield inner, name, value, usual.get(name, _MISSING)


def _settle(blueprint: Blueprint, known: dict[Any, Blueprint]) -> None:
    """Finds the constructor's arguments: values that differ between uses and do not follow from each other."""
    tables = [list(slots_of(use, known)) for use in blueprint.uses]
    slots = [_Slot(rows[0][0], rows[0][1], [row[2] for row in rows], rows[0][3]) for rows in zip(*tables, strict=True)]
    for slot in slots:
        blueprint.written.append(_written(slot, slots, blueprint))
    blueprint.arguments.sort(key=lambda argument: (argument.has_default, argument.name != "in_channels"))


def _written(slot: _Slot, slots: list[_Slot], blueprint: Blueprint) -> str:
    if all(_same(value, slot.values[0]) for value in slot.values):
        return literal(slot.values[0])
    for argument in blueprint.arguments:
        text = _from(argument, slot.values) or _more(argument, slot)
        if text:
            return text
    name = _argument_name(slot, slots, blueprint)
    blueprint.arguments.append(Argument(name, slot.values, slot.default))
    return name


def _from(argument: Argument, values: list[Any]) -> str:
    """How values follow from an argument's: equal, a multiple or a fraction in every use."""
    if all(map(_same, values, argument.values)):
        return argument.name
    both = [*values, *argument.values]
    if len(set(values)) < 3 or any(type(value) is not int or value <= 0 for value in both):
        return ""
    first, other = values[0], argument.values[0]
    factor = max(first, other) // min(first, other)
    if all(value == factor * its for value, its in zip(values, argument.values, strict=True)):
        return f"{factor} * {argument.name}"
    if all(value * factor == its for value, its in zip(values, argument.values, strict=True)):
        return f"{argument.name} // {factor}"
    return ""


def _more(argument: Argument, slot: _Slot) -> str:
    """Incoming channels that are so many more than the block's own in every use, as in a dense block."""
    if argument.name != "in_channels" or slot.name not in _IN:
        return ""
    more = {value - its for value, its in zip(slot.values, argument.values, strict=True)}
    return f"in_channels + {min(more)}" if len(more) == 1 and min(more) > 0 else ""


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _argument_name(slot: _Slot, slots: list[_Slot], blueprint: Blueprint) -> str:
    """Torch's name where there is one such value, else with the attribute's; the block's own channels come first."""
    taken = {argument.name for argument in blueprint.arguments}
    into = [use.channels[0] for use in blueprint.uses]
    out = [use.channels[1] for use in blueprint.uses]
    if slot.name in _IN and slot.values == into and "in_channels" not in taken:
        return "in_channels"
    if slot.name == "out_channels" and slot.values == out and "out_channels" not in taken:
        return "out_channels"
    alike = [other for other in slots if other.name == slot.name and other.values != slot.values]
    short = "channels" if slot.name in {"out_channels", *_IN} else slot.name
    base = slot.name if not alike and not slot.name.startswith("argument") else f"{slot.place}_{short}".lower()
    base = f"x{base}" if base[0].isdigit() else base
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


def _class_names(found: dict[Any, Blueprint], root: Piece) -> dict[Any, str]:
    """A name for each class: its own, and where several want one, what the others have that the first lacks."""
    names: dict[Any, str] = {root.key: root.made}
    taken = {root.made, f"{root.made}Outputs", "NamedTuple"}
    for key, blueprint in sorted(found.items(), key=lambda item: -len(item[1].uses)):
        if key in names:
            continue
        first = next((each for each in names if each[0] == key[0] and each is not root.key), None)
        name = _told_apart(blueprint.uses[0], found[first].uses[0]) if first is not None else blueprint.uses[0].made
        base, number = name, 1
        while name in taken:
            number += 1
            name = f"{base}{number}"
        names[key] = name
        taken.add(name)
    return names


def _told_apart(piece: Piece, other: Piece) -> str:
    own = [attribute for attribute, _ in piece.children if attribute not in dict(other.children)]
    if not own or own[0].isdigit() or re.search(r"[0-9]$", own[0]):
        return piece.made
    return f"{piece.made}With{own[0][0].upper()}{own[0][1:]}"
