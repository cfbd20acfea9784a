"""Checkpoints: whole or not at all, nothing unpickled, and an error that says what is wrong with a file."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from archscope.core.errors import ArchscopeError
from archscope.training import checkpoints
from archscope.training.checkpoints import load, load_weights, restore, save, tidy


def net(seed: int = 0, width: int = 4) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.Linear(width, 2))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_saved_comes_back_bit_for_bit(tmp_path: Path) -> None:
    model, other = net(), net(1)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.rand(5, 3)).sum().backward()
    optimizer.step()
    rest = {
        "step": 3,
        "rng": torch.get_rng_state(),
        "optimizer": optimizer.state_dict(),
        "history": [{"loss": 0.1, "none": None}],
        "names": ("a", "b"),
        "best": True,
    }
    save(tmp_path / "new" / "deep", "last", model.state_dict(), rest)
    found = restore(tmp_path / "new" / "deep", "last", other)
    assert {key: value.tolist() for key, value in other.state_dict().items()} == {
        key: value.tolist() for key, value in model.state_dict().items()
    }
    assert torch.equal(found.pop("rng"), rest.pop("rng"))
    again = torch.optim.Adam(other.parameters())
    again.load_state_dict(found.pop("optimizer"))
    assert torch.equal(again.state_dict()["state"][0]["exp_avg"], rest.pop("optimizer")["state"][0]["exp_avg"])
    assert found == rest


def test_weights_are_safetensors_that_others_read(tmp_path: Path) -> None:
    model = net()
    save(tmp_path, "best", model.state_dict(), {})
    state = load_file(load(tmp_path, "best").weights)
    net(1).load_state_dict(state, strict=True)
    assert torch.equal(state["0.weight"], model[0].weight)


def test_a_model_on_meta_gets_the_tensors_of_the_file(tmp_path: Path) -> None:
    model = net()
    save(tmp_path, "last", model.state_dict(), {})
    with torch.device("meta"):
        empty = net()
    restore(tmp_path, "last", empty)
    assert torch.equal(empty[0].weight, model[0].weight)
    assert empty[0].weight.requires_grad


def test_tied_weights_and_views_are_saved(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    model[1].bias = nn.Parameter(torch.arange(6.0)[::2])
    save(tmp_path, "last", model.state_dict(), {})
    state = load_file(load(tmp_path, "last").weights)
    assert torch.equal(state["1.weight"], model[0].weight)
    assert state["1.bias"].tolist() == [0, 2, 4]


def test_one_checkpoint_of_a_name_is_kept(tmp_path: Path) -> None:
    for step in range(3):
        save(tmp_path, "last", net(step).state_dict(), {"step": step})
        save(tmp_path, "best", net(step).state_dict(), {"step": step})
    assert len(files(tmp_path)) == 4
    assert [load(tmp_path, name).rest["step"] for name in ("last", "best")] == [2, 2]


@pytest.mark.parametrize("value", [object(), b"x", {1, 2}, torch.nn.ReLU(), lambda: 0, Path()])
def test_what_could_not_be_loaded_is_not_saved(value: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError) as caught:
        save(tmp_path, "last", net().state_dict(), {"a": [1, {"b": value}]})
    assert str(caught.value) == f"rest['a'][1]['b'] is of type {type(value).__name__}, which a checkpoint cannot hold"
    with pytest.raises(TypeError, match="the state's 'x' is no tensor but int"):
        save(tmp_path, "last", {"x": 3}, {})  # type: ignore[dict-item]  # that is the point
    assert not list(tmp_path.iterdir())


class Evil:
    """What touches a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


@pytest.mark.parametrize("form", ["zip", "pickle", "legacy"])
def test_a_malicious_pickle_is_refused_and_not_run(form: str, tmp_path: Path) -> None:
    target, path = tmp_path / "touched", tmp_path / "last.pt"
    content = {"weights": "last-0123456789abcdef.safetensors", "rest": {"step": Evil(target)}}
    if form == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(ArchscopeError) as caught:
        restore(tmp_path, "last", net())
    assert str(caught.value).startswith(f"bad-checkpoint: {str(path)!r} cannot be read as a checkpoint: ")
    if form == "zip":
        assert "which could run code; nothing was loaded" in str(caught.value)
    assert not target.exists()


def damaged(folder: Path, how: str) -> Path:
    """A folder with a checkpoint whose ``last.pt`` or weights are damaged; the damaged file."""
    save(folder, "last", net().state_dict(), {"step": 1})
    path, weights = folder / "last.pt", load(folder, "last").weights
    content = path.read_bytes()
    named = weights.name
    changes: dict[str, Any] = {
        "cut": lambda: path.write_bytes(content[: len(content) // 2]),
        "empty": lambda: path.write_bytes(b""),
        "other": lambda: path.write_bytes(b"GIF89a" * 100),
        "list": lambda: torch.save([1, 2], path),
        "climbing": lambda: torch.save({"weights": "../../../etc/passwd", "rest": {}}, path),
        "no rest": lambda: torch.save({"weights": named}, path),
        "packed": lambda: _packed(path),
        "link": lambda: (path.rename(folder / "real.pt"), path.symlink_to(folder / "real.pt")),
        "fifo": lambda: (path.unlink(), os.mkfifo(path)),
        "cut weights": lambda: weights.write_bytes(weights.read_bytes()[:300]),
        "empty weights": lambda: weights.write_bytes(b""),
        "long header": lambda: weights.write_bytes(b"\xff" * 8 + weights.read_bytes()[8:]),
        "linked weights": lambda: (weights.rename(folder / "elsewhere"), weights.symlink_to(folder / "elsewhere")),
        "no weights": weights.unlink,
    }
    changes[how]()
    return weights if "weights" in how or how == "long header" else path


def _packed(path: Path) -> None:
    """The same archive, compressed: it could be larger than its file."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(("how", "text"), [
    ("cut", "cannot be read as a checkpoint: "),
    ("empty", "cannot be read as a checkpoint: "),
    ("other", "cannot be read as a checkpoint: File is not a zip file"),
    ("list", "cannot be read as a checkpoint: it does not say which weights belong to it"),
    ("climbing", "cannot be read as a checkpoint: it does not say which weights belong to it"),
    ("no rest", "cannot be read as a checkpoint: it does not say which weights belong to it"),
    ("packed", "cannot be read as a checkpoint: it is compressed"),
    ("link", "is a link, and links in a run are not followed"),
    ("fifo", "is no file"),
    ("cut weights", "cannot be read as a checkpoint: Error while deserializing header"),
    ("empty weights", "cannot be read as a checkpoint: Error while deserializing header: header too small"),
    ("long header", "cannot be read as a checkpoint: Error while deserializing header: header too large"),
    ("linked weights", "is a link, and links in a run are not followed"),
])  # fmt: skip
def test_a_damaged_checkpoint_is_an_error_that_names_the_file(how: str, text: str, tmp_path: Path) -> None:
    path, model = damaged(tmp_path, how), net(5)
    before = model[0].weight.clone()
    with pytest.raises(ArchscopeError) as caught:
        restore(tmp_path, "last", model)
    assert str(caught.value).startswith(f"bad-checkpoint: {str(path)!r} {text}")
    assert torch.equal(model[0].weight, before)


def test_a_checkpoint_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(ArchscopeError) as caught:
        load(tmp_path, "best")
    assert str(caught.value) == f"no-checkpoint: there is no checkpoint {str(tmp_path / 'best.pt')!r}"
    weights = damaged(tmp_path, "no weights")
    with pytest.raises(ArchscopeError) as caught:
        restore(tmp_path, "last", net())
    expected = f"bad-checkpoint: {str(tmp_path / 'last.pt')!r} names {weights.name!r}, which is not there"
    assert str(caught.value) == expected


def test_a_checkpoint_of_another_network_names_the_first_keys_that_differ(tmp_path: Path) -> None:
    save(tmp_path, "last", net().state_dict(), {})
    path = load(tmp_path, "last").weights
    wider, deeper = net(width=5), nn.Sequential(*net(), nn.Linear(2, 2))
    with pytest.raises(ArchscopeError) as caught:
        load_weights(path, wider)
    assert str(caught.value) == (
        f"other-network: {str(path)!r} is of another network: '0.weight' is 4×3, and the network's 5×3; "
        "'0.bias' is 4, and the network's 5; '1.weight' is 4, and the network's 5 and 4 more\n"
        "  help:     train again without --resume, or give the folder of another run"
    )
    with pytest.raises(ArchscopeError, match=r"'3.weight' is missing; '3.bias' is missing\n"):
        load_weights(path, deeper)
    with pytest.raises(ArchscopeError, match=r"the network has no '2.bias'; the network has no '2.weight'\n"):
        load_weights(path, net()[:2])


@pytest.mark.parametrize("at", ["write", "fsync", "replace"])
@pytest.mark.parametrize("file", ["weights", "rest"])
def test_a_full_disk_is_an_error_and_the_previous_checkpoint_stays(
    at: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = net()
    save(tmp_path, "last", model.state_dict(), {"step": 1})
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    calls = 0

    def full(real: Any) -> Any:
        def call(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > {"weights": 0, "rest": 2 if at == "fsync" and hasattr(os, "O_DIRECTORY") else 1}[file]:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments)

        return call

    with monkeypatch.context() as patched:
        if at == "fsync":
            patched.setattr(os, "fsync", full(os.fsync))
        elif at == "replace":
            patched.setattr(Path, "replace", full(Path.replace))
        else:
            patched.setattr(Path, "open", full(Path.open))
        with pytest.raises(ArchscopeError) as caught:
            save(tmp_path, "last", net(1).state_dict(), {"step": 2})
    assert str(caught.value).startswith(f"cannot-write: '{tmp_path}/last")
    assert "No space left on device" in str(caught.value)
    assert str(caught.value).endswith("\n  help:     the checkpoint 'last' before it is as it was")
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before
    assert restore(tmp_path, "last", net(2))["step"] == 1


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArchscopeError, match=r"cannot-write: '.*/file/checkpoints': Not a directory"):
        save(tmp_path / "file" / "checkpoints", "last", net().state_dict(), {})


SAVER = """
import sys
from pathlib import Path
import torch
from archscope.training.checkpoints import save
model = torch.nn.Linear(300, 300)
print("ready", flush=True)
for step in range(1_000_000):
    torch.nn.init.constant_(model.weight, step)
    save(Path(sys.argv[1]), "last", model.state_dict(), {"value": step})
"""


def value_of(folder: Path) -> float:
    """The number that the last checkpoint's rest and all its weights hold."""
    model = nn.Linear(300, 300)
    rest = restore(folder, "last", model)
    assert bool((model.weight == rest["value"]).all())
    return float(rest["value"])


def test_two_processes_that_save_at_once_never_leave_less_than_a_checkpoint_nor_does_a_kill(tmp_path: Path) -> None:
    ours, seen = nn.Linear(300, 300), set[bool]()
    with subprocess.Popen([sys.executable, "-c", SAVER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "ready\n"
            while not (tmp_path / "last.pt").exists():
                assert other.poll() is None
            for step in range(1, 2000):
                nn.init.constant_(ours.weight, -step)
                save(tmp_path, "last", ours.state_dict(), {"value": -step})
                seen.add(value_of(tmp_path) < 0)
                seen.add(value_of(tmp_path) < 0)
                if step >= 30 and len(seen) == 2:
                    break
        finally:
            other.kill()
    assert seen == {True, False}  # both have been the last to save
    value_of(tmp_path)
    tidy(tmp_path)
    assert len(files(tmp_path)) == 2
    value_of(tmp_path)


def test_tidying_takes_what_was_left_behind_and_nothing_else(tmp_path: Path) -> None:
    save(tmp_path, "last", net().state_dict(), {})
    kept = [*files(tmp_path), "notes.txt", "mine.safetensors"]
    for name in (".last.pt.0123abcd.part", "best-0123456789abcdef.safetensors", "notes.txt", "mine.safetensors"):
        (tmp_path / name).write_text("x")
    tidy(tmp_path)
    assert files(tmp_path) == sorted(kept)
    tidy(tmp_path / "nowhere")


def test_a_checkpoint_that_is_replaced_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, "last", net().state_dict(), {"step": 1})
    real, replaced = checkpoints.load, []

    def slow(folder: Path, name: str) -> Any:
        found = real(folder, name)
        if not replaced:
            replaced.append(found)
            save(folder, name, net(1).state_dict(), {"step": 2})
        return found

    monkeypatch.setattr(checkpoints, "load", slow)
    model = net(2)
    assert restore(tmp_path, "last", model)["step"] == 2
    assert torch.equal(model[0].weight, net(1)[0].weight)
