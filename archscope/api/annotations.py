"""``annotate``: the source of a module with what each line makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from archscope.api import modules
from archscope.core.errors import Problem, Unsupported
from archscope.core.source import Source, Span
from archscope.graph.graph import Graph
from archscope.studies.annotation import Line, annotated


def annotate(module: Any, input: Any = None, *, batch: int = 2, mode: str = "train") -> tuple[Source, tuple[Line, ...]]:  # noqa: A002  as load has it
    """The source that a module was written in, and its lines with the shapes and params of what they make.

    module, input, batch, mode: as :func:`archscope.capture` takes them; in train mode auxiliary heads run too. A line
    that runs for many layers has the shape of each. ``wrong`` says of a line's shape comment what it says and what is.
    Of several files the one is taken that most lines of the network are in, an address's own file before others.

    Raises Unsupported for a network none of whose lines can be found, and what capture raises.
    """
    from archscope.capturing.constructions import constructions
    from archscope.capturing.examples import example_for

    with constructions() as watching:
        found, name, address = modules.made(module)
    example = example_for(found, input, address or name)
    graph = modules.capture(found, example, batch=batch, mode=mode)
    constructed = watching.spans(found)
    source = _source(graph, constructed, address)
    return source, annotated(graph, source, constructed)


def _source(graph: Graph, constructed: Mapping[str, Span], address: str) -> Source:
    spans = [*(node.span for node in graph.nodes), *(scope.called for scope in graph.scopes), *constructed.values()]
    counts = Counter(span.source for span in spans if span is not None)
    home = address.partition(".py:")[0].removeprefix("./") if ".py:" in address else None
    own = next((source for source in counts if home is not None and source.name.endswith(f"{home}.py")), None)
    if not counts:
        raise Unsupported(Problem("no-source", f"no line of {graph.name} is in a file that can be read"))
    return own or counts.most_common(1)[0][0]
