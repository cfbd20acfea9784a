"""The stack of modules while a forward runs: ``nn.Module.__call__`` is patched, so that no module needs a hook."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from archscope.capturing.places import calling_place
from archscope.capturing.tape import Run, Tape


class Survey:
    """What a module is made of, from one walk through it: every name of each module, its parameters and its buffers."""

    def __init__(self, root: nn.Module) -> None:
        self.names: dict[int, list[str]] = {}
        self.modules: list[nn.Module] = []
        self.parameters: dict[int, tuple[str, nn.Parameter]] = {}
        self.buffers: dict[int, tuple[str, torch.Tensor]] = {}
        self._walk(root, "", set())

    def _walk(self, module: nn.Module, name: str, within: set[int]) -> None:
        """Parameters and buffers come in the order of ``named_parameters``: a module's own before its children's."""
        known = self.names.get(id(module))
        if known is None:
            self.names[id(module)] = [name]
            self.modules.append(module)
            start = f"{name}." if name else ""
            for key, parameter in module._parameters.items():  # noqa: SLF001  as named_parameters reads them
                if parameter is not None:
                    self.parameters.setdefault(id(parameter), (start + key, parameter))
            for key, buffer in module._buffers.items():  # noqa: SLF001  as above
                if buffer is not None:
                    self.buffers.setdefault(id(buffer), (start + key, buffer))
        else:
            known.append(name)
        if id(module) in within:
            return
        inner = {*within, id(module)}
        for key, child in module._modules.items():  # noqa: SLF001  as above
            if child is not None:
                self._walk(child, f"{name}.{key}" if name else key, inner)


@contextmanager
def watched(tape: Tape, names: dict[int, list[str]]) -> Iterator[None]:
    """While this lasts, each call of a module in this thread is written on the tape."""
    original = nn.Module.__call__
    thread = threading.get_ident()
    calls: dict[int, int] = {}

    def called(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != thread:
            return original(module, *args, **kwargs)
        number = calls.get(id(module), 0)
        calls[id(module)] = number + 1
        outer = tape.current
        path = "" if outer < 0 else _path(names, module, tape.runs[outer])
        inputs = tape.numbers_in((args, kwargs) if kwargs else args)
        run = Run(module, path, outer, number, inputs, place=calling_place())
        own = tape.open(run)
        try:
            # __call__ itself would compile a compiled module
            result = module._call_impl(*args, **kwargs)  # type: ignore[no-untyped-call]  # noqa: SLF001
        except BaseException:
            tape.failed = own if tape.failed < 0 else tape.failed
            raise
        finally:
            tape.current = outer
        run.outputs = tape.numbers_in(result)
        return result

    nn.Module.__call__ = called  # type: ignore[method-assign]  # as torch.fx does
    try:
        yield
    finally:
        nn.Module.__call__ = original  # type: ignore[method-assign]


def _path(names: dict[int, list[str]], module: nn.Module, outer: Run) -> str:
    """The name under which the running module knows it; one that is not registered is called after its class."""
    known = names.get(id(module))
    if known is None:
        return f"{outer.path}.<{type(module).__name__}>".lstrip(".")
    if len(known) == 1:
        return known[0]
    within = [name for name in known if not outer.path or name.startswith(f"{outer.path}.")]
    return within[0] if within else known[0]
