"""Pictures that are made up: a pattern per class under noise, in any number of classes; ``fake:100`` has 100."""

from __future__ import annotations

from archscope.core.errors import Problem, UsageError
from archscope.training.data import Request, Stored, parts
from archscope.training.sampling import stream

ARGUMENT = "the number of classes"
MOST_CLASSES = 10_000
SIDE = 32


def splits(request: Request) -> dict[str, Stored]:
    """640 pictures, or four of each class where that is more; a fifth is held out. As many channels as are taken."""
    import torch

    classes = _classes(request.argument)
    labels = torch.arange(max(640, 4 * classes)) % classes
    channels, sides = request.input_shape[0], [min(SIDE, side) for side in request.input_shape[1:]]
    generator = stream("fake", 0)  # the same pictures for every seed of a run
    patterns = torch.rand(classes, channels, *sides, generator=generator)
    noise = torch.rand(len(labels), channels, *sides, generator=generator)
    pictures = ((patterns[labels] + noise) * 127.5).to(torch.uint8)
    whole = Stored(pictures, tuple(labels.tolist()), tuple(f"class {number}" for number in range(classes)))
    return parts(whole, request)


def _classes(argument: str) -> int:
    if not argument:
        return 10
    if not argument.isdecimal() or not 2 <= int(argument[:9]) <= MOST_CLASSES:
        expected = f"a number of classes from 2 to {MOST_CLASSES:,}: fake:100"
        raise UsageError(Problem("bad-value", f"--data is 'fake:{argument}'", expected=expected))
    return int(argument)
