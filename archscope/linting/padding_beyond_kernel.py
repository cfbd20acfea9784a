"""More padding than the kernel reaches: the outermost outputs see nothing but zeros."""

from __future__ import annotations

from collections.abc import Iterator

from archscope.core.arithmetic import product
from archscope.linting import WARNING, Found, Subject

LEVEL = WARNING
SOURCE = "forresti/SqueezeNet, conv10: 1×1 with pad 1, 13×13 becomes 15×15"


def examine(subject: Subject) -> Iterator[Found]:
    """Layers whose padding is at least as large as what their kernel spans."""
    graph = subject.graph
    if graph is None:
        return
    for node in graph.nodes:
        window = node.op.window
        if window is None or not node.op.weight_layer:
            continue
        spans = [d * (k - 1) + 1 for k, d in zip(window.kernel_size, window.dilation, strict=True)]
        if any(padding >= span for padding, span in zip(window.padding, spans, strict=True)):
            out, size = graph.shape_out(node)[2:], graph.shapes_in(node)[0][2:]
            yield Found(
                f"padding {'×'.join(map(str, window.padding))} around a kernel of {'×'.join(map(str, spans))}",
                f"{'×'.join(map(str, size))} becomes {'×'.join(map(str, out))}, and "
                f"{product(out) - product(size):,} of those "
                "positions are the bias alone",
                "padding = kernel_size // 2",
                place=node.path,
                span=node.span,
            )
