"""Parts of a data set: stratified and seeded, so that every class is in both in its own proportion."""

from __future__ import annotations

from collections.abc import Sequence

from archscope.training.sampling import stream


def stratified(labels: Sequence[int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Indices of the larger part and of ``share`` of every class, each in ascending order.

    A class of two examples or more is in both parts; the only example of a class stays in the first.
    """
    import torch

    held: set[int] = set()
    of_class: dict[int, list[int]] = {}
    for index, label in enumerate(labels):
        of_class.setdefault(label, []).append(index)
    generator = stream("split", seed)
    for label in sorted(of_class):
        members = of_class[label]
        count = min(max(1, round(share * len(members))), len(members) - 1)
        shuffled = torch.randperm(len(members), generator=generator).tolist()
        held.update(members[at] for at in shuffled[:count])
    return [index for index in range(len(labels)) if index not in held], sorted(held)
