"""Forwards that ask for values: run for real, or with every size taken to be the largest possible."""

from __future__ import annotations

import probes
import pytest
import torch
from torch import nn
from torchvision import models

import archscope
from archscope import analyses
from archscope.capturing.building import built


@pytest.mark.parametrize("name", probes.EXACT)
def test_a_real_run_counts_what_a_capture_counts(name: str) -> None:
    module, example, macs = probes.EXACT[name]
    found, computed = (archscope.profile(module, input=example, real=real) for real in (False, True))
    assert computed.totals["macs"][:2] == (macs, "exact")
    assert computed.totals["params"] == found.totals["params"]
    assert [row.path for row in computed.rows if row.values["macs"]] == [
        row.path for row in found.rows if row.values["macs"]
    ]


@pytest.mark.parametrize("name", probes.STOPS)
def test_a_real_run_takes_what_asks_for_values(name: str) -> None:
    module, _ = probes.STOPS[name]
    assert archscope.profile(module, input=(16,), real=True).totals["macs"].status == "exact"


class Masking(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        chosen = x[x[..., 0] > 0]
        places = torch.nonzero(x[0, :, 0])
        return self.fc(chosen), places, torch.masked_select(x, x > 1), torch.unique(x), torch.where(x > 0)


def test_an_upper_bound_takes_everything_and_lists_what_it_assumed() -> None:
    profile = archscope.profile(Masking(), input=(9, 16), upper_bound=True)
    total = profile.totals["macs"]
    assert (total.value, total.status, total.at_most) == (9 * 64, "bound", True)
    assert profile.totals["params"][:2] == (68, "exact")
    assert profile.graph is not None
    shapes = [profile.graph.tensors[output.tensor].shape for output in profile.graph.outputs]
    assert shapes == [(9, 4), (9, 1), (144,), (144,), (144,), (144,), (144,)]
    assumptions = profile.graph.assumptions
    assert [each.rpartition(": ")[2] for each in assumptions] == [
        "a mask selects all of 9 elements", "none of 9 elements is zero", "all 144 elements are selected",
        "all 144 elements differ", "none of 144 elements is zero",
    ]  # fmt: skip
    assert all(each.startswith("Masking, ") and "test_real_and_bounds.py:" in each for each in assumptions)


def test_an_upper_bound_where_nothing_was_assumed_is_exact() -> None:
    total = archscope.profile(nn.Linear(4, 4), input=(4,), upper_bound=True).totals["macs"]
    assert (total.status, total.at_most) == ("exact", False)


def test_a_bound_from_both_sides_is_unavailable() -> None:
    class Both(Masking):
        def forward(self, x):
            return torch.cdist(x, x), super().forward(x)

    assert archscope.profile(Both(), input=(9, 16), upper_bound=True).totals["macs"][:2] == (None, "unavailable")


@pytest.mark.parametrize(
    ("name", "published"), [("ssdlite320_mobilenet_v3_large", 0.583), ("fcos_resnet50_fpn", 128.207)]
)
def test_detection_stops_and_is_bounded(name: str, published: float) -> None:
    """Published: torchvision's own count on one image, in 10⁹ MACs."""
    model = built(models.get_model_builder(name), (), {"weights": None, "weights_backbone": None})

    def make(_: int) -> tuple[tuple[object, ...], dict[str, object]]:
        return ([torch.empty(3, 800, 800, device="meta")],), {}

    with pytest.raises(archscope.ArchscopeError, match="makes a tensor whose size depends on values"):
        archscope.capture(model, make)
    total = archscope.profile(model, input=make, upper_bound=True).totals["macs"]
    assert (round(total.value / 1e9, 3), total.status, total.at_most) == (published, "bound", True)


def test_what_depends_on_no_activation_is_exact_under_an_upper_bound() -> None:
    sized = {column: analyses.of_column(column)[1].sized for column in analyses.columns()}
    plain = [column for column, each in sized.items() if not each]
    assert {"params", "trainable_params", "param_bytes", "grad_bytes"} <= set(plain)
    totals = archscope.profile(Masking(), input=(9, 16), upper_bound=True, columns=plain).totals
    assert {total.status for total in totals.values()} == {"exact"}
    trained = sum(each.numel() for each in Masking().parameters())
    assert totals["trainable_params"].value == totals["params"].value == trained
