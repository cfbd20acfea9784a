"""1,797 handwritten digits of 8×8 pixels and 17 greys, in scikit-learn: the optical recognition set of UCI."""

from __future__ import annotations

from archscope.training.data import Request, Stored, parts

SIDE = 8


def splits(request: Request) -> dict[str, Stored]:
    """A fifth is held out for validation: 8-bit greys, uint8 [1797, 1, 8, 8]."""
    import torch
    from sklearn.datasets import load_digits

    found = load_digits()
    greys = torch.from_numpy(found.images).mul(255 / 16).round().to(torch.uint8)
    whole = Stored(greys.unsqueeze(1), tuple(found.target.tolist()), tuple(map(str, range(10))))
    return parts(whole, request)
