"""What ``predict`` and ``evaluate`` print, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pictures_on_disk import class_folders, flat_colour, save_picture
from runs_on_disk import save_run

from archscope.training import checkpoints, runs
from archscope.training.data import open_data


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that says how red a picture is, and pictures."""
    folder = tmp_path_factory.mktemp("made")
    for name, colour in (("blue", (0, 0, 255)), ("red", (255, 0, 0))):
        for index in range(10):
            flat_colour(folder / "data" / name / f"{index}.png", colour)
    flat_colour(folder / "data" / "blue" / "wrong.png", (255, 0, 0))
    found = open_data(f"folder:{folder / 'data'}", input_shape=(3, 8, 8), normalize="none")
    (folder / "net.toml").write_text(
        "title = 'Redness'\ninput = [3, 8, 8]\ngrid = '''\n| A |\n|---|\n| FC-2 |\n'''\n", encoding="utf-8"
    )
    model = save_run(folder / "run", str(folder / "net.toml"), found)
    with torch.no_grad():
        state = {key: torch.zeros_like(each) for key, each in model.state_dict().items()}
        weight = next(each for each in state.values() if each.dim() == 2)
        weight[1, :64], weight[0, 128:] = 0.05, 0.05
    checkpoints.save(runs.checkpoints_of(folder / "run"), "best", state, {})
    return folder


def test_a_prediction_lists_the_classes_under_each_picture(
    made: Path, archscope: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    outcome = archscope("predict run data/red/0.png data/blue/0.png", columns=80)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "run: 2 pictures\n\n"
        "class  probability\n"
        "──────────────────\n"
        "data/red/0.png\n"
        "red         96.1 %\n"
        "blue         3.9 %\n"
        "\n"
        "data/blue/0.png\n"
        "blue        96.1 %\n"
        "red          3.9 %\n"
    )


def test_a_prediction_as_json_has_every_number(
    made: Path, archscope: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    found = json.loads(archscope("predict run data/red/0.png --top 1 --format json").out)
    assert found["run"] == "run"
    (image,) = found["images"]
    assert image["image"] == "data/red/0.png"
    (best,) = image["classes"]
    assert best["class"] == "red"
    assert best["probability"] == pytest.approx(1 / (1 + 2.718281828 ** (-64 * 0.05)), abs=1e-6)
    rows = archscope("predict run data/red/0.png --format csv").out.split("\n")
    assert rows[:2] == ["image,class,probability", f"data/red/0.png,red,{best['probability']}"]


def test_an_evaluation_says_how_many_are_right_and_what_is_taken_for_what(
    made: Path, archscope: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    outcome = archscope("evaluate run --data folder:data --split all", columns=80)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "run on folder:data, all splits: 21 examples\n\n"
        "class  examples  correct   recall  precision  mostly mistaken for\n"
        "─────────────────────────────────────────────────────────────────\n"
        "blue         11       10   90.9 %    100.0 %  red (1)\n"
        "red          10       10  100.0 %     90.9 %\n"
        "\n"
        "the best checkpoint\n"
        "\n"
        "accuracy 95.2 % (20 of 21 right; 95 % interval 77.3 to 99.2 %), loss 0.1923\n"
    )
    matrix = archscope("evaluate run --data folder:data --split all --confusion --format csv").out
    assert matrix.split("\n")[:3] == ["class,blue,red", "blue,10,1", "red,0,10"]


def test_an_evaluation_as_json_has_every_number(
    made: Path, archscope: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    found = json.loads(archscope("evaluate run --data folder:data --split all --scales 8,12 --format json").out)
    assert found["confusion"] == [[10, 1], [0, 10]]
    assert found["scales"] == [8, 12]
    assert found["accuracy"] == pytest.approx(20 / 21)
    assert found["per_class"][0]["mistaken"] == "red"
    assert {"loss", "interval", "checkpoint", "split", "skipped", "top_2"} <= set(found)


def test_what_was_left_out_is_counted(made: Path, archscope: Callable, tmp_path: Path) -> None:
    class_folders(tmp_path, {"blue": 2, "red": 2})
    (tmp_path / "red" / "x.png").write_text("x")
    outcome = archscope(f"evaluate {made / 'run'} --data folder:{tmp_path} --skip-corrupt", columns=200)
    assert outcome.code == 0
    assert "1 file that cannot be read was left out" in outcome.out


@pytest.mark.parametrize(("line", "text"), [
    ("evaluate run --scales 8,x", "bad-value: --scales is '8,x'\n  expected: pixels, such as 256,384\n"),
    ("predict run", "missing-argument: archscope predict needs IMAGE…\n  help:     archscope predict --help\n"),
    ("evaluate nowhere",
     "no-run: there is no folder 'nowhere'\n  help:     give the folder that archscope train wrote with --out\n"),
])  # fmt: skip
def test_calls_that_make_no_sense_say_so(
    line: str, text: str, made: Path, archscope: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    outcome = archscope(line)
    assert outcome.code in {1, 2}
    assert (outcome.out, outcome.err) == ("", text)


def test_names_of_classes_cannot_steer_a_terminal(made: Path, archscope: Callable, tmp_path: Path) -> None:
    run = tmp_path / "run"
    found = open_data("fake:2", input_shape=(3, 8, 8))
    save_run(run, str(made / "net.toml"), found)
    (run / "classes.json").write_text(json.dumps(["\x1b[2J", "a\nb"]))
    outcome = archscope(f"predict {run} {save_picture(tmp_path / 'a.png')}", columns=80)
    assert "\\x1b[2J" in outcome.out
    assert "\x1b" not in outcome.out
    assert "a b" in outcome.out
