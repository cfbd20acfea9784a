"""A row of a matrix per index: what makes vectors of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape, Size
from archscope.core.records import Call, MemoryRule, Seen, Setting
from archscope.ops import Moving, Op


@dataclass(frozen=True, slots=True)
class Embedding(Moving):
    """``torch.nn.Embedding``: nothing is multiplied, so that it has no MACs.

    BERT's token embedding (arXiv:1810.04805, section 3; 30,522 rows of its vocabulary file):

    >>> Embedding(30522, 768).out_shape((1, 128))
    (1, 128, 768)
    """

    num_embeddings: int
    embedding_dim: int

    captures: ClassVar[tuple[str, ...]] = ("embedding",)
    stores: ClassVar[tuple[str, ...]] = ("weight",)
    infers: ClassVar[bool] = False

    def out_shape(self, *inputs: Shape) -> Shape:
        return (*inputs[0], self.embedding_dim)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        return {"weight": (self.num_embeddings, self.embedding_dim)}

    def gradient_macs(self, *inputs: Shape) -> dict[str, Size] | None:
        return {"weight": 0}

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return MemoryRule(saved=("input0",), grads="none")

    def torch(self, *inputs: Shape) -> Call:
        return Call("nn.Embedding", (self.num_embeddings, self.embedding_dim))

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        return cls(*seen.shape("weight"))
