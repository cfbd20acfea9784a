"""Many inputs made by chance: ``python tests/benchmarks/fuzz.py [--inputs N] [--kind KIND]… [--from SEED]``.

Prints how they end, and each ending that is not allowed with the seed that makes it again. Exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzzed import Finding, ending
from fuzzed_kinds import KINDS


def main(arguments: list[str]) -> int:
    """Runs so many inputs, shared among the kinds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=2000)
    parser.add_argument("--kind", action="append", choices=list(KINDS))
    parser.add_argument("--from", dest="first", type=int, default=0)
    asked = parser.parse_args(arguments)
    first, inputs, kinds = asked.first, asked.inputs, asked.kind or list(KINDS)
    findings: dict[str, Finding] = {}
    os.chdir(tempfile.mkdtemp())
    for kind in kinds:
        start, ends = time.process_time(), Counter[str]()
        for seed in range(first, first + inputs // len(kinds)):
            end = ending(kind, KINDS[kind], seed)
            if isinstance(end, Finding):
                ends["not allowed"] += 1
                findings.setdefault(end.why[:60], end)
            else:
                ends["fine" if end == "fine" else "an error of ours"] += 1
        print(f"{kind:12} {ends.total():8,} inputs, {time.process_time() - start:6.0f} s: {dict(ends)}", flush=True)
    for found in findings.values():
        print(f"{found.kind} {found.seed}: {found.why}\n    {str(found.value)[:400]!r}")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
