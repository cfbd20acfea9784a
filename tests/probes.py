"""Small modules on which counters disagree, each with MACs worked out by hand; and ones that no capture can count."""

from __future__ import annotations

import warnings

import torch
from torch import nn
from torch.nn import functional


class OwnWeights(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(8, 3, 3, 3))
        self.matrix = nn.Parameter(torch.randn(10, 8))

    def forward(self, x):
        return functional.linear(functional.conv2d(x, self.kernel, padding=1).mean((2, 3)), self.matrix)


class HandWrittenAttention(nn.Module):
    def __init__(self, dim: int = 16) -> None:
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * dim)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        return (q @ k.transpose(-2, -1)).softmax(-1) @ v


class FusedAttention(nn.Module):
    def __init__(self, dim: int = 16) -> None:
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * dim)

    def forward(self, x):
        return functional.scaled_dot_product_attention(*self.qkv(x).chunk(3, -1))


class SelfAttention(nn.Module):
    def __init__(self, dim: int = 16, heads: int = 4) -> None:
        super().__init__()
        self.mha = nn.MultiheadAttention(dim, heads, batch_first=True)

    def forward(self, x):
        return self.mha(x, x, x, need_weights=False)[0]


class Thrice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 16)

    def forward(self, x):
        return self.fc(self.fc(self.fc(x)))


class ThreeNames(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = self.b = self.c = nn.Linear(16, 16)

    def forward(self, x):
        return self.c(self.b(self.a(x)))


class Recursive(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 16)

    def forward(self, x, depth=3):
        return x if depth == 0 else self(self.fc(x), depth - 1)


class TwoParents(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        conv = nn.Conv2d(3, 8, 3, padding=1)
        self.left, self.right = nn.Sequential(conv), nn.Sequential(conv)

    def forward(self, x):
        return self.left(x) + self.right(x)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(100, 16)
        self.head = nn.Linear(16, 100, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids):
        return self.head(self.embed(ids))


class ByForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 32)

    def forward(self, x):
        return self.fc.forward(x)


class NoParameters(nn.Module):
    def forward(self, x):
        return torch.einsum("bij,bjk->bik", x, x.transpose(1, 2)) @ x


class OwnTranspose(nn.Module):
    def forward(self, x):
        return x @ x.T


class WeightNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.utils.parametrizations.weight_norm(nn.Linear(16, 32))

    def forward(self, x):
        return self.fc(x)


class Scripted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.own = nn.Linear(16, 16)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is deprecated, and still in use
            self.inner = torch.jit.trace(nn.Sequential(nn.Linear(16, 32), nn.ReLU()), torch.zeros(1, 16))

    def forward(self, x):
        return self.inner(self.own(x))


class ConstantBranch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 32)
        self.register_buffer("mask", torch.ones(16))

    def forward(self, x):
        if bool((self.mask > 0).all()) and torch.arange(3).sum().item() == 3:
            return self.fc(x * self.mask)
        return x


class PlainTensor(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 32)
        self.scale = torch.full((16,), 2.0)

    def forward(self, x):
        return self.fc(x * self.scale)


class FilledZeros(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 32)

    def forward(self, x):
        buffer = torch.zeros(x.shape[0], 16)
        buffer[:, :8] = x[:, :8]
        buffer += 1
        return self.fc(buffer)


class Grouped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(8, 8, 4, stride=2, padding=1, groups=4)

    def forward(self, x):
        return self.up(x)


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 16)

    def forward(self, x):
        x = self.fc(x)
        return x if x.sum() > 0 else -x


class Masking(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 16)

    def forward(self, x):
        x = self.fc(x)
        return x[x > 0]


class Reading(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 16)

    def forward(self, x):
        return self.fc(x) * self.fc(x).max().item()


class Bilinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.form = nn.Bilinear(16, 8, 4)

    def forward(self, x):
        return self.form(x, x[:, :8])


L, D, FF = 7, 16, 32
EXACT = {
    "functional with own weights": (OwnWeights(), (3, 8, 8), 8 * 27 * 64 + 80),
    "attention by hand": (HandWrittenAttention(), (L, D), 3 * D * D * L + 2 * L * L * D),
    "fused attention": (FusedAttention(), (L, D), 3 * D * D * L + 2 * L * L * D),
    "nn.MultiheadAttention": (SelfAttention(), (L, D), 4 * D * D * L + 2 * L * L * D),
    "nn.TransformerEncoderLayer": (
        nn.TransformerEncoderLayer(D, 4, FF, batch_first=True), (L, D), 4 * D * D * L + 2 * L * L * D + 2 * L * D * FF,
    ),
    "a module called three times": (Thrice(), (16,), 3 * 256),
    "a module under three names": (ThreeNames(), (16,), 3 * 256),
    "a module that calls itself": (Recursive(), (16,), 3 * 256),
    "a convolution under two parents": (TwoParents(), (3, 8, 8), 2 * 8 * 27 * 64),
    "tied embedding and head": (Tied(), "ids:9:int64", 9 * 1600),
    "a child's forward by name": (ByForward(), (16,), 512),
    "two layers of LSTM": (nn.LSTM(8, 16, 2, batch_first=True), (5, 8), 5 * (64 * 24 + 64 * 32)),
    "LSTM both ways": (nn.LSTM(8, 16, 2, batch_first=True, bidirectional=True), (5, 8), 5 * 2 * (64 * 24 + 64 * 48)),
    "GRU": (nn.GRU(8, 16, batch_first=True), (5, 8), 5 * 48 * 24),
    "transposed convolution in groups": (Grouped(), (8, 5, 5), 8 * 25 * 2 * 16),
    "einsum and matmul": (NoParameters(), (6, 4), 2 * 6 * 6 * 4),
    "a matrix times its transpose": (OwnTranspose(), (6,), 36 // 6),
    "weight norm": (WeightNorm(), (16,), 512),
    "a scripted child": (Scripted(), (16,), 256 + 512),
    "a branch on a constant": (ConstantBranch(), (16,), 512),
    "a plain tensor attribute": (PlainTensor(), (16,), 512),
    "zeros filled with activations": (FilledZeros(), (16,), 512),
    "a linear layer on three axes": (nn.Linear(3, 4), (10, 3), 120),
    "a linear layer used ten times": (nn.Sequential(*[nn.Linear(8, 8)] * 10), (8,), 640),
    "depthwise convolution": (nn.Conv2d(8, 8, 3, padding=1, groups=8), (8, 6, 6), 8 * 9 * 36),
    "convolution that keeps its size": (nn.Conv2d(3, 4, (5, 3), padding="same"), (3, 9, 9), 4 * 45 * 81),
    "convolution in one dimension": (nn.Conv1d(3, 4, 5, stride=2), (3, 20), 4 * 15 * 8),
    "convolution in three": (nn.Conv3d(3, 4, 3, padding=1), (3, 4, 5, 5), 4 * 81 * 100),
    "bilinear form": (Bilinear(), (16,), 4 * 16 * 8 + 4 * 8),
}  # fmt: skip

PARAMS = {"tied embedding and head": 1600, "a module under three names": 272, "a linear layer used ten times": 72}
"""Where counting per use would count too many."""

DEPENDENT = {
    "a branch on an activation": (Branching(), (16,), 256),
    "a mask of an activation": (Masking(), (16,), 256),
    "the value of an activation": (Reading(), (16,), 512),
}
"""Where a forward looks at values: whoever runs it can count it."""

STOPS = {
    "a branch on an activation": (Branching(), "Branching asks for the value of an activation"),
    "a mask of an activation": (Masking(), "Masking makes a tensor whose size depends on values (index)"),
    "the value of an activation": (Reading(), "Reading asks for the value of an activation (_local_scalar_dense)"),
}
