"""A layer's size fits one input only: another one stops the network, in train mode perhaps in an auxiliary head."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.core.errors import ArchscopeError
from archscope.linting import WARNING, Found, Subject

LEVEL = WARNING
SOURCE = "open-mmlab/mmpretrain#867 (8×131072 and 25088×4096); taspinar/sidl#5; udacity/deep-learning-v2-pytorch#396"


def examine(subject: Subject) -> Iterator[Found]:
    """Networks on images that fail with one that is 32 rows and columns larger."""
    if subject.again is None or subject.graph is None:
        return
    shape = subject.graph.tensors[subject.graph.inputs[0]].shape[1:]
    if len(shape) != 3:
        return
    larger = (shape[0], shape[1] + 32, shape[2] + 32)
    try:
        subject.again(2, larger)
    except ArchscopeError as error:
        yield Found(
            f"it takes {shape[1]}×{shape[2]} and fails with {larger[1]}×{larger[2]}: {error.problems[0].message}",
            "an FC layer is as wide as the map before it: VGG's 7·7·512 = 25,088 are 8·8·512 = 32,768 at 256×256",
            "nn.AdaptiveAvgPool2d in front of the FC layers, or resize every image to the one size",
            span=error.problems[0].span,
        )
