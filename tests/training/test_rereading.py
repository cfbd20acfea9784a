"""What a training wrote comes back as it was written, and a file that a stranger changed is named."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from archscope.core.errors import ArchscopeError
from archscope.training import recording
from archscope.training.events import Epoch, Report
from archscope.training.rereading import read_written

HISTORY = (
    Epoch(0, 4, {"logits": 1 / 3, "aux1": 0.25}, 0.5, 0.75, 0.625, 0.1, 12.5, 0.25),
    Epoch(1, 8, {"logits": math.inf, "aux1": 0.125}, 0.5, 0.75, 0.625, 1e-05, 12.5, 0.25),
)
HEAD = "epoch,step,accuracy,validation_loss,validation_accuracy,rate,images_per_second,seconds,logits_loss\n"
SIGN = {"status": "odd", "what": "w", "cause": "c", "mend": "m", "name": "n"}
VERDICT = {"verdict": "learns", "causes": [], "signs": [SIGN]}


def test_history_reports_and_verdict_come_back(tmp_path: Path) -> None:
    reports = (Report(2, {"logits": 0.1, "aux1": 2.0}, 0.5), Report(4, {"logits": 0.2, "aux1": 1.0}, 0.75))
    recording.write_history(tmp_path, HISTORY)
    for report in reports:
        recording.add_metrics(tmp_path, report)
    (tmp_path / "verdict.json").write_text(json.dumps(VERDICT))
    found = read_written(tmp_path)
    assert (found.history, found.reports) == (HISTORY, reports)
    assert found.verdict is not None
    assert [sign._asdict() for sign in found.verdict.signs] == [SIGN]


def test_a_report_that_was_torn_off_is_none(tmp_path: Path) -> None:
    recording.write_history(tmp_path, HISTORY)
    recording.add_metrics(tmp_path, Report(2, {"logits": 0.1}, 0.5))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "los')
    assert [report.step for report in read_written(tmp_path).reports] == [2]


@pytest.mark.parametrize(("name", "content", "told"), [
    ("history.csv", "a,b\n", "has other columns than a training writes"),
    ("history.csv", HEAD.replace("logits_loss", "logits"), "has other columns than a training writes"),
    ("history.csv", HEAD + "0,1,x,1,1,1,1,1,1\n", "has in line 2 what is no number"),
    ("history.csv", HEAD + "0,1,1,1,1,1,1,1,1\n1,2\n", "has in line 3 no epoch: it was cut off, or changed"),
    ("history.csv", HEAD + "0,1e300,1,1,1,1,1,1,1\n", "has in line 2 no epoch"),
    ("history.csv", HEAD + "0,nan,1,1,1,1,1,1,1\n", "has in line 2 no epoch"),
    ("history.csv", HEAD + "\n", "has in line 2 no epoch"),
    ("history.csv", "x" * 200_000, "is no table: field larger than field limit"),
    ("history.csv", b"\xff", "is no text in UTF-8"),
    ("metrics.jsonl", '[]\n{"step": 1, "losses": {}, "accuracy": 1}\n', "has in line 1 no report"),
    ("metrics.jsonl", '{"step": -1, "losses": {}, "accuracy": 1}\n{}\n', "has in line 1 no report"),
    ("metrics.jsonl", '{"step": 1, "losses": {"a": "b"}, "accuracy": 1}\n{}\n', "has in line 1 no report"),
    ("metrics.jsonl", '{"step": [], "losses": {}, "accuracy": 1}\n{}\n', "has in line 1 no report"),
    ("verdict.json", "[]", "has no verdict"),
    ("verdict.json", '{"verdict": ["learns"]}', "has no verdict"),
    ("verdict.json", json.dumps(VERDICT | {"signs": [SIGN | {"status": "fault!"}]}), "has signs that no training"),
    ("verdict.json", json.dumps(VERDICT | {"signs": [SIGN | {"what": 3}]}), "has signs that no training gives"),
    ("verdict.json", json.dumps(VERDICT | {"signs": [SIGN | {"what": "a" * 10_001}]}), "has signs that no training"),
    ("verdict.json", json.dumps(VERDICT | {"causes": "c"}), "has causes that no training gives"),
    ("verdict.json", "{", "is no JSON"),
])  # fmt: skip
def test_a_file_that_was_changed_is_named(name: str, content: str | bytes, told: str, tmp_path: Path) -> None:
    recording.write_history(tmp_path, HISTORY)
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ArchscopeError, match=f"bad-run: '.*{name}' {told}"):
        read_written(tmp_path)


@pytest.mark.parametrize("name", ["history.csv", "metrics.jsonl", "verdict.json"])
def test_links_are_not_followed_and_folders_are_no_files(name: str, tmp_path: Path) -> None:
    recording.write_history(tmp_path, HISTORY)
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).symlink_to("/etc/hostname")
    with pytest.raises(ArchscopeError, match=f"bad-run: '.*{name}' is a link, and links in a run are not followed"):
        read_written(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with pytest.raises(ArchscopeError, match=f"bad-run: '.*{name}' is no file"):
        read_written(tmp_path)


def test_a_file_that_is_too_large_is_not_taken_in(tmp_path: Path) -> None:
    with (tmp_path / "history.csv").open("wb") as file:
        file.truncate(2**26 + 1)
    with pytest.raises(ArchscopeError, match="has 67,108,865 bytes, and at most 67,108,864 are read"):
        read_written(tmp_path)
