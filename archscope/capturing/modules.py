"""The stack of modules while a forward runs: ``nn.Module.__call__`` is patched, so that no module needs a hook."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from archscope.capturing.places import calling_place
from archscope.capturing.tape import Run, Tape


@contextmanager
def watched(tape: Tape, root: nn.Module) -> Iterator[None]:
    """While this lasts, each call of a module in this thread is written on the tape."""
    original = nn.Module.__call__
    thread = threading.get_ident()
    names = _names(root)
    calls: dict[int, int] = {}

    def called(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != thread:
            return original(module, *args, **kwargs)
        number = calls.get(id(module), 0)
        calls[id(module)] = number + 1
        outer = tape.current
        path = "" if outer < 0 else _path(names, module, tape.runs[outer])
        run = Run(module, path, outer, number, tape.numbers_in((args, kwargs)), place=calling_place())
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


def _names(root: nn.Module) -> dict[int, list[str]]:
    """Every name that each module has; a shared one has several."""
    found: dict[int, list[str]] = {}
    for name, module in root.named_modules(remove_duplicate=False):
        found.setdefault(id(module), []).append(name)
    return found


def _path(names: dict[int, list[str]], module: nn.Module, outer: Run) -> str:
    """The name under which the running module knows it; one that is not registered is called after its class."""
    known = names.get(id(module))
    if known is None:
        return f"{outer.path}.<{type(module).__name__}>".lstrip(".")
    if len(known) == 1:
        return known[0]
    within = [name for name in known if not outer.path or name.startswith(f"{outer.path}.")]
    return within[0] if within else known[0]
