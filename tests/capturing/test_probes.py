"""Modules on which counters disagree: every count is exact, or the capture says what stops it and where."""

from __future__ import annotations

import probes
import pytest

import archscope
from archscope.core.errors import Unsupported


@pytest.mark.parametrize("name", probes.EXACT)
def test_macs_and_params_are_exact(name: str) -> None:
    module, example, macs = probes.EXACT[name]
    profile = archscope.profile(module, input=example)
    assert profile.totals["macs"] == (macs, "exact", ())
    params = probes.PARAMS.get(name, sum(each.numel() for each in module.parameters()))
    assert profile.totals["params"] == (params, "exact", ())


@pytest.mark.parametrize("name", probes.STOPS)
def test_what_depends_on_values_stops_and_says_where(name: str) -> None:
    module, message = probes.STOPS[name]
    with pytest.raises(Unsupported) as caught:
        archscope.capture(module, (16,))
    (problem,) = caught.value.problems
    assert problem.code == "needs-values"
    assert problem.message.startswith(message)
    assert problem.span is not None
    assert problem.span.source.name.endswith("probes.py")
    assert "x" in problem.span.line_text
    assert "--real" in problem.help
