"""What a trained network says of pictures: a probability per class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from archscope.core.errors import ArchscopeError, Problem
from archscope.running.images import Shown
from archscope.training.objective import MAIN, heads_of
from archscope.training.pictures import read_picture, read_pictures
from archscope.training.preprocessing import Preprocessing, covering, normalised, resized, with_channels

if TYPE_CHECKING:
    import torch
    from torch import nn

AT_ONCE = 64
"""Pictures in one forward."""


class Prediction(NamedTuple):
    """The likeliest classes of a picture, the likeliest first, with their probabilities."""

    image: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]


def prepared(paths: Sequence[Path], how: Preprocessing) -> torch.Tensor:
    """Pictures in files as a network takes them: float32 [n, C, H, W].

    Raises UnreadablePicture, naming those that are none.
    """
    import torch

    return torch.stack(read_pictures(paths, lambda picture: normalised(resized(picture, how), how)))


def seen(path: Path, how: Preprocessing) -> tuple[Shown, torch.Tensor]:
    """A picture in a file as people and as a network see it: what is normalised, and float32 [1, C, H, W].

    Raises UnreadablePicture, naming it.
    """
    picture = read_picture(path)
    ready = resized(picture, how)
    before, after = _size(picture.shape), _size(ready.shape)
    (height, width), (high, wide) = picture.shape[1:], ready.shape[1:]
    aspect = "" if height * wide == width * high else ", without its aspect"
    note = f"was resized to {after}{aspect}" if before != after else "is shown as it is"
    if how.resize == "short":  # its longer side may be a pixel off, which is no other aspect
        whole = _size(covering(with_channels(picture, how.channels), how).shape)
        cut = f"was resized to {whole}, of which the middle {after} was cut out"
        note = cut if whole != after else f"was resized to {after}" if before != after else note
    return Shown(ready.float() / 255, f"{path.name} ({before}) {note}"), normalised(ready, how)[None]


def _size(shape: Sequence[int]) -> str:
    return f"{shape[-1]}×{shape[-2]}"


def probabilities(model: nn.Module, pictures: torch.Tensor, classes: int) -> torch.Tensor:
    """Soft-max of what a model in evaluation returns for float32 [n, C, H, W]: float64 [n, classes], on the CPU.

    Where that is a map of scores, of a network without FC layers, its mean over the places is taken first
    (arXiv:1409.1556, section 3.2). Raises ArchscopeError where it has another number of classes.
    """
    import torch

    device = next((each.device for each in model.parameters()), torch.device("cpu"))
    with torch.inference_mode():
        scores = heads_of(model(pictures.to(device)))[MAIN].double()
    scores = scores.flatten(2).mean(2) if scores.dim() > 2 else scores
    if scores.shape[1] != classes:
        message = f"the network has {scores.shape[1]:,} outputs, and the run {classes:,} classes"
        raise ArchscopeError(Problem("other-classes", message))
    return scores.softmax(1).cpu()


def dense_probabilities(
    model: nn.Module, pictures: Sequence[torch.Tensor], how: Preprocessing, classes: int
) -> torch.Tensor:
    """The same of whole pictures, uint8 [c, h, w] of any sizes, their shorter side at ``how.short_side``."""
    import torch

    found = torch.empty(len(pictures), classes, dtype=torch.float64)
    whole = [covering(with_channels(each, how.channels), how) for each in pictures]
    for shape in sorted({tuple(each.shape) for each in whole}):
        where = [index for index, each in enumerate(whole) if tuple(each.shape) == shape]
        batch = normalised(torch.stack([whole[index] for index in where]), how)
        found[where] = probabilities(model, batch, classes)
    return found


def likeliest(image: str, given: torch.Tensor, classes: Sequence[str], count: int) -> Prediction:
    """The ``count`` likeliest of the probabilities [classes]; of equal ones the first."""
    values, indices = given.sort(descending=True, stable=True)
    chosen = indices[:count].tolist()
    return Prediction(image, tuple(classes[each] for each in chosen), tuple(values[:count].tolist()))
