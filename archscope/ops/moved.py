"""The same numbers at other places: gather, roll, pad, stack, and reshape where it has to copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archscope.core.arithmetic import Shape
from archscope.core.records import MemoryRule, Seen, Setting
from archscope.ops import Moving, Observed, Op

KEEPS_INDEX = frozenset({
    "gather", "index", "index_select", "take", "take_along_dim", "scatter", "index_put", "embedding_bag",
})  # fmt: skip  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moved(Moving, Observed):
    """An operator that copies numbers, by its ``function``'s name in ATen, with the ``shapes`` that torch returned.

    >>> Moved("roll", ((1, 56, 56, 96),)).macs((1, 56, 56, 96))
    0
    """

    inplace: bool = False

    captures: ClassVar[tuple[str, ...]] = (
        "cat", "stack", "roll", "flip", "index", "index_select", "gather", "take", "take_along_dim", "scatter",
        "scatter_", "scatter_add", "scatter_add_", "scatter_reduce", "index_put", "index_put_", "index_add",
        "index_add_", "index_copy", "index_copy_", "index_fill", "index_fill_", "slice_scatter", "select_scatter",
        "masked_scatter", "masked_scatter_", "repeat", "repeat_interleave", "tile", "pad", "constant_pad_nd",
        "reflection_pad1d", "reflection_pad2d", "replication_pad2d", "pixel_shuffle", "pixel_unshuffle",
        "channel_shuffle", "im2col", "col2im", "view", "tril", "triu", "tril_", "triu_", "rot90", "diag_embed",
        "view_as_complex", "complex", "polar", "searchsorted", "bucketize", "upsample_nearest1d", "upsample_nearest2d",
        "upsample_nearest3d", "upsample_bilinear2d", "upsample_bicubic2d", "upsample_linear1d", "upsample_trilinear3d",
        "_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa", "_upsample_nearest_exact2d", "grid_sampler",
        "grid_sampler_2d", "grid_sampler_3d", "affine_grid_generator", "torchvision::roi_align", "torchvision::nms",
        "torchvision::roi_pool", "nonzero", "nonzero_numpy", "where", "masked_select", "unique", "_unique2",
        "unique_dim", "unique_consecutive", "fft_fft", "fft_rfft", "fft_irfft", "fft_fft2", "fft_ifft2", "fft_rfft2",
        "fft_irfft2", "fft_fftn", "fft_ifftn", "_fft_r2c", "_fft_c2r", "_fft_c2c", "block_diag", "diagonal_scatter",
        "max_unpool2d", "max_unpool3d", "reflection_pad3d", "replication_pad1d", "replication_pad3d", "unsafe_split",
        "unsafe_split_with_sizes", "_unsafe_index", "_unsafe_index_put", "_unsafe_masked_index", "scatter_reduce_",
        "index_reduce", "index_reduce_", "resize_", "nonzero_static",
    )  # fmt: skip

    @property
    def in_place(self) -> bool:
        return self.inplace

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        indices = tuple(f"input{n}" for n in range(1, len(inputs))) if self.function in KEEPS_INDEX else ()
        return MemoryRule(out="inplace" if self.inplace else "new", saved=indices)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        if seen.name == "where" and len(seen.arguments) > 1:
            return None  # a choice between two, not the places of what is true
        outputs = seen.run()
        if seen.view and outputs and outputs[0].storage == seen.tensors()[0].storage:
            return None
        name = seen.name.removesuffix("_") if seen.in_place else seen.name
        return cls(name, tuple(each.shape for each in outputs), seen.in_place)
