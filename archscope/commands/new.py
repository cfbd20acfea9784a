"""``archscope new mypaper.toml``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from archscope.commands import ForceFlag
from archscope.core.errors import Problem, UsageError, printable
from archscope.core.writing import write_whole

SKELETON = """# A paper's table is the program: type it in as printed, then say below what it leaves out.
#
#   archscope check {name}                 is it right? every mistake names its line, row and column
#   archscope summary {name}:{stem}_a
#   archscope compare {name}
#
title = "The paper's title"
arxiv = "0000.00000"        # or: doi, url
table = "Table 1"
input = [3, 32, 32]         # one example: channels, height, width

# One column per network. A row with a single cell belongs to all of them. `archscope ops` lists what a cell may say.
grid = \'\'\'
| A         | B         |
|-----------|-----------|
| conv3-32  | conv3-32  |
|           | conv3-32  |
| maxpool |
| conv3-64  | conv3-64  |
|           | conv1-64  |
| maxpool |
| FC-128 |
| FC-10 |
| soft-max |
\'\'\'

# Cells that the paper spells in its own way, and what they mean here.
[notation]
"pool, /2" = "maxpool"

# What the text says once: what follows every hidden layer of a kind.
[implied]
conv = ["relu"]
FC = ["relu", "dropout 0.5"]

# How layers are called: {{stage}} counts up after each pool, {{i}} within a stage, {{of}} is the last layer's number.
[names]
conv = "conv{{stage}}_{{i}}"
maxpool = "pool{{stage}}"
FC = "fc{{stage}}"
relu = "relu{{of}}"
dropout = "drop{{of}}"

[networks]
{stem}_a = "A"
{stem}_b = "B"
"""


def new(
    path: Annotated[Path, typer.Argument(help="The file to write.", metavar="FILE.toml")],
    force: ForceFlag = False,
) -> None:
    """Writes a commented table that works, to be changed into a paper's.

    Examples:

        archscope new mypaper.toml
    """
    if path.suffix != ".toml":
        raise UsageError(Problem("bad-value", f"the name is {str(path)!r}", expected="a name that ends in .toml"))
    stem = "".join(c if c.isalnum() else "_" for c in path.stem.lower())
    stem = stem if stem[:1].isalpha() else f"net_{stem}"
    write_whole(path, SKELETON.format(name=printable(str(path)).replace("\n", " "), stem=stem), force=force)
    typer.echo(f"wrote {printable(str(path))}; next: archscope check {printable(shlex.quote(str(path)))}")
