"""What a command loads: nothing heavy for a summary, and little memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CODE = """
import json, sys
sys.argv = ["archscope", *{arguments!r}]
before = set(sys.modules)
from archscope.__main__ import main
try:
    main()
except SystemExit as ended:
    assert ended.code == 0, ended.code
memory = None
try:  # Linux; the peak that getrusage gives would be that of the process which started this one
    with open("/proc/self/status") as status:
        memory = next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))
except OSError:
    pass
sys.stderr.write(json.dumps([sorted(set(sys.modules) - before), memory]))
"""

HEAVY = {"torch", "torchvision", "numpy", "sympy", "fvcore", "torchinfo", "pydantic", "hypothesis"}
SLOW = {"difflib", "importlib.metadata", "asyncio", "urllib.request", "http.client", "pdb"}
LIGHT_MEMORY = 50 * 2**20


def loaded(*arguments: str, env: dict[str, str]) -> tuple[set[str], int | None]:
    """The modules that a command loads, and the memory that its process took at most."""
    command = [sys.executable, "-c", CODE.format(arguments=arguments)]
    outcome = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=env, check=False)
    assert outcome.returncode == 0, outcome.stderr
    modules, memory = json.loads(outcome.stderr)
    return set(modules), memory


def archscopes(modules: set[str], folder: str) -> set[str]:
    start = f"archscope.{folder}."
    return {name.removeprefix(start) for name in modules if name.startswith(start)}


def test_a_summary_loads_nothing_heavy_and_takes_little_memory(bare_environment: dict[str, str]) -> None:
    modules, memory = loaded("summary", "vgg16", env=bare_environment)
    assert not modules & HEAVY
    assert not modules & (SLOW - {"difflib"})
    assert memory is None or memory < LIGHT_MEMORY


def test_a_summary_loads_only_the_command_the_ops_and_the_format_in_use(bare_environment: dict[str, str]) -> None:
    modules, _ = loaded("summary", "vgg16", "--format", "csv", env=bare_environment)
    assert archscopes(modules, "commands") == {"_watching", "summary"}
    assert archscopes(modules, "formats") == {"csv"}
    used = {"conv", "dropout", "fc", "flatten", "maxpool", "relu", "softmax"}
    assert (
        used <= archscopes(modules, "ops") <= used | {"concat"}
    )  # which branches are joined by if nothing else is said
    assert "archscope.studies.comparison" not in modules
    assert not archscopes(modules, "targets")


def test_difflib_is_loaded_by_typer_at_most(bare_environment: dict[str, str]) -> None:
    code = "import sys, archscope; archscope.profile('vgg16'); sys.exit('difflib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=bare_environment, check=False).returncode == 0


@pytest.mark.parametrize(
    "line",
    [
        "list vgg",
        "ops",
        "show googlenet",
        "compare vgg16 googlenet",
        "check vgg --witness published",
        "summary vgg11 -h",
        "memory vgg16 --batch 8",
        "fit vgg16 googlenet --memory 8GiB --memory 24GiB",
        "fit mobilenet_v1 --width 7/32 --flash 4MiB --ram 512KiB",
        "summary vgg16 --columns train_peak_bytes,saved_activation_bytes",
    ],
)
def test_no_command_loads_torch(line: str, bare_environment: dict[str, str]) -> None:
    modules, memory = loaded(*line.split(), env=bare_environment)
    assert not modules & HEAVY
    assert memory is None or memory < LIGHT_MEMORY


def test_importing_the_library_loads_nothing_of_it(bare_environment: dict[str, str]) -> None:
    code = "import sys, archscope; print(sorted(name for name in sys.modules if name.startswith('archscope')))"
    outcome = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=bare_environment, check=True
    )
    assert outcome.stdout.strip() == "['archscope']"
