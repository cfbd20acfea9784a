"""``archscope`` and ``python -m archscope``: runs a command; turns what goes wrong into words and an exit code.

Exit codes: 0 fine; 1 a failed check, a bad table or an unknown name; 2 usage; 3 undecided; 130 interrupted.
"""

from __future__ import annotations

import os
import sys

from archscope.core.errors import ArchscopeError, Problem, UsageError, nearest


def main() -> None:
    """Runs the command line."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        code = _run(arguments)
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        # Whoever read has seen enough (`| head`). What is still buffered has nowhere to go, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except ArchscopeError as error:
        code = _failed(error, str(error), error.exit_code, debug=debug)
    except (OSError, RecursionError, MemoryError) as error:
        code = _failed(error, f"{type(error).__name__}: {error}", 1, debug=debug)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    """Runs a command and gives its exit code. Raises UsageError for arguments that it cannot take."""
    from archscope.commands import command_line

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # an old terminal shows ? for ×, and no traceback
    try:
        code = command_line().main(args=arguments, prog_name="archscope", standalone_mode=False)
        sys.stdout.flush()
    except Exception as error:
        from typer import TyperException

        if not isinstance(error, TyperException):
            raise
        raise UsageError(_problem(error)) from error
    return int(code or 0)


def _problem(error: Exception) -> Problem:
    """What typer has to say about arguments, in our form."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "archscope"
    usage = f"{command} --help"
    message = getattr(error, "message", "") or str(error)
    option = getattr(error, "option_name", "")
    param = getattr(error, "param", None)
    if option and hasattr(error, "possibilities"):
        known = [each for known in context.command.params for each in known.opts] if context is not None else []
        help_line = nearest(option, known) or usage
        return Problem("unknown-option", f"{command} has no option {option!r}", help=help_line)
    if message.startswith("No such command"):
        from archscope.commands import named

        name = message.split("'")[1]
        message = f"no command is called {name!r}"
        return Problem("unknown-command", message, None, ", ".join(named()), nearest(name, named()))
    if type(error).__name__ == "MissingParameter" and param is not None:
        return Problem("missing-argument", f"{command} needs {param.make_metavar(context)}", help=usage)
    if param is not None:
        value, wrong_type, kind = message.partition(" is not a valid ")
        if wrong_type:
            message = f"{value} is no {'whole ' if kind.startswith('int') else ''}number"
        return Problem("bad-value", f"{param.opts[-1]}: {message.removesuffix('.')}", help=usage)
    return Problem("bad-usage", message.removesuffix("."), help=usage)


def _failed(error: BaseException, text: str, code: int, *, debug: bool) -> int:
    if debug:
        raise error
    sys.stderr.write(f"{text}\n")
    return code


if __name__ == "__main__":
    main()
