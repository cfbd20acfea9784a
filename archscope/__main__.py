"""``archscope`` and ``python -m archscope``: runs a command; turns what goes wrong into words and an exit code.

Exit codes: 0 fine; 1 a failed check, a bad table or an unknown name; 2 usage; 130 interrupted.
"""

from __future__ import annotations

import sys

from archscope.core.errors import ArchscopeError


def main() -> None:
    """Runs the command line."""
    from archscope.commands import command_line

    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        command_line().main(args=arguments, prog_name="archscope")
    except ArchscopeError as error:
        _fail(error, str(error), error.exit_code, debug=debug)
    except (OSError, RecursionError, MemoryError) as error:
        _fail(error, f"{type(error).__name__}: {error}", 1, debug=debug)


def _fail(error: BaseException, text: str, code: int, *, debug: bool) -> None:
    if debug:
        raise error
    sys.stderr.write(f"{text}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
