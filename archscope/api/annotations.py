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
    from archscope.capturing.loading import module_at, read_address

    home = read_address(module).home.removeprefix("./") if isinstance(module, str) else ""
    with constructions() as watching:
        found = module_at(module) if isinstance(module, str) else module
    graph = modules.capture(found, input, batch=batch, mode=mode)
    made = watching.spans(found) if isinstance(module, str) else {}
    source = _source(graph, made, home)
    return source, annotated(graph, source, made)


def _source(graph: Graph, made: Mapping[str, Span], home: str) -> Source:
    spans = [*(node.span for node in graph.nodes), *(scope.called for scope in graph.scopes), *made.values()]
    counts = Counter(span.source for span in spans if span is not None)
    own = next((source for source in counts if home.endswith(".py") and source.name.endswith(home)), None)
    if not counts:
        raise Unsupported(Problem("no-source", f"no line of {graph.name} is in a file that can be read"))
    return own or counts.most_common(1)[0][0]
