"""Other tools that count, each used as its README says; ``peers.py`` beside this file compares them."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Callable
from typing import Any, NamedTuple


class Counted(NamedTuple):
    """What a tool says of a model: MACs, params, and what it names as left out. None where it does not say."""

    macs: float | None
    params: int | None = None
    named: tuple[str, ...] = ()


def archscope(model: Any, x: Any) -> Counted:
    """Counts by archscope."""
    import archscope as library

    totals = library.profile(model, input=x).totals
    macs = totals["macs"]
    return Counted(macs.value, totals["params"].value, tuple(macs.missing))


def archscope_real(model: Any, x: Any) -> Counted:
    """Counts by archscope, by a run on real tensors."""
    import archscope as library

    totals = library.profile(model, input=x, real=True).totals
    macs = totals["macs"]
    return Counted(macs.value, totals["params"].value, tuple(macs.missing))


def torchinfo(model: Any, x: Any) -> Counted:
    """Counts by torchinfo."""
    from torchinfo import summary

    found = summary(model, input_data=x, verbose=0, device=x.device)
    return Counted(found.total_mult_adds, found.total_params)


def fvcore(model: Any, x: Any) -> Counted:
    """Counts by fvcore, whose flops are MACs."""
    from fvcore.nn import FlopCountAnalysis, parameter_count

    analysis = FlopCountAnalysis(model, x)
    macs, left_out = analysis.total(), (*analysis.unsupported_ops(), *analysis.uncalled_modules())
    return Counted(macs, parameter_count(model)[""], left_out)


def _ptflops(model: Any, x: Any, backend: str) -> Counted:
    from ptflops import get_model_complexity_info

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        macs, params = get_model_complexity_info(
            model, tuple(x.shape[1:]), as_strings=False, print_per_layer_stat=False, verbose=True, ost=said,
            backend=backend, input_constructor=lambda _: x,
        )  # fmt: skip
    return Counted(macs, params, tuple(line for line in said.getvalue().splitlines() if "zero-op" in line))


def ptflops_pytorch(model: Any, x: Any) -> Counted:
    """Counts by ptflops, by its hooks."""
    return _ptflops(model, x, "pytorch")


def ptflops_aten(model: Any, x: Any) -> Counted:
    """Counts by ptflops, by operators."""
    return _ptflops(model, x, "aten")


def thop(model: Any, x: Any) -> Counted:
    """Counts by ultralytics-thop, asked to report what it has no rule for."""
    from thop import profile

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        macs, params = profile(model, inputs=(x,), report_missing=True)
    return Counted(macs, params, tuple(line for line in said.getvalue().splitlines() if "Cannot find rule" in line))


def calflops(model: Any, x: Any) -> Counted:
    """Counts by calflops."""
    from calflops import calculate_flops

    _, macs, params = calculate_flops(model, args=[x], print_results=False, output_as_string=False)
    return Counted(macs, params)


def torchscan(model: Any, x: Any) -> Counted:
    """Counts by torchscan; what it calls partial is its known value, with what it lacks."""
    from torchscan import crawl_module

    found = crawl_module(model, args=(x,))
    macs, params = found["totals"]["macs"], found["totals"]["parameters"]
    lacking = () if macs["status"] == "complete" else tuple(str(each) for each in found["diagnostics"])
    return Counted(macs["known_value"], params["value"], lacking)


def torchlens(model: Any, x: Any) -> Counted:
    """Counts by torchlens."""
    from torchlens import trace

    found = trace(model, x)
    return Counted(found.total_macs_forward, found.num_params, tuple(str(each) for each in found.unknown_flop_ops))


def torchview(model: Any, x: Any) -> Counted:
    """Torchview draws, and counts neither."""
    from torchview import draw_graph

    draw_graph(model, input_data=x, device=x.device)
    return Counted(None)


def flop_counter(model: Any, x: Any) -> Counted:
    """Counts by torch's FlopCounterMode; a MAC is two of its flops."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model(x)
    return Counted(counter.get_total_flops() / 2)


def flop_counter_meta(model: Any, x: Any) -> Counted:
    """The same on a copy on meta tensors."""
    return flop_counter(copy.deepcopy(model).to("meta"), x.to("meta"))


def field_by_archscope(model: Any, x: Any) -> int:
    """Receptive field of the last map, in pixels."""
    import archscope as library

    return int(library.profile(model, input=x, columns=["receptive_field"]).totals["receptive_field"].value)


def field_by_torchlens(model: Any, x: Any) -> int:
    """As above."""
    from torchlens import trace

    return int(trace(model, x).receptive_fields().frame.iloc[-1]["size"][0])


def kept_by_archscope(model: Any, x: Any) -> float:
    """Bytes that a forward pass in training keeps for the backward pass."""
    import archscope as library

    columns = ["saved_activation_bytes"]
    return float(library.profile(model, input=x, mode="train", columns=columns).totals[columns[0]].value)


def kept_by_torchinfo(model: Any, x: Any) -> float:
    """What torchinfo calls the forward/backward pass size."""
    from torchinfo import summary

    return float(summary(model, input_data=x, verbose=0, mode="train").total_output_bytes)


def kept_by_torchlens(model: Any, x: Any) -> float:
    """What torchlens calls the autograd memory."""
    from torchlens import trace

    return float(trace(model, x).total_autograd_memory)


class Tool(NamedTuple):
    """A tool: its package, the module to import, how it counts, and what else of ours it says it works out."""

    package: str
    module: str
    count: Callable[[Any, Any], Counted]
    field: Callable[[Any, Any], int] | None = None
    kept: Callable[[Any, Any], float] | None = None


TOOLS = {
    "archscope": Tool("archscope", "archscope", archscope, field_by_archscope, kept_by_archscope),
    "archscope, --real": Tool("archscope", "archscope", archscope_real),
    "torchinfo": Tool("torchinfo", "torchinfo", torchinfo, None, kept_by_torchinfo),
    "fvcore": Tool("fvcore", "fvcore.nn", fvcore),
    "ptflops, pytorch": Tool("ptflops", "ptflops", ptflops_pytorch),
    "ptflops, aten": Tool("ptflops", "ptflops", ptflops_aten),
    "ultralytics-thop": Tool("ultralytics-thop", "thop", thop),
    "calflops": Tool("calflops", "calflops", calflops),
    "torchscan": Tool("torchscan", "torchscan", torchscan),
    "torchlens": Tool("torchlens", "torchlens", torchlens, field_by_torchlens, kept_by_torchlens),
    "torchview": Tool("torchview", "torchview", torchview),
    "FlopCounterMode, CPU": Tool("torch", "torch.utils.flop_counter", flop_counter),
    "FlopCounterMode, meta": Tool("torch", "torch.utils.flop_counter", flop_counter_meta),
}
