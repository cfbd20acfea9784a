"""``torchvision.models:resnet50``, ``./net.py:Net(width=64)``: imports what an address names, and calls it.

Importing a user's module runs the user's code. Arguments are literals, read and never evaluated.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from torch import nn

from archscope.capturing.building import built
from archscope.capturing.places import Place, place_of_error, span_of
from archscope.core.errors import ArchscopeError, Problem, UnknownName, Unsupported, UsageError, nearest
from archscope.core.python_text import parsed_expression


class Address(NamedTuple):
    """An address taken apart: a file or a package, what of it, and the arguments; ``called`` even without any."""

    text: str
    home: str
    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}  # noqa: RUF012  it is never changed
    called: bool = False


def read_address(text: str) -> Address:
    """Takes an address apart. Raises UsageError for one that cannot be read."""
    head, _, tail = text.partition(".py:") if ".py:" in text else (text.partition(":")[0], "", text.partition(":")[2])
    home = f"{head}.py" if ".py:" in text else head
    try:
        node = parsed_expression(tail.strip())
        call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
        args = tuple(ast.literal_eval(each) for each in call.args)
        kwargs = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords if each.arg}
    except (SyntaxError, ValueError) as error:
        expected = "module:Name or file.py:Name, with literal arguments: ./net.py:Net(width=64)"
        if not tail:
            raise UsageError(Problem("bad-address", f"{text} does not say what of it", expected=expected)) from error
        raise UsageError(Problem("bad-address", f"cannot read {text!r}", expected=expected)) from error
    if not isinstance(call.func, ast.Name | ast.Attribute) or len(kwargs) < len(call.keywords):
        raise UsageError(Problem("bad-address", f"cannot read {text!r}", expected="module:Name(argument=value)"))
    return Address(text, home, ast.unparse(call.func), args, kwargs, isinstance(node, ast.Call))


def found_at(address: Address) -> Any:
    """The object that an address names, not called. Raises UnknownName where there is no such file, module or name."""
    module = _imported(address)
    found: Any = module
    for part in address.name.split("."):
        if not hasattr(found, part):
            if address.home == "timm":
                return _timm(address)
            known = [name for name in vars(found) if not name.startswith("_")]
            message = f"{address.home} has no {address.name!r}"
            raise UnknownName(Problem("unknown-attribute", message, help=nearest(part, known)))
        found = getattr(found, part)
    return found


def module_at(text: str, *, real: bool = False) -> nn.Module:
    """The module that an address makes, its weights not allocated unless they are to be ``real``.

    Raises UnknownName, UsageError for arguments that do not fit, Unsupported for what is or returns no module.
    """
    address = read_address(text)
    found = found_at(address)
    if isinstance(found, nn.Module) and not address.called:
        return found
    return made_by(found, address.args, address.kwargs, text, real=real)


def made_by(factory: Any, args: tuple[Any, ...], kwargs: dict[str, Any], text: str, *, real: bool = False) -> nn.Module:
    """The module that a factory makes of these arguments, its weights not allocated unless they are to be ``real``."""
    if not callable(factory):
        raise Unsupported(Problem("no-module", f"{text} is {_an(factory)}, and makes no torch.nn.Module"))
    kwargs = _without_download(factory, kwargs)
    _check_arguments(factory, args, kwargs, text)
    try:
        made = factory(*args, **kwargs) if real else built(factory, args, kwargs)
    except ArchscopeError:
        raise
    except Exception as error:
        span = span_of(place_of_error(error))
        message = f"{text} raised {type(error).__name__}: {error}"
        raise Unsupported(Problem("module-raised", message, span)) from error
    if not isinstance(made, nn.Module):
        raise Unsupported(Problem("no-module", f"{text} returned {_an(made)}, no torch.nn.Module"))
    return made


def _without_download(factory: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Torchvision's builders load weights of a backbone unless they are told not to; no number depends on them."""
    if not getattr(factory, "__module__", "").startswith("torchvision.models."):
        return kwargs
    named = "weights_backbone" in inspect.signature(factory).parameters
    return {"weights_backbone": None, **kwargs} if named else kwargs


def _check_arguments(factory: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], text: str) -> None:
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):
        return  # what is not written in Python says so itself when it is called
    plain = text.partition("(")[0]
    known = [each for each in signature.parameters.values() if each.kind not in {each.VAR_POSITIONAL, each.VAR_KEYWORD}]
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        names = [each.name for each in known]
        given = {*names[: len(args)], *kwargs}
        missing = [each.name for each in known if each.default is each.empty and each.name not in given]
        strange = [name for name in kwargs if name not in names]
        if strange:
            message = f"{plain} has no argument {strange[0]!r}"
            raise UsageError(
                Problem("bad-arguments", message, None, ", ".join(names), nearest(strange[0], names))
            ) from error
        if missing:
            example = ", ".join(f"{name}=…" for name in missing)
            message = f"{plain} needs {', '.join(missing)}"
            raise UsageError(
                Problem("bad-arguments", message, help=f"give what it needs: '{plain}({example})'")
            ) from error
        raise UsageError(Problem("bad-arguments", f"{text}: {error}", None, f"{plain}{signature}")) from error


def _imported(address: Address) -> ModuleType:
    """The module of an address. What goes wrong in it is told with its place; what is missing, with near names."""
    try:
        return _of_file(address) if address.home.endswith(".py") else _of_package(address)
    except ArchscopeError:
        raise
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if address.home == missing or address.home.startswith(f"{missing}."):
            help_line = f"pip install {missing}" if missing in {"timm", "transformers"} else "a file is ./name.py:Name"
            raise UnknownName(Problem("unknown-module", f"no module is called {missing!r}", help=help_line)) from error
        raise _raised(address, error) from error
    except Exception as error:
        raise _raised(address, error) from error


def _raised(address: Address, error: Exception) -> Unsupported:
    said, place = str(error), place_of_error(error)
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        said, place = error.msg, Place(error.filename, error.lineno)
    message = f"importing {address.home} raised {type(error).__name__}: {said}"
    return Unsupported(Problem("import-raised", message, span_of(place)))


def _of_package(address: Address) -> ModuleType:
    with _path(str(Path.cwd())):
        return importlib.import_module(address.home)


def _of_file(address: Address) -> ModuleType:
    path = Path(address.home).absolute()
    if not path.is_file():
        raise UnknownName(Problem("no-file", f"there is no file {address.home!r}"))
    name = (
        path.stem if path.stem.isidentifier() and path.stem not in sys.modules else f"archscope_file_{abs(hash(path))}"
    )
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UnknownName(Problem("no-file", f"{address.home!r} is no Python file"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _path(str(path.parent)):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _timm(address: Address) -> Callable[..., Any]:
    """Timm's models are no attributes of it; they are made by name."""
    import timm

    if not timm.is_model(address.name):
        message, help_line = f"timm has no {address.name!r}", nearest(address.name, timm.list_models())
        raise UnknownName(Problem("unknown-attribute", message, help=help_line))
    return lambda **kwargs: timm.create_model(address.name, **kwargs)


@contextmanager
def _path(folder: str) -> Iterator[None]:
    """While this lasts, modules beside the user's are found, as if Python had been started there."""
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _an(value: Any) -> str:
    kind = "Python module" if isinstance(value, ModuleType) else type(value).__name__
    return f"an {kind}" if kind[0].lower() in "aeiou" else f"a {kind}"
