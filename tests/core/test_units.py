"""Sizes of memory as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archscope.core.errors import UsageError
from archscope.core.units import BYTE_UNITS, memory_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2GiB", 2_147_483_648),
        ("2GB", 2_000_000_000),
        ("512 KiB", 524_288),
        ("64kB", 64_000),
        ("64KB", 64_000),
        ("1.5 MiB", 1_572_864),
        (" 0.5TB ", 500_000_000_000),
        ("1TiB", 1_099_511_627_776),
        ("7B", 7),
        ("1.9B", 1),
    ],
)
def test_a_size_is_a_number_with_its_unit(text: str, size: int):
    assert memory_size(text, "--memory") == size


@given(st.integers(1, 10**9), st.sampled_from(list(BYTE_UNITS)))
def test_whole_numbers_lose_nothing(number: int, unit: str):
    assert memory_size(f"{number}{unit}", "memory") == number * BYTE_UNITS[unit]


EITHER_GIGA = "2GB (1,000,000,000 B each) or 2GiB (1,073,741,824 B each)"

UNCLEAR = {
    "2G": f"bad-value: --memory is '2G', which may mean two things\n  expected: {EITHER_GIGA}",
    "2gb": f"bad-value: --memory is '2gb', which may mean two things\n  expected: {EITHER_GIGA}",
    "2Gb": f"bad-value: --memory is '2Gb', which may mean two things\n  expected: {EITHER_GIGA}",
    "2gib": f"bad-value: --memory is '2gib', which may mean two things\n  expected: {EITHER_GIGA}",
    "512k": "bad-value: --memory is '512k', which may mean two things\n"
    "  expected: 512KB (1,000 B each) or 512KiB (1,024 B each)",
    "1.5m": "bad-value: --memory is '1.5m', which may mean two things\n"
    "  expected: 1.5MB (1,000,000 B each) or 1.5MiB (1,048,576 B each)",
    "4096": "bad-value: --memory is '4096', without a unit\n  expected: 4096MiB or 4096GiB",
    "2 gigs": "bad-value: --memory is '2 gigs': no unit of memory is called 'gigs'\n"
    "  expected: B, kB, KB, MB, GB, TB, KiB, MiB, GiB, TiB",
    "0GiB": "bad-value: --memory is '0GiB', which is no memory at all",
    "0.5B": "bad-value: --memory is '0.5B', which is no memory at all",
    "-2GiB": "bad-value: --memory is '-2GiB'\n  expected: a size with its unit, such as 2GiB",
    "GiB": "bad-value: --memory is 'GiB'\n  expected: a size with its unit, such as 2GiB",
    "": "bad-value: --memory is ''\n  expected: a size with its unit, such as 2GiB",
    "1e9B": "bad-value: --memory is '1e9B'\n  expected: a size with its unit, such as 2GiB",
    "٢GiB": "bad-value: --memory is '٢GiB'\n  expected: a size with its unit, such as 2GiB",
    "9999999999999999GiB": "bad-value: --memory is '9999999999999999GiB'\n"
    "  expected: a size with its unit, such as 2GiB",
}


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_is_unclear_is_refused_with_what_it_may_mean(text: str):
    with pytest.raises(UsageError) as caught:
        memory_size(text, "--memory")
    assert str(caught.value) == UNCLEAR[text]


@given(st.text(max_size=12))
def test_any_text_is_a_size_or_refused(text: str):
    try:
        assert memory_size(text, "memory") > 0
    except UsageError as error:
        assert error.problems[0].code == "bad-value"  # noqa: PT017
