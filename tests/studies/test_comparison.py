"""The comparison as plain data: what is aligned with what, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archscope
from archscope.core.errors import UsageError
from archscope.studies.comparison import QUANTITIES, compared
from archscope.studies.profiling import Profile

COLUMNS = ("output_shape", *QUANTITIES)


def profile(name: str, **more: object) -> Profile:
    return archscope.profile(name, columns=COLUMNS, **more)  # type: ignore[arg-type]


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(["1/16", "1/8", "1/4"]), st.integers(1, 3), st.sampled_from([32, 64, 96]))
def test_stages_add_up_for_any_width_batch_and_size(width: str, batch: int, size: int) -> None:
    changed = profile("vgg11", batch=batch, width=width, head_width=width, input_size=(size, size))
    found = compared([changed, profile("googlenet", batch=batch, input_size=(224, 224))])
    for name in QUANTITIES:
        for n, each in enumerate(found.profiles):
            assert sum(stage.values[name][n] for stage in found.stages) == each.totals[name].value
            assert sum(found.difference(stage, name, n) for stage in found.stages) == found.total_difference(name, n)
            assert sum(found.share(stage, name, n) for stage in found.stages) == pytest.approx(1)
    assert [sum(stage.layers[n] for stage in found.stages) for n in (0, 1)] == [len(p.rows) for p in found.profiles]


def test_maps_are_aligned_by_the_power_of_two_by_which_they_have_shrunk() -> None:
    found = compared([profile("alexnet"), profile("vgg16")])
    sizes = {stage.name: stage.shapes for stage in found.stages}
    assert sizes["1/4"] == ("55×55", "56×56")
    assert sizes["1/8"] == ("27×27", "28×28")
    assert sizes["1/16"] == ("13×13", "14×14")
    assert sizes["1/32"] == ("6×6", "7×7")


def test_a_network_without_a_total_has_no_shares() -> None:
    found = compared([profile("vgg11"), profile("vgg11")])
    stage = found.stages[0]._replace(values=dict.fromkeys(QUANTITIES, (0, 0)))
    assert found.share(stage, "params", 0) == 0.0


def test_one_network_is_no_comparison() -> None:
    with pytest.raises(UsageError, match="too-few: a comparison needs two networks or more"):
        compared([profile("vgg11")])


def test_different_settings_are_not_compared() -> None:
    with pytest.raises(UsageError, match="mixed-settings: these profiles are of different batch, dtype or mode"):
        compared([profile("vgg11"), profile("vgg13", batch=2)])


def test_a_count_that_is_not_known_is_not_taken_for_zero() -> None:
    known = profile("vgg11")
    row = known.rows[0]._replace(values={**known.rows[0].values, "macs": None})
    unknown = Profile(**{
        name: getattr(known, name) for name in Profile.__dataclass_fields__ if name != "rows"
    } | {"rows": (row, *known.rows[1:])})  # fmt: skip
    with pytest.raises(UsageError, match="unknown-count: macs of conv1_1 \\(conv3-64\\) is not known"):
        compared([known, unknown])
