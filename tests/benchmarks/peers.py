"""Other tools beside archscope, in one run: ``python tests/benchmarks/peers.py``; prints Markdown.

``pip install ".[peers]"`` brings the tools. Each counts the probes of ``tests/probes.py``, whose MACs are worked out
by hand, and three networks of torchvision. Every count runs in a process of its own, with a time limit: what a tool
leaves behind, such as patches of torch, reaches no other count. Then come its CPU time on ResNet-18 in one thread,
beside ``archscope.profile`` of the same module, and a whole process that counts VGG-16. Ratios only: the machine is not
the point. Names of tools as arguments run these alone; ``--keep FILE`` keeps what is finished, and goes on from there.
"""

from __future__ import annotations

import copy
import json
import math
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module, metadata
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, str(Path(__file__).parents[1]))

from counters import TOOLS, Counted, Tool

NETWORKS = {"vgg16": 15_470_264_320, "googlenet": 1_498_376_192, "vit_b_16": 17_563_828_224}
"""MACs of convolutions and matrix products: VGG-16 by hand, the others agree with torchvision's own metadata."""

OUTCOMES = ("exact", "exact but for biases and the like", "wrong, says so", "wrong, silently", "no answer")
HEADS = ("tool", *OUTCOMES, "params right", "VGG-16", "GoogLeNet", "ViT-B/16")
COSTS = (
    "tool", "time", "time of a whole process", "its memory", "counts on meta", "afterwards the model and torch",
    "VGG-16's receptive field, 212", "kept for backward, ResNet-18", "a command",
)  # fmt: skip

FROM_TABLE = "archscope, from the paper's table"
RUNS = 3
LIMIT = 240.0
"""Seconds that one count may take."""


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function gives in a process of its own, or a text after ``!`` that says why it gives nothing."""
    here, there = multiprocessing.Pipe(duplex=False)
    child = os.fork()  # no Process of multiprocessing: torchlens refuses to work in one
    if not child:
        _send(there, function, arguments)
    there.close()
    try:
        return here.recv() if here.poll(LIMIT) else f"!took over {LIMIT:.0f} s"
    except EOFError:
        return "!its process died"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _send(there: Connection, function: Callable[..., Any], arguments: Sequence[Any]) -> NoReturn:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    warnings.simplefilter("ignore")
    try:
        there.send(function(*arguments))
    except Exception as error:  # noqa: BLE001  whatever a tool raises is what is measured
        there.send(f"!{type(error).__name__}: {error}")
    os._exit(0)


def network(name: str, device: str = "cpu") -> tuple[Any, Any]:
    """A network of torchvision in evaluation, its weights 0 (drawing them takes longer than a count), and one image."""
    import torch
    from torchvision import models

    keywords = {"init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):
        model = getattr(models, name)(**keywords).eval()
    if device != "meta":
        model = model.to_empty(device=device)
        for each in (*model.parameters(), *model.buffers()):
            each.detach().zero_()
    return model, torch.zeros(1, 3, 224, 224, device=device)


def probe(name: str) -> tuple[Any, Any]:
    """A probe and its input, a batch of one."""
    import probes
    import torch

    module, example, _ = probes.EXACT.get(name) or probes.DEPENDENT[name]
    torch.manual_seed(0)
    if isinstance(example, str):
        return copy.deepcopy(module).eval(), torch.zeros(1, int(example.split(":")[1]), dtype=torch.int64)
    return copy.deepcopy(module).eval(), torch.randn(1, *example)


def counted(tool: Tool, made: Callable[..., tuple[Any, Any]], *arguments: str) -> Counted:
    """What a tool says of the model that is made, in plain numbers."""
    found = tool.count(*made(*arguments))
    return found._replace(macs=None if found.macs is None else float(found.macs))


def work_beside(name: str) -> int:
    """What may be counted beside MACs: an operation per element of every result, five in soft-max and norms."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Elements(TorchDispatchMode):
        total = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            each = 0 if func.is_view else 5 if any(word in str(func) for word in ("softmax", "norm")) else 1
            self.total += each * sum(result.numel() for result in tree_leaves(out) if isinstance(result, torch.Tensor))
            return out

    def ran(device: str) -> int:
        model, x = (each.to(device) for each in probe(name))
        # In evaluation the encoder takes one fused operator for everything; on meta tensors LSTMs come apart.
        with torch.no_grad(), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH), Elements() as seen:
            model.train()(x)
        return seen.total

    try:
        return ran("meta")
    except (RuntimeError, NotImplementedError, AssertionError):
        return ran("cpu")


def all_beside() -> dict[str, int]:
    """The same of every probe."""
    import probes

    return {each: work_beside(each) for each in (*probes.EXACT, *probes.DEPENDENT)}


def outcome(found: Counted | str, macs: int, beside: int) -> str:
    """How a count stands to the MACs worked out by hand, one of OUTCOMES."""
    if isinstance(found, str) or found.macs is None:
        return "no answer"
    if found.macs == macs:
        return "exact"
    if macs < found.macs <= macs + beside:
        return "exact but for biases and the like"
    return "wrong, says so" if found.named else "wrong, silently"


def afterwards(tool: Tool) -> str:
    """What a count changes in a model that is in training, or in torch itself."""
    import torch
    from torch.nn import functional

    model, x = network("resnet18")
    model.train()
    state, functions = copy.deepcopy(model.state_dict()), (dict(vars(functional)), dict(vars(torch.Tensor)))
    tool.count(model, x)
    now = (dict(vars(functional)), dict(vars(torch.Tensor)))
    after = model.state_dict()
    changes = {
        "in evaluation": not all(each.training for each in model.modules()),
        "other entries": after.keys() != state.keys(),
        "batch statistics moved": any(not torch.equal(after[key], state[key]) for key in state if key in after),
        "hooks left": any(each._forward_hooks or each._forward_pre_hooks for each in model.modules()),
        "torch patched": any(
            old[key] is not new.get(key) for old, new in zip(functions, now, strict=True) for key in old
        ),
    }
    return ", ".join(name for name, changed in changes.items() if changed) or "as before"


def seconds(tool: Tool, device: str) -> float:
    """CPU time of a count of ResNet-18, the median of runs after one that warms up."""
    model, x = network("resnet18", device)
    spent = []
    for _ in range(RUNS + 1):
        start = time.process_time()
        tool.count(model, x)
        spent.append(time.process_time() - start)
    return statistics.median(spent[1:])


def kept(tool: Tool) -> float:
    """Bytes said to be kept for the backward pass of ResNet-18 by those that autograd keeps, the loss included."""
    import torch

    own = {}
    model, x = network("resnet18")
    model.train()
    weights = {each.untyped_storage()._cdata for each in (*model.parameters(), *model.buffers())}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            own[storage._cdata] = (storage.nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda each: each):
        torch.nn.functional.cross_entropy(model(x), torch.zeros(1, dtype=torch.int64))
    if tool.kept is None:
        raise ValueError("it says nothing of this")
    return tool.kept(model, x) / sum(size for size, _ in own.values())


def field(tool: Tool) -> int:
    """The receptive field of VGG-16's last map."""
    if tool.field is None:
        raise ValueError("it says nothing of this")
    model, x = network("vgg16")
    return tool.field(model.features, x)


def of_tool(name: str, beside: dict[str, int]) -> dict[str, Any]:
    """Everything about a tool that is measured within Python."""
    import probes
    import torch
    import torchvision  # noqa: F401  once, before processes part

    torch.set_num_threads(1)
    tool = TOOLS[name]
    import_module(tool.module)
    known = {**probes.EXACT, **probes.DEPENDENT}
    found: dict[str, Any] = {"outcomes": {}, "ratios": {}, "params": 0, "named": {}}
    for each, (model, _, macs) in known.items():
        said = apart(counted, tool, probe, each)
        found["outcomes"][each] = outcome(said, macs, beside[each])
        found["ratios"][each] = said if isinstance(said, str) else said.macs and said.macs / macs
        wanted = probes.PARAMS.get(each, sum(p.numel() for p in model.parameters()))
        found["params"] += not isinstance(said, str) and said.params == wanted
        found["says_params"] = found.get("says_params") or (not isinstance(said, str) and said.params is not None)
    counts = {each: apart(counted, tool, network, each) for each in NETWORKS}
    found["networks"] = [
        said if isinstance(said, str) else said.macs and said.macs / NETWORKS[each] for each, said in counts.items()
    ]
    meta = apart(counted, tool, network, "vgg16", "meta")
    same = not isinstance(meta, str) and meta.macs == counts["vgg16"].macs
    found["meta"] = "yes" if same else "no" if isinstance(meta, str) else "another number"
    found["afterwards"] = apart(afterwards, tool)
    ours = [apart(seconds, TOOLS["archscope"], "meta")]
    theirs = apart(seconds, tool, "meta" if same else "cpu")
    ours.append(apart(seconds, TOOLS["archscope"], "meta"))
    found["time"] = theirs if isinstance(theirs, str) else theirs / statistics.mean(ours)
    found["field"], found["kept"] = apart(field, tool), apart(kept, tool)
    return found


def process(*arguments: str) -> tuple[float, float]:
    """CPU seconds and peak MiB of a run of this interpreter, of one thread; no numbers if it fails."""
    one = os.environ | {"OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=one
    )
    timer = threading.Timer(LIMIT, child.kill)
    timer.start()
    _, status, usage = os.wait4(child.pid, 0)
    timer.cancel()
    if status:
        return math.nan, math.nan
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def whole(name: str, device: str = "meta") -> tuple[float, float]:
    """CPU time and memory of a process that counts VGG-16, as multiples of archscope's with the same module."""
    ours = process(__file__, "--vgg16", "archscope", "meta")
    theirs = (
        process("-m", "archscope", "summary", "vgg16")
        if name == FROM_TABLE
        else process(__file__, "--vgg16", name, device)
    )
    return theirs[0] / ours[0], theirs[1] / ours[1]


def said(value: float | str | None, form: str) -> str:
    """A cell: a number in a form, a dash where there is none, the name of what was raised."""
    if isinstance(value, str):
        return value[1:].partition(":")[0] if value.startswith("!") else value
    return "–" if value is None or value != value else format(value, form)  # noqa: PLR0124  nan


def titled(name: str) -> str:
    """A tool with its version."""
    return f"{name} {metadata.version(TOOLS[name].package)}"


def count_rows(results: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    """What each tool counts right."""
    for name, found in results.items():
        counts = Counter(found["outcomes"].values())
        none = counts["no answer"] == len(found["outcomes"])
        cells = ["–"] * len(OUTCOMES) if none else [str(counts[each]) for each in OUTCOMES]
        params = str(found["params"]) if found["says_params"] else "–"
        yield [titled(name), *cells, params, *(said(each, ".3f") for each in found["networks"])]


def cost_rows(results: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    """What each tool costs, and what else it does."""
    for name, found in results.items():
        field_, kept_ = (
            None if str(found[each]).startswith("!ValueError") else found[each] for each in ("field", "kept")
        )
        scripts = metadata.distribution(TOOLS[name].package).entry_points.select(group="console_scripts")
        commands = sorted(each.name for each in scripts if name.startswith(each.name))
        yield [
            titled(name), f"{said(found['time'], '.2g')}×", *_multiples(found["whole"]), found["meta"],
            said(found["afterwards"], ""), said(field_, ""), said(kept_, ".2f") + "×" * (kept_ is not None),
            ", ".join(commands) or "–",
        ]  # fmt: skip
        if "from table" in found:
            yield [FROM_TABLE, "", *_multiples(found["from table"]), *[""] * (len(COSTS) - 4)]


def _multiples(values: Sequence[float]) -> list[str]:
    return [f"{said(each, '.2g')}×" for each in values]


def table(heads: Sequence[str], rows: Iterator[list[str]]) -> str:
    """A table in Markdown, its first column to the left."""
    lines = [heads, [":--", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def missed(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Each tool's probes that are not exact, by outcome, with what it counts as a multiple of the MACs."""
    for name, found in results.items():
        parts = []
        for kind in OUTCOMES[2:]:
            names = [each for each, its in found["outcomes"].items() if its == kind]
            spelled = [f"{each} {said(found['ratios'][each], '.2f')}" for each in names]
            parts += (
                [f"{kind}: {', '.join(spelled)}"]
                if names and found["says_params"] | any(found["ratios"].values())
                else []
            )
        yield f"- {name}: {'; '.join(parts) or 'nothing to name'}"


def own(*arguments: str, given: Any = None) -> Any:
    """What this script prints as JSON when it is run with these arguments, in one thread."""
    one = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        env=one,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measured(names: Sequence[str], file: Path | None) -> dict[str, dict[str, Any]]:
    """Everything of each tool in turn. What the file holds is not measured again; it gets what is finished."""
    results: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file is not None and file.exists() else {}
    beside = own("--beside")
    for name in names:
        try:
            metadata.version(TOOLS[name].package)
        except metadata.PackageNotFoundError:
            print(f"{name} is not installed", file=sys.stderr)
            continue
        if name not in results:
            print(f"{time.strftime('%X')} {name}", file=sys.stderr)
            found = own("--tool", name, given=beside)
            found["whole"] = whole(name, "meta" if found["meta"] == "yes" else "cpu")
            if name == "archscope":
                found["from table"] = whole(FROM_TABLE)
            results[name] = found
            if file is not None:
                file.write_text(json.dumps(results))
    return {name: results[name] for name in names if name in results}


def main(arguments: Sequence[str]) -> None:
    """Every tool in turn. Imports nothing large: a process begins with the memory of the one that starts it."""
    file = None
    if arguments[:1] == ["--keep"]:
        file, arguments = Path(arguments[1]), arguments[2:]
    results = measured(arguments or [*TOOLS], file)
    print(table(HEADS, count_rows(results)), table(COSTS, cost_rows(results)), "\n".join(missed(results)), sep="\n\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["--tool"]:
        print(json.dumps(of_tool(sys.argv[2], json.loads(sys.stdin.read()))))
    elif sys.argv[1:2] == ["--beside"]:
        print(json.dumps(all_beside()))
    elif sys.argv[1:2] == ["--vgg16"]:
        counted(TOOLS[sys.argv[2]], network, "vgg16", sys.argv[3])
    else:
        main(sys.argv[1:])
