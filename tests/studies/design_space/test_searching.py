"""Searches: the optimum of brute force where all designs are looked at, and something near it where some are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import archscope
from archscope.api import searches
from archscope.api.cell_spaces import cell_space
from archscope.api.changeable import TableDesign
from archscope.core.errors import UsageError

VARY = {"width": "1/50:2:1/50", "input": "120:516:4"}
LIMITS: dict[str, Any] = {"at_most": {"macs": "3G", "params": "20M"}, "at_least": {"params": "2M"}}


def brute_force() -> Any:
    whole = archscope.sweep("googlenet", vary=VARY)
    assert whole.points == 10_000
    fits = (whole["macs"] <= 3 * 10**9) & (whole["params"] <= 20 * 10**6) & (whole["params"] >= 2 * 10**6)
    return np.where(fits, whole["activations"], -1)


@pytest.mark.parametrize(("goal", "best"), [("maximize", np.max), ("minimize", lambda v: v[v >= 0].min())])
def test_of_ten_thousand_designs_the_optimum_is_that_of_brute_force(goal: str, best: Any):
    found = archscope.search("googlenet", vary=VARY, **{goal: "activations"}, **LIMITS)
    values = brute_force()
    assert found.value == best(values)
    assert (found.optimum, found.tried, found.designs, found.fitting) == (True, 10_000, 10_000, (values >= 0).sum())
    width, size = found.best.point["width"], int(found.best.point["input"])
    totals = archscope.profile("googlenet", width=width, input_size=(size, size)).totals
    assert found.best.numbers["macs"] == totals["macs"].value <= 3 * 10**9
    assert found.best.graph().tensors[0].shape == (1, 3, size, size)


def test_of_more_designs_optuna_finds_a_good_one_within_the_limits(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("optuna")
    monkeypatch.setattr(searches, "SWEPT", 100)
    found = archscope.search("googlenet", vary=VARY, maximize="activations", trials=600, **LIMITS)
    values = brute_force()
    assert not found.optimum
    assert found.tried <= 600 < found.designs
    assert np.quantile(values[values >= 0], 0.95) <= found.value <= values.max()
    assert found.best.numbers["macs"] <= 3 * 10**9
    again = archscope.search("googlenet", vary=VARY, maximize="activations", trials=600, **LIMITS)
    assert (again.best.point, again.value) == (found.best.point, found.value)


def test_a_function_is_asked_about_designs_that_fit_and_no_others():
    pytest.importorskip("optuna")
    asked: list[Any] = []

    def objective(candidate: Any) -> float:
        asked.append(candidate)
        model = archscope.build(candidate.graph(), device="meta")
        return float(sum(each.numel() for each in model.parameters()))

    vary = {"width": "1/16:1:1/16", "input": "16:96:16", "bn": "none,conv"}
    arguments: dict[str, Any] = {"vary": vary, "at_most": {"macs": "100M"}, "where": "input > 16", "num_classes": 10}
    found = archscope.search("vgg11", maximize=objective, trials=30, aux=True, **arguments)
    assert asked
    assert all(each.numbers["macs"] <= 10**8 and each.numbers["input"] > 16 for each in asked)
    assert found.value == found.best.numbers["params"] == max(each.numbers["params"] for each in asked)
    assert len({tuple(each.point.items()) for each in asked}) == len(asked) == found.fitting


def test_without_a_space_the_cells_of_the_table_are_varied():
    pytest.importorskip("optuna")
    arguments: dict[str, Any] = {"at_most": {"params": "130M", "macs": "8G"}, "maximize": "activations", "trials": 64}
    found = archscope.search("vgg11", **arguments)
    assert not found.optimum
    assert found.designs > 10**6
    cells = {name: text for name, text in found.best.point.items() if name != "network"}
    totals = archscope.profile("vgg11", set=cells).totals
    assert found.value == totals["activations"].value
    assert found.best.numbers["params"] == totals["params"].value <= 130 * 10**6
    assert totals["macs"].value <= 8 * 10**9


def test_cells_have_other_channels_kernels_and_repeats_and_the_classes_stay():
    from archscope import catalog

    def cells(network: str) -> dict[str, list[str]]:
        entry = catalog.find(network)
        return cell_space(TableDesign(entry.network, entry.table, {}))

    resnet = cells("resnet18")
    assert resnet["conv1.18-layer"][:2] == ["5×5, 32, stride 2", "5×5, 48, stride 2"]
    assert len(resnet["conv4_x.18-layer"]) == 3 * 4 * 3
    assert "[3×3, 256; 3×3, 256] ×3" in resnet["conv4_x.18-layer"]
    assert set(resnet) == {"conv1.18-layer", "row 2.18-layer", "row 3.18-layer"} | {
        f"conv{n}_x.18-layer" for n in "345"
    }
    vgg = cells("vgg16")
    assert vgg["row 3.D"] == [f"conv{kernel}-{size}" for kernel in (1, 3, 5) for size in (32, 48, 64, 96)]
    assert not any("1000" in text for texts in vgg.values() for text in texts)
    assert cells("squeezenet1_0")["fire4.s1x1 (#1x1 squeeze)"] == ["16", "24", "32", "48"]


@pytest.mark.parametrize("networks", [("vgg16", "vgg11"), (), (["conv3-8"],)])
def test_only_the_cells_of_one_network_of_a_table_are_a_space(networks: tuple[Any, ...]):
    with pytest.raises(UsageError, match="a search needs something to vary, unless it is of one network of a table"):
        archscope.search(*networks, maximize="macs")


def test_where_nothing_fits_there_is_no_best():
    found = archscope.search("vgg11", vary={"width": "1/2,1"}, minimize="macs", at_most={"params": 5})
    assert (found.best, found.value, found.fitting, found.tried) == (None, None, 0, 2)
    pytest.importorskip("optuna")
    found = archscope.search("vgg11", vary={"width": "1/2,1"}, minimize=len, at_most={"params": 5}, trials=5)
    assert (found.best, found.value, found.fitting) == (None, None, 0)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "bad-value: a search needs one objective: either maximize or minimize"),
        ({"maximize": "macs", "minimize": "macs"}, "bad-value: a search needs one objective"),
        ({"maximize": "mac"}, "unknown-column: no column to order by is called 'mac'"),
        ({"maximize": "macs", "at_most": {"parms": "5M"}}, "unknown-column: no column is called 'parms'"),
        ({"maximize": "macs", "at_most": {"params": "5GiB"}}, "mixed-units: 'params <= 5GiB' mixes units"),
        ({"maximize": "macs", "at_most": {"params": "much"}}, "bad-value: 'much' is no number"),
        ({"maximize": "macs", "trials": 0}, "bad-value: trials is 0"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any], problem: str):
    with pytest.raises(UsageError) as caught:
        archscope.search("vgg11", vary={"width": "1"}, **arguments)
    assert str(caught.value).startswith(problem)
