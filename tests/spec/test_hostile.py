"""Tables from strangers: nothing runs, nothing takes long, nothing steers a terminal, errors stay short."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from errors_at import LABELLED, check_error, lowered, problems_of, table

from archscope.core.errors import TableError
from archscope.spec.compiler import compile_items


@pytest.fixture(autouse=True)
def _within_seconds() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    "cell", ["{0.__class__}", "conv{__class__}-4", "conv3-{in.real}", "{a[0]}", "{a!r:>999999999}", "%(a)s%n", "$(id)"]
)
def test_texts_are_never_formatted(cell: str):
    (problem,) = problems_of(table(f"| {cell} |", heads="| A |"))
    assert problem.code in {"unknown-placeholder", "unknown-op"}
    assert cell.strip("conv34-") in problem.message or cell in problem.message


def test_control_characters_are_spelled_out():
    (problem,) = problems_of(table("| a\u202eb\u0085c |", heads="| \u200bA |"))
    assert str(problem).splitlines()[:4] == [
        r"net.toml:6:3: unknown-op: cannot read 'a\u202eb c' as an op",
        r"    6 | | a\u202eb\x85c |",
        "      |   ^^^^^^^^^^^^^",
        r"  in:       row 1, column \u200bA",
    ]


def test_escapes_of_toml_are_spelled_out_too():
    below = '[notation]\n"a" = "\\u001b[2J\\u0007rulu"'
    (problem,) = problems_of(table("| a |", heads="| A |", below=below))
    assert "\x1b" not in str(problem)
    assert r"cannot read '\x1b[2J\x07rulu' as an op" in str(problem)


@pytest.mark.parametrize(
    "cell",
    ["x" * 400_000, "conv3-" + "9" * 400_000, "conv3-4" + "*4" * 200_000, "conv3-4 " + "a=2 " * 90_000, "{" * 300_000],
    ids=len,
)
def test_an_error_of_a_long_cell_is_short(cell: str):
    (problem,) = problems_of(table(f"| {cell} |", heads="| A |"))
    assert problem.code in {"too-long", "unknown-op"}
    assert len(str(problem)) < 1500


def test_an_error_in_a_long_line_shows_what_is_around_it():
    heads = "".join(f" n{number} |" for number in range(500))
    row = "".join(" rulu |" if number == 400 else " relu |" for number in range(500))
    picture = str(problems_of(table(f"|{row}", heads=f"|{heads}"))[0]).splitlines()
    assert picture[0].startswith("net.toml:6:2803: unknown-op")
    at = picture[2].index("^")
    assert picture[1][at : at + 4] == "rulu"
    assert picture[1].endswith("…")
    assert len(picture[1]) < 120


def multiplied(letters: str, times: int) -> str:
    """Notations each of which is so many of the next one."""
    pairs = pairwise(letters)
    return "[notation]\n" + "".join(f"{a} = {[b] * times}\n" for a, b in pairs) + f'{letters[-1]} = "relu"'


REPEATED = '[[blocks]]\nname = "a"\nrepeat = 1000\nlayers = '


@pytest.mark.parametrize(
    "below",
    [
        multiplied("abcdefghijklmnopqrst", 2),
        multiplied("abcdefg", 10),
        f'{REPEATED}[{{ repeat = 1000, layers = ["relu"] }}]',
        f'{REPEATED}[{{ repeat = 1000, branches = [[], ["relu"]] }}]',
    ],
    ids=["doubled", "tenfold", "repeats of a layer", "repeats of branches"],
)
def test_a_table_that_asks_for_a_billion_layers_is_refused(below: str):
    text = table("| a |", heads="| A |", below=below)
    check_error(text, "too-many-items", 6, 3, "more than 5,000 layers and blocks", "row 1, column A")


def test_a_billion_repeats_of_nothing_are_nothing():
    below = f"{REPEATED}[{{ repeat = 1000, layers = [{{ repeat = 1000, layers = [] }}] }}]"
    check_error(table("| a |", heads="| A |", below=below), "no-layers", 3, 1, "no row is a layer of A")


def test_a_text_that_multiplies_itself_is_refused():
    text = table("| axx |", heads="| A |", below='[notation]\n"a{x}" = "a{x}{x}{x}"')
    check_error(text, "too-long", 9, 11, "has 4,375 characters, the most are 2,000")


def test_a_template_that_could_be_taken_apart_in_a_billion_ways_is_not():
    template = "".join(f"{{v{number}}}" for number in range(30))
    below = f'{LABELLED}[notation]\n"{template}!" = "relu"'
    text = table(f"| {'x' * 1900} | 3 |", heads="| layer | k |", below=below)
    check_error(text, "unknown-op", 6, 3, "cannot read 'xxx")


@pytest.mark.parametrize(
    "cell",
    ["conv3-{" + "9*" * 96 + "9}", "conv3-{" + "(" * 95 + "4" + ")" * 95 + "}", "conv3-" + "{9*9}*" * 30 + "9"],
    ids=["product", "parentheses", "factors"],
)
def test_arithmetic_within_its_bounds_is_worked_out(cell: str):
    if cell.endswith("4" + ")" * 95 + "}"):
        lowered(table(f"| {cell} |", heads="| A |"))
    else:
        assert problems_of(table(f"| {cell} |", heads="| A |"))[0].code == "impossible-size"


def test_thousands_of_rows_and_blocks_are_read():
    blocks = "".join(f'[[blocks]]\nname = "b{number}"\nlayers = ["relu"]\n' for number in range(2000))
    lowered(table(*["| relu |"] * 500, *["| b1999 |"] * 10, heads="| A |", below=blocks))


@pytest.mark.parametrize("depth", [300, 600, 5000])
def test_lists_nested_without_end_are_refused_or_read(depth: int):
    below = f'[[blocks]]\nname = "a"\nlayers = {"[" * depth}"relu"{"]" * depth}'
    try:
        lowered(table("| a |", heads="| A |", below=below))
    except TableError as error:
        (problem,) = error.problems
        assert problem.message in {"blocks are nested too deeply", "values are nested too deeply"}


def test_blocks_written_in_python_may_not_be_nested_without_end():
    value: object = "relu"
    for _ in range(5000):
        value = [value]
    with pytest.raises(TableError, match=r"^too-deep: blocks are nested too deeply$"):
        compile_items([value])


@pytest.mark.parametrize("number", ["0x" + "F" * 9000, "9" * 5000], ids=["hexadecimal", "decimal"])
def test_a_number_that_python_does_not_spell_is_refused(number: str):
    text = table("| relu |", heads="| A |", top=f"input = [{number}, 8, 8]")
    check_error(text, "not-toml", 2, 12 if number[0] == "0" else 10, "a number has hundreds of digits")


def test_many_letters_in_a_text_are_no_number():
    lowered(table("| relu |", heads="| A |", below=f"# {'f' * 300}"))


@pytest.mark.parametrize(
    ("below", "message"),
    [
        (
            'dense = true\nrepeat = 1\nlayers = [{ repeat = 999, layers = ["conv3-4"] }]',
            "take more than 200,000 tensors",
        ),
        ('repeat = 999\njoin = "concat"\nbranches = [["relu"], ["relu"]]', "makes a tensor of absurd size"),
    ],
    ids=["dense", "doubling"],
)
def test_what_grows_without_end_is_refused(below: str, message: str):
    text = table("| a |", heads="| A |", below=f'[[blocks]]\nname = "a"\n{below}')
    (problem,) = problems_of(text)
    assert message in problem.message
    assert problem.span is not None


def test_what_is_implied_does_not_multiply():
    text = table("| relu |", heads="| A |", below=f"[implied]\nrelu = {['dropout'] * 11}")
    (problem,) = problems_of(text)
    assert problem.message == "11 layers come with one; at most 10 may"
    below = f'[[blocks]]\nname = "a"\nrepeat = 999\nlayers = ["conv3-4"]\n[implied]\nconv = {["relu"] * 9}'
    text = table(*["| a |"] * 4, heads="| A |", below=below)
    (problem,) = problems_of(text)
    assert problem.message.startswith("more than 30,000 layers, or layers that take")
