"""What names mean: shipped networks, tables of one's own, columns; and what no name means."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from errors_at import table

from archscope import catalog
from archscope.core.errors import ArchscopeError, TableError, UnknownName
from archscope.spec.compiler import networks

Folder = Callable[..., Path]


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Makes a folder of these tables the shipped one."""

    def fill(**texts: str) -> Path:
        for stem, text in texts.items():
            (tmp_path / f"{stem}.toml").write_text(text, encoding="utf-8")
        monkeypatch.setattr(catalog, "tables_folder", lambda: tmp_path)
        return tmp_path

    return fill


def net(name: str, aliases: str = "[]", cell: str = "relu") -> str:
    return table(f"| {cell} |", heads="| A |", below=f"[networks]\n{name} = {{ column = 'A', aliases = {aliases} }}")


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("vgg16", "vgg16"), ("VGG-16", "vgg16"), ("vgg_16", "vgg16"), ("Vgg 16", "vgg16"), ("vgg16_bn", "vgg16_bn"),
        ("inception_v1", "googlenet"), ("Inception-v1", "googlenet"), ("lenet", "lenet5"), ("LeNet-5", "lenet5"),
        ("tables/vgg.toml:D", "vgg16"), ("tables/vgg.toml:vgg16", "vgg16"),
        ("tables/googlenet.toml:inception_v1", "googlenet"),
    ],
)  # fmt: skip
def test_names_are_found_however_they_are_spelled(name: str, network: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(catalog.tables_folder().parent)
    assert catalog.find(name).network == network


def test_every_network_is_found_by_its_own_name_and_its_aliases():
    for name, entry in catalog.everything().items():
        assert catalog.find(name) == entry
        for alias in networks(entry.table)[name].get("aliases", ()):
            assert catalog.find(alias) == entry


def test_errors_of_shipped_tables_name_them_wherever_they_lie(shipped: Folder):
    shipped(one=net("one", "[1]"))
    with pytest.raises(TableError, match=r"^tables/one.toml:9:23: wrong-type: 'aliases' is a list"):
        catalog.find("one")


@pytest.mark.parametrize(
    ("name", "message", "helps"),
    [
        ("vgg61", "no network is called 'vgg61'", "did you mean vgg"),
        ("zzz", "no network is called 'zzz'", "archscope list shows all"),
        ("", "no network is called ''", "archscope list shows all"),
        (
            "torchvision.models",
            "no network is called 'torchvision.models'",
            "a module's address says what of a package: torchvision.models:Name",
        ),
        ("vgg16\x1b[2J", "no network is called 'vgg16\\x1b[2J'", "did you mean"),
    ],
)
def test_a_name_that_nothing_bears_is_shown_with_those_that_are_near(name: str, message: str, helps: str):
    with pytest.raises(UnknownName) as caught:
        catalog.find(name)
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("unknown-network", message)
    assert problem.help.startswith(helps)


def test_no_two_shipped_tables_hold_one_name(shipped: Folder):
    shipped(a=net("same"), b=net("same"))
    for ask in (lambda: catalog.find("same"), catalog.everything):
        with pytest.raises(TableError) as caught:
            ask()
        (problem,) = caught.value.problems
        head = str(problem).splitlines()[0]
        assert head == "tables/b.toml:9:1: duplicate-network: 'same' is in tables/a.toml and tables/b.toml"


def test_an_alias_may_not_be_a_name_of_another_table(shipped: Folder):
    shipped(a=net("one", "['net-16']"), b=net("other", "['Net_16']"))
    for ask in (lambda: catalog.find("net16"), catalog.everything):
        with pytest.raises(TableError, match=r"duplicate-network: '.*' is in tables/a.toml and tables/b.toml"):
            ask()


def test_a_broken_table_does_not_hide(shipped: Folder):
    folder = shipped(a=net("one"))
    (folder / "b.toml").write_bytes(b"\xff")
    with pytest.raises(TableError, match=r"^tables/b.toml:1:1: not-utf-8"):
        catalog.find("one")


def test_the_tables_that_can_be_read_are_told_from_those_that_cannot(shipped: Folder):
    folder = shipped(a=net("one"), b="title = 3", d=net("two"), e=net("one"))
    (folder / "c.toml").write_bytes(b"\xff")
    found, problems = catalog.readable()
    assert list(found) == ["one", "two"]
    codes = ["wrong-type", "missing-key", "missing-key", "not-utf-8", "duplicate-network"]
    assert sorted(problem.code for problem in problems) == sorted(codes)
    with pytest.raises(TableError):
        catalog.everything()


def test_a_table_of_ones_own_with_one_network_needs_no_column(here: Path):
    (here / "mine.toml").write_text(table("| relu |", heads="| A |"))
    assert catalog.find("./mine.toml").network == "A"
    assert catalog.find(str(here / "mine.toml") + ":A").network == "A"


@pytest.mark.parametrize(
    ("address", "code", "message", "helps"),
    [
        ("mine.toml", "which-network", "mine.toml has 2 networks: A, B", "name one of them: mine.toml:A"),
        ("mine.toml:Aa", "unknown-network", "mine.toml has no network 'Aa'", "did you mean A?"),
        ("mine.toml:zzzz", "unknown-network", "mine.toml has no network 'zzzz'", "it has A, B"),
        ("none.toml", "unreadable-file", "No such file or directory: 'none.toml'", ""),
        ("x" * 300 + ".toml", "unreadable-file", f"File name too long: '{'x' * 300}.toml'", ""),
        ("a\0.toml", "unreadable-file", r"no file can be called so: 'a\x00.toml'", ""),
        ("none.toml:A", "unreadable-file", "No such file or directory: 'none.toml'", ""),
        ("folder.toml", "not-a-file", "'folder.toml' is a directory", ""),
        (f"folder.toml{os.sep}", "not-a-file", f"'folder.toml{os.sep}' is a directory", ""),
    ],
)
def test_an_address_that_leads_nowhere_says_so(here: Path, address: str, code: str, message: str, helps: str):
    (here / "mine.toml").write_text(table("| relu | relu |"))
    (here / "folder.toml").mkdir()
    with pytest.raises(ArchscopeError) as caught:
        catalog.find(address)
    (problem,) = caught.value.problems
    assert (problem.code, problem.message, problem.help) == (code, message, helps)


def test_a_table_of_ones_own_is_read_again_when_it_has_changed(here: Path):
    path = here / "mine.toml"
    path.write_text(table("| relu |", heads="| A |"))
    first = catalog.find("mine.toml").table
    assert catalog.find("mine.toml").table is first
    path.write_text(table("| relu |", "| tanh |", heads="| A |"))
    assert len(catalog.find("mine.toml").table.grid.rows) == 2


def test_a_relative_address_means_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("a", "bb"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.toml").write_text(table("| relu |", heads=f"| {name} |"))
        monkeypatch.chdir(tmp_path / name)
        assert catalog.find("mine.toml").network == name


def test_a_tables_name_stands_for_its_networks():
    assert catalog.named_networks(["lenet5", "vgg"])[:3] == ["lenet5", "vgg11", "vgg11_lrn"]
    assert catalog.table_at("vgg").source.name == "tables/vgg.toml"
    assert catalog.table_at("vgg16").source.name == "tables/vgg.toml"
