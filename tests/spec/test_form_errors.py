"""What is wrong with the form of a table file: keys, types, the grid, the file itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from errors_at import check_error, problems_of, table

from archscope.core.errors import TableError
from archscope.spec.table import LARGEST_FILE, read_source


def test_missing_keys_are_all_named():
    found = problems_of("table = 'x'")
    assert [problem.message for problem in found] == [f"a table needs {key!r}" for key in ("title", "input", "grid")]
    assert str(found[0]).splitlines() == [
        "net.toml:1:1: missing-key: a table needs 'title'",
        "    1 | table = 'x'",
        "      | ^",
        "  expected: title, input, grid",
    ]


@pytest.mark.parametrize(
    ("below", "line", "column", "key", "helps"),
    [
        ("titel = 3", 8, 1, "titel", "did you mean title?"),
        ("[[blocks]]\nlayer = ['relu']\nname = 'x'", 9, 1, "layer", "did you mean layers, after?"),
        ("[networks]\na = { column = 'A', alias = ['q'] }", 9, 21, "alias", "did you mean aliases, values?"),
        ("[networks]\na = { column = 'A', col = 'q' }", 9, 21, "col", "did you mean column?"),
        ("[networks.a]\ncolumn = 'A'\nalias = ['q']", 10, 1, "alias", "did you mean aliases, values?"),
        ("[columns]\nA = { cel = '{k}' }", 9, 7, "cel", "did you mean cell?"),
        ("[[side_branches]]\nname = 'x'\nafter = 'a'\nlayers = []\nweight = 1", 12, 1, "weight", ""),
        ("[networks.a.b.c]\nd = 1", 8, 2, "b", ""),
    ],
)
def test_an_unknown_key_is_shown_where_it_stands(below: str, line: int, column: int, key: str, helps: str):
    problem = check_error(
        table("| relu |", heads="| A |", below=below), "unknown-key", line, column, f"{key!r} means nothing here"
    )
    assert helps in problem.help


@pytest.mark.parametrize(
    ("below", "line", "column", "message"),
    [
        ("year = '2014'", 8, 1, "'year' is a string, and must be a whole number"),
        ("year = true", 8, 1, "'year' is true or false, and must be a whole number"),
        ("columns = 3", 8, 1, "'columns' is a whole number, and must be a table"),
        ("networks = ['a']", 8, 1, "'networks' is a list, and must be a table"),
        ("blocks = { a = 1 }", 8, 1, "'blocks' is a table, and must be a list of tables"),
        ("side_branches = [1]", 8, 1, "'side_branches' is a list, and must be a list of tables"),
        ("names = { conv = 3 }", 8, 11, "'conv' is a whole number, and must be a string"),
        ("[implied]\nconv = [3]", 9, 1, "'conv' is a list, and must be a list of strings or a table"),
        ("[implied]\nconv = { a = 3 }", 9, 10, "'a' is a whole number, and must be a string"),
        ("[networks]\na = { aliases = [1] }", 9, 7, "'aliases' is a list, and must be a list of strings"),
        ("[networks]\na = 3", 9, 1, "'a' is a whole number, and must be a string or a table"),
        ("[[blocks]]\nrow = 'x'\njoin = ['add']\nlayers = []", 10, 1, "'join' is a list, and must be a string"),
        ("[[blocks]]\nrow = 'x'\nfilled = [1]\nlayers = []", 10, 1, "must be a list of strings"),
    ],
)
def test_a_value_of_another_type_says_what_it_must_be(below: str, line: int, column: int, message: str):
    check_error(table("| relu |", heads="| A |", below=below), "wrong-type", line, column, message)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("[0, 8, 8]", "impossible-input"),
        ("[3, -8, 8]", "impossible-input"),
        ("[3, 100001, 8]", "impossible-input"),
        ("[3, 8]", "impossible-input"),
        ("[]", "impossible-input"),
        ("[true, 8, 8]", "wrong-type"),
        ("[3, 8.5, 8]", "wrong-type"),
        ("['3', 8, 8]", "wrong-type"),
        ("'3x8x8'", "wrong-type"),
    ],
)
def test_an_input_is_a_shape(value: str, code: str):
    check_error(table("| relu |", heads="| A |", top=f"input = {value}"), code, 2, 1, "'input' is ")


@pytest.mark.parametrize(
    ("below", "code", "line", "column", "message"),
    [
        ("[columns]\nzz = 'field'", "unknown-column", 9, 1, "no column is called 'zz'"),
        ("[columns]\nA = 'fild'", "bad-value", 9, 1, "column 'A' is 'fild'"),
        ("[networks]\nb = 'Z'", "unknown-column", 9, 6, "no column is called 'Z'"),
        ("[networks]\nb = {}", "missing-key", 9, 1, "b names no column, and every column is a network of its own"),
        ("[networks]\nb = { column = 'A', bn = 'cnv' }", "bad-value", 9, 27, "bn is 'cnv'"),
        ("[networks]\nb = { column = 'A', blocks = [2] }", "bad-value", 9, 21, "blocks of b is [2]"),
        ("[networks]\nb = { column = 'A', round_to = 0 }", "bad-value", 9, 21, "round_to is 0"),
        ("[networks]\nb = { column = 'A', input = [0] }", "impossible-input", 9, 1, "'b' is [0]"),
        ("[implied]\nconvv = ['relu']", "unknown-op", 9, 1, "no op is called 'convv'"),
        ("[implied]\nrelu = ['rulu']", "unknown-op", 9, 1, "cannot read 'rulu' as an op"),
        ("[names]\nrelu = 'relu{q}'", "unknown-placeholder", 6, 3, "nothing is called {q} here"),
        ("[names]\nrelu = 'a.b'", "bad-name", 6, 3, "'a.b' cannot name a part of a module"),
        ("[[blocks]]\nrow = 'x'\nfilled = ['zz']\nlayers = []", "unknown-column", 10, 12, "no column is called 'zz'"),
        (
            "[[side_branches]]\nname = 'x'\nafter = 'zz'\nlayers = ['relu']",
            "unknown-layer", 10, 10, "no layer is called 'zz'",
        ),
        (
            "[[side_branches]]\nname = 'x'\nafter = 'a'\nlayers = ['rulu']",
            "unknown-op", 11, 12, "cannot read 'rulu' as an op",
        ),
        (
            "[networks]\nb = { column = 'A', after = { zz = ['relu'] } }",
            "unknown-layer", 9, 31, "no layer is called 'zz'",
        ),
        (
            "[networks]\nb = { column = 'A', after = { a = ['rulu'] } }",
            "unknown-op", 9, 37, "cannot read 'rulu' as an op",
        ),
    ],
)  # fmt: skip
def test_what_the_file_says_below_its_grid_must_fit_it(below: str, code: str, line: int, column: int, message: str):
    check_error(table("| relu |", heads="| A |", below=below), code, line, column, message)


def test_a_side_branch_needs_all_its_keys():
    found = problems_of(table("| relu |", heads="| A |", below="[[side_branches]]\nname = 'x'"))
    assert [problem.message for problem in found] == [f"a side branch needs {key!r}" for key in ("after", "layers")]


def test_a_source_and_an_erratum_need_their_keys():
    found = problems_of(table("| relu |", heads="| A |", below="[[published]]\nnetwork = 'A'\n[[errata]]\nrow = 'x'"))
    assert [problem.message for problem in found] == [
        "a source needs 'source'", *(f"an erratum needs {key!r}" for key in ("column", "printed", "says")),
    ]  # fmt: skip


def test_a_layer_of_a_side_branch_that_does_not_fit_is_shown_there():
    below = "[[side_branches]]\nname = 'x'\nafter = 'a'\nlayers = ['relu', 'conv11-4 valid']"
    text = table("| a: relu |", "| FC-3 |", heads="| A |", below=below)
    check_error(text, "impossible-shape", 12, 20, "a kernel that reaches 11 is larger than its padded input 8")


@pytest.mark.parametrize(
    ("below", "line", "column", "message"),
    [
        ("[networks]\nb = { column = 'A', aliases = ['x'] }\nx = 'A'", 10, 1, "b and x are both called 'x'"),
        ("[networks]\nb = 'A'\nx = { column = 'A', aliases = ['y', 'b'] }", 10, 38, "b and x are both called 'b'"),
    ],
)
def test_no_two_networks_of_a_file_bear_one_name(below: str, line: int, column: int, message: str):
    check_error(table("| relu |", heads="| A |", below=below), "duplicate-network", line, column, message)


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "message"),
    [
        (table("| relu | relu | relu |"), "wrong-cell-count", 6, 1, "row 1 has 3 cells, the head has 2"),
        (table("| relu | relu |", heads="| A | B | C |"), "wrong-cell-count", 6, 1, "row 1 has 2 cells, the head has"),
        (table("| relu |", "relu |", heads="| A |"), "no-row", 7, 1, "a row begins with |"),
        (table("| relu | relu | relu |", heads="| A | B | A |"), "duplicate-column", 4, 11, "two columns are headed"),
        (table("| relu | relu |", heads="| A |   |"), "no-head", 3, 1, "a column has no head"),
        (table(heads="| A |"), "no-grid", 3, 1, "this grid has no rows"),
        (table("| |", heads="| A |"), "no-layers", 3, 1, "no row is a layer of A"),
        (
            'title = "x"\ninput = [1, 1, 1]\ngrid = "| A |\\n|---|\\n| relu |"',
            "no-grid", 3, 1, "the grid is not written as it stands: its cells have no place",
        ),
    ],
)  # fmt: skip
def test_a_grid_is_a_head_a_line_and_full_rows(text: str, code: str, line: int, column: int, message: str):
    check_error(text, code, line, column, message)


def test_a_grid_may_begin_and_end_on_the_lines_of_its_quotes():
    text = "title = 'x'\ninput = [3, 8, 8]\ngrid = '''| A    |\n|---|\n| conv3-4 |\n| rulu |'''"
    check_error(text, "unknown-op", 6, 3, "cannot read 'rulu'")
    check_error(text.replace("A    ", "A | A"), "duplicate-column", 3, 17, "two columns are headed 'A'")


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("title = 'x", 1, 11, 'Expected "\'"'),
        ("title = 'x'\ngrid = '''\n| A |", 3, 6, "Expected \"'''\""),
        ("title = 'x'\ntitle = 'y'", 2, 12, "Cannot overwrite a value"),
        ("title = 'x\x1b[2J'", 1, 11, "Found invalid character '\\x1b'"),
        ("a = " + "[" * 5000, 1, 1, "values are nested too deeply"),
    ],
)
def test_what_is_no_toml_is_an_error_where_it_ends(text: str, line: int, column: int, message: str):
    check_error(text, "not-toml", line, column, message)


def read_error(path: Path) -> str:
    with pytest.raises(TableError) as caught:
        read_source(path, "net.toml")
    return str(caught.value).splitlines()[0]


def test_a_file_of_100_mb_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "net.toml"
    path.touch()
    os.truncate(path, 100_000_000)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    assert read_error(path) == f"net.toml:1:1: too-large: 100,000,000 bytes; a table has at most {LARGEST_FILE:,}"


def test_what_is_no_file_is_refused(tmp_path: Path):
    assert read_error(tmp_path) == "net.toml:1:1: not-a-file: 'net.toml' is a directory"
    missing = tmp_path / "missing.toml"
    assert read_error(missing) == "net.toml:1:1: unreadable-file: No such file or directory: 'net.toml'"
    os.mkfifo(tmp_path / "pipe.toml")
    assert read_error(tmp_path / "pipe.toml") == "net.toml:1:1: not-a-file: 'net.toml' is no regular file"


def test_bytes_that_are_not_utf_8_are_shown_where_they_stand(tmp_path: Path):
    path = tmp_path / "net.toml"
    path.write_bytes("title = 'x'\nnote = 'é".encode() + b"\xff'")
    assert read_error(path) == "net.toml:2:10: not-utf-8: byte 0xff is not UTF-8"


def test_lines_may_end_as_in_windows(tmp_path: Path):
    path = tmp_path / "net.toml"
    path.write_bytes(table("| rulu |", heads="| A |").replace("\n", "\r\n").encode())
    check_error(read_source(path, "net.toml").text, "unknown-op", 6, 3, "cannot read 'rulu'")
