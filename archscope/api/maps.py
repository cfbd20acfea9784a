"""``feature_maps``: what the layers of a network make of an image; the same for a class, a unit, and pools alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from archscope.analyses.receptive_field import fields
from archscope.api import modules
from archscope.api.asking import Asked, asked_of
from archscope.api.networks import Network, build, load
from archscope.core.errors import Problem, UnknownName, Unsupported, UsageError, nearest
from archscope.graph.graph import Graph
from archscope.graph.lowering import lower
from archscope.spec.network import Spec
from archscope.spec.options import Changes

if TYPE_CHECKING:
    import torch

    from archscope.running.hooked import ClassMap, Maps
    from archscope.running.images import Shown
    from archscope.running.reductions import Reduced


class Subject(NamedTuple):
    """A network and an image as it is shown it. asked: where the network is that of a run."""

    spec: Spec
    graph: Graph
    image: Shown
    asked: Asked | None = None


class UnitField(NamedTuple):
    """What one unit sees: pixels from left and top on, which may lie beyond the border. exact: those, or at most."""

    name: str
    left: int
    top: int
    width: int
    height: int
    exact: bool


def feature_maps(
    network: Network,
    image: str | Path,
    *,
    layers: Sequence[str] = (),
    weights: str = "random",
    download: bool = False,
    **changes: Unpack[Changes],
) -> tuple[Maps, ...]:
    """What layers make of an image: per layer its name and its maps, (channels, height, width).

    image: a file that Pillow reads; it keeps its aspect, and its middle is cut out. layers: names of layers or blocks,
    ``pool1`` or ``inception3a``; the pools for none. weights: ``random`` (torch's own, seed 0), ``torchvision`` from
    torch's cache, the path of a state dict, or the folder of a training run: then network is the run's, without
    changes, since the run's own are applied, and the image is prepared as in its validation. download: may fetch
    torchvision's weights.

    Raises UsageError for layers that there are not or that make no maps and for another network than a run's,
    ArchscopeError for a file that is no image or that cannot be read and for a folder that is no run, Unsupported for
    torchvision's weights that are not there, UnknownName for a file that is not, and what load raises.
    """
    return tuple(maps_in(subject_of(network, image, weights, **changes), layers, weights, download=download))


def maps_in(subject: Subject, layers: Sequence[str], weights: str, *, download: bool = False) -> list[Maps]:
    """What layers make of the image; the pools for none."""
    from archscope.running.hooked import chosen, maps_of, pools

    names = chosen(subject.graph, list(layers) or pools(subject.graph))
    if not names:
        raise UsageError(Problem("no-maps", f"{subject.spec.name} has no pools", help="name layers: --layers conv1"))
    model, example = model_of(subject, weights, download=download)
    return maps_of(model, example, names)


def subject_of(network: Network, image: str | Path, weights: str | None = None, **changes: Unpack[Changes]) -> Subject:
    """A network of a table, and the image in a file at its input's size; with a run's folder, as the run has them."""
    from archscope.running.images import shown

    if modules.is_module(network):
        name = network if isinstance(network, str) else type(network).__name__
        raise Unsupported(Problem("no-table", f"{name} is a module, and activations takes networks of tables"))
    if weights not in {None, "random", "torchvision"}:
        if Path(weights).is_dir():
            asked = asked_of(network, Path(image), Path(weights), changes)
            return Subject(asked.spec, lower(asked.spec), asked.image, asked)
        if not Path(weights).exists():
            expected = "random, torchvision, the path of a state dict, or the folder of a training run"
            raise UnknownName(Problem("unknown-weights", f"weights is {weights!r}", expected=expected))
    spec = load(network, **changes)
    return Subject(spec, lower(spec), shown(Path(image), spec.input_shape))


def model_of(subject: Subject, weights: str, *, download: bool = False) -> tuple[Any, torch.Tensor]:
    """The module with its weights, and the image as a batch of one, as the weights want it."""
    from archscope.running.device import seeded
    from archscope.running.images import normalised
    from archscope.targets.weights import require_cached

    if subject.asked is not None:
        if download:
            raise UsageError(Problem("bad-usage", "a run has its own weights: there is nothing to download"))
        return subject.asked.trained.model, subject.asked.example.clone()
    if weights == "torchvision" and not download:
        require_cached(subject.spec)
    with seeded(0):
        model = build(subject.spec, weights=None if weights == "random" else weights)
    return model.eval(), normalised(subject.image.pixels)


def class_map_of(subject: Subject, weights: str, wanted: str, *, download: bool = False) -> ClassMap:
    """Where the network looks for a class: its number, or ``top`` for the most likely one; of a run also its name."""
    from archscope.running.hooked import class_map

    names = () if subject.asked is None else subject.asked.trained.run.classes
    number = _class_number(wanted, names)
    model, example = model_of(subject, weights, download=download)
    found = class_map(model, example, subject.graph, number)
    return found._replace(name=names[found.number]) if names else found


def _class_number(wanted: str, names: Sequence[str]) -> int | None:
    """The number of a class, None for the most likely one. A class that is called 7 is meant by 7, whatever its number.

    Raises UsageError for what is neither.
    """
    if wanted == "top":
        return None
    if wanted in names:
        return names.index(wanted)
    if wanted.isdecimal():
        return int(wanted)
    expected = "a class of the run by name or number, or top" if names else "the number of a class, or top"
    raise UsageError(Problem("bad-value", f"--class-map is {wanted!r}", None, expected, nearest(wanted, names)))


def pooled_images(subject: Subject, methods: Sequence[str]) -> list[tuple[str, list[Reduced]]]:
    """The image through the pools alone, in grey and in colour; or by other methods, each in colour."""
    from archscope.running.hooked import pools
    from archscope.running.reductions import reduced, steps

    path = steps(subject.graph, pools(subject.graph))
    if not path:
        raise UsageError(Problem("no-pools", f"{subject.spec.name} has no pools that an image could go through"))
    image = subject.image.pixels
    if methods:
        return [(method, reduced(image, path, method)) for method in methods]
    grey = image.mean(0, keepdim=True)
    return [("grey", reduced(grey, path))] + ([("colour", reduced(image, path))] if image.shape[0] == 3 else [])


def unit_field(subject: Subject, unit: str) -> UnitField:
    """What a unit sees of the image; unit: a layer and a place in its map, ``pool3:10,12``, row and column from 0."""
    name, _, place = unit.rpartition(":")
    row, _, column = place.partition(",")
    if not name or not row.strip().isdecimal() or not column.strip().isdecimal():
        expected = "a layer, a row and a column: pool3:10,12"
        raise UsageError(Problem("bad-value", f"--unit is {unit!r}", expected=expected))
    node = next((node for node in subject.graph.nodes if name in {node.name, node.path} and not node.side), None)
    if node is None:
        raise UsageError(Problem("unknown-layer", f"{subject.spec.name} has no layer {name!r}"))
    shape, field = subject.graph.shape_out(node), fields(subject.graph)[node.outputs[0]]
    at = (int(row), int(column))
    if field is None or len(shape) != 4:
        raise UsageError(Problem("no-maps", f"{name} makes no maps whose field is known"))
    if at[0] >= shape[2] or at[1] >= shape[3]:
        message = f"{name} makes maps of {shape[2]}×{shape[3]}, and {at[0]},{at[1]} lies outside"
        raise UsageError(Problem("bad-value", message))
    (top, left) = (reach.start + place * reach.jump for reach, place in zip(field.axes, at, strict=True))
    height, width = (reach.size for reach in field.axes)
    return UnitField(f"{name} ({at[0]}, {at[1]})", left, top, width, height, all(reach.exact for reach in field.axes))
