"""Do the tests notice when a rule is wrong? A seeded sample of small faults, each against the tests that run its line.

    COVERAGE_FILE=tests.coverage pytest -n 2 --cov=archscope --cov-context=test --cov-report= tests archscope
    python tests/benchmarks/mutation.py tests.coverage --mutants 400 --seed 0

Mutants are cosmic-ray's (``pip install cosmic-ray``). Each is run in a copy of the checkout, in a process forked from
one that has torch already, by ``pytest -x``: the quickest tests first, those of the whole suite that run its line, up
to ``--tests`` of them. A mutant that none of these notices survives; the same ``--results`` with more ``--tests``, or
with tests named by ``--also``, tries it again. Those that change nothing that could be seen are left
out by construction: annotations, docstrings, ``strict=`` of a zip (an assertion), ``cache``; others that are the
same for every input are named one by one in ``EQUIVALENT`` and not counted.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from mutants import ROOT, Mutant, change_of, code_of, sample

EQUIVALENT: dict[tuple[str, str], str] = {
    ("archscope/ops/pointwise.py", "self.shapes[ -1]"): "capturing makes a pointwise op of a single result only",
    (
        "archscope/graph/bodies.py",
        "self.last.get(tensor, - 0)",
    ): "positions begin with 0, and 0 is behind none of them",
    ("archscope/graph/bodies.py", "part.scope <= 0"): "scope 0 is the network, which is no part of a block",
}
"""By path and a piece of the change: why the mutant is the same program for everything that can come."""

ENDED = {0: "survived", 1: "killed", 2: "killed", 3: "killed", 4: "killed"}
"""By pytest's exit code; 2 to 4: the mutant broke what the tests import or are made of."""


Lines = dict[str, dict[int, set[str]]]


def tests_by_line(data: Sequence[Path]) -> tuple[Lines, Counter[str]]:
    """By file and line, line 0 for any: the tests that run it, as coverage files say; and how much each test runs."""
    found: Lines = defaultdict(lambda: defaultdict(set))
    work = Counter[str]()
    query = """select distinct path, context, abs(fromno), abs(tono) from arc
        join file on file.id = file_id join context on context.id = context_id where context != ''"""
    for each in data:
        with sqlite3.connect(f"file:{each}?mode=ro", uri=True) as database:
            for path, context, start, end in database.execute(query):
                name = f"archscope/{path.rpartition('/archscope/')[2]}"
                test = context.partition("|")[0]
                work[test] += 1
                for line in (0, start, end):
                    found[name][line].add(test)
    return found, work


def tests_of(mutant: Mutant, known: Lines, cost: Mapping[str, float], most: int) -> list[str]:
    """The cheapest tests that run the mutant's line; of a line that only an import runs, those of its file."""
    lines = known.get(mutant.path, {})
    running = lines.get(_statement(mutant) or -1) or lines.get(0, set())
    return sorted((test for test in running if test in cost), key=lambda test: (cost[test], test))[:most]


@cache
def _statement(mutant: Mutant) -> int:
    """The line that the innermost statement at the mutant's place begins in: coverage knows no others."""
    tree = ast.parse((ROOT / mutant.path).read_text(encoding="utf-8"))
    around = (each for each in ast.walk(tree) if isinstance(each, ast.stmt))
    return max((each.lineno for each in around if each.lineno <= mutant.line <= (each.end_lineno or 0)), default=0)


class Trees:
    """Copies of the checkout, one per process at a time; first one, then more of it with what was compiled in it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mutants"))
        self.free = [self.folder / "0"]
        for name in ("archscope", "tables", "tests"):
            shutil.copytree(ROOT / name, self.free[0] / name)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy2(ROOT / name, self.free[0])

    def grow(self, count: int) -> None:
        """Makes them so many."""
        for number in range(1, count):
            self.free.append(Path(shutil.copytree(self.free[0], self.folder / str(number))))


def forked(tree: Path, tests: Sequence[str], report: Path | None = None) -> int:
    """A process that runs these tests in a copy; its id. report: where each test's seconds go, failures left out."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    os.chdir(tree)
    out = os.open(tree / "out.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.path.insert(0, str(tree))
    os.environ["PYTHONPATH"] = str(tree)
    sys.dont_write_bytecode = report is None
    import pytest

    plugins = [_Seconds(report)] if report is not None else []
    stop = ["-x"] if report is None else []
    code = 3
    try:
        code = int(pytest.main([*tests, *stop, "-q", "-p", "no:cacheprovider", "-p", "no:xdist"], plugins=plugins))
    finally:
        os._exit(code)


class _Seconds:
    """Writes what each passing test took."""

    def __init__(self, path: Path) -> None:
        self.path, self.seconds = path, dict[str, float]()

    def pytest_runtest_logreport(self, report: object) -> None:
        """Of setup, call and teardown together."""
        name, passed, took = report.nodeid, report.passed, report.duration  # type: ignore[attr-defined]
        before = self.seconds.get(name, 0.0)
        self.seconds[name] = before + took if passed else float("inf")

    def pytest_sessionfinish(self) -> None:
        """Those that passed, also where it was stopped."""
        self.path.write_text(json.dumps({name: took for name, took in self.seconds.items() if took < 1e9}))


def timed(tests: Sequence[str], trees: Trees, limit: float) -> dict[str, float]:
    """What each of the tests takes on the code as it is; those that fail, or come after the limit, are not in it."""
    report = trees.folder / "seconds.json"
    child = forked(trees.free[0], tests, report)
    until = time.monotonic() + limit
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > until:
            os.kill(child, signal.SIGINT)
            until += 1e9
        time.sleep(0.2)
    found: dict[str, float] = json.loads(report.read_text())
    return found


def outcomes(chosen: dict[Mutant, list[str]], trees: Trees, limit: float) -> Iterator[tuple[Mutant, str]]:
    """Each mutant with how it ended: ``killed``, ``timeout``, ``survived`` or ``not run``."""
    waiting, running = list(chosen), dict[int, tuple[Mutant, Path, float]]()
    while waiting or running:
        while waiting and trees.free:
            mutant = waiting.pop(0)
            if not chosen[mutant]:
                yield mutant, "not run"
                continue
            tree = trees.free.pop()
            (tree / mutant.path).write_text(code_of(mutant), encoding="utf-8")
            running[forked(tree, chosen[mutant])] = (mutant, tree, time.monotonic() + limit)
        for child, (mutant, tree, until) in list(running.items()):
            done, status = os.waitpid(child, os.WNOHANG)
            late = not done and time.monotonic() > until
            if late:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
            if done or late:
                del running[child]
                shutil.copy2(ROOT / mutant.path, tree / mutant.path)
                trees.free.append(tree)
                yield mutant, "timeout" if late else ENDED[os.waitstatus_to_exitcode(status)]
        time.sleep(0.05)


def told(mutant: Mutant, ended: str) -> str:
    """A line about it."""
    return f"{ended:8} {mutant.path}:{mutant.line}: {change_of(mutant)}"


def is_equivalent(mutant: Mutant) -> bool:
    """Whether it is one of those that were named as the same program."""
    change = change_of(mutant)
    return any(mutant.path == path and words in change for path, words in EQUIVALENT)


def table(ends: Mapping[Mutant, str]) -> str:
    """How many of each package were noticed; equivalent ones are not counted."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant, ended in ends.items():
        kind = "equivalent" if ended == "survived" and is_equivalent(mutant) else ended
        for name in (mutant.path.split("/")[1], "all"):
            counts[name][kind] += 1
    lines = ["| files | mutants | killed | timeout | survived | not run | equivalent | score |", "|:--" * 8 + "|"]
    for name, count in sorted(counts.items(), key=lambda each: each[0] == "all"):
        counted = count.total() - count["equivalent"]
        score = (count["killed"] + count["timeout"]) / counted if counted else 1.0
        numbers = [count[each] for each in ("killed", "timeout", "survived", "not run", "equivalent")]
        lines.append(f"| {name} | {' | '.join(map(str, (count.total(), *numbers)))} | {score:.1%} |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coverage", type=Path, nargs="+", help="coverage files with contexts")
    parser.add_argument("--mutants", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tests", type=int, default=40, help="of a mutant, at most")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=300, help="seconds of a mutant, and five times so of all tests")
    parser.add_argument("--results", type=Path, help="how each ended; what survived there is run again")
    parser.add_argument("--also", nargs="*", default=[], help="tests for every mutant, newer than the coverage files")
    return parser.parse_args()


def main() -> int:
    """Draws, runs and prints them."""
    given = arguments()
    mutants = sample(given.mutants, given.seed)
    ends: dict[Mutant, str] = {}
    if given.results and given.results.is_file():
        ends = {Mutant(*each): ended for *each, ended in json.loads(given.results.read_text())}
    left = [each for each in mutants if ends.get(each, "survived") in {"survived", "not run"}]
    known, work = tests_by_line(given.coverage)
    trees = Trees()
    import pytest  # noqa: F401  for the processes that are forked
    import torchvision  # noqa: F401  likewise

    asked = sorted({test for each in left for test in tests_of(each, known, work, given.tests)})
    seconds = timed([*given.also, *asked], trees, 5 * given.limit)
    print(f"{len(asked)} tests, {len(seconds)} of them pass, in {sum(seconds.values()):.0f} s", flush=True)
    trees.grow(given.jobs)
    also = [test for test in seconds if test.startswith(tuple(given.also))]
    chosen = {each: [*tests_of(each, known, seconds, given.tests), *also] for each in left}
    for mutant, ended in outcomes(chosen, trees, given.limit):
        ends[mutant] = ended
        print(told(mutant, ended), flush=True)
        if given.results:
            given.results.write_text(json.dumps([[*each, end] for each, end in ends.items()]))
    shutil.rmtree(trees.folder)
    print(table({each: ends[each] for each in mutants}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
