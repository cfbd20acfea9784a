"""A trained network's word on pictures is what torch says by hand, from the run's folder alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from pictures_on_disk import class_folders, save_picture
from PIL import Image
from runs_on_disk import save_run
from torch import nn
from torchvision.transforms import v2

import archscope
from archscope.core.errors import ArchscopeError, UsageError
from archscope.training import checkpoints, runs
from archscope.training.data import open_data
from archscope.training.predicting import likeliest


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module]:
    """A run of LeNet-5 with batch norm on colour pictures of 32×32 in folders; its model."""
    folder = tmp_path_factory.mktemp("run")
    class_folders(folder / "data", {"ant": 5, "bee": 5, "cat": 5})
    found = open_data(f"folder:{folder / 'data'}", input_shape=(3, 32, 32), resize="short")
    torch.manual_seed(0)
    return folder, save_run(folder, "vgg11", found, width="1/32", head_width="1/512", bn="conv").eval()


def by_hand(model: nn.Module, folder: Path, path: Path) -> torch.Tensor:
    """Soft-max of the model, the picture preprocessed with torchvision alone from what is written in the run."""
    known = json.loads((folder / "preprocessing.json").read_text())
    assert (known["resize"], known["size"], known["short_side"]) == ("short", [32, 32], 32)
    steps = v2.Compose(
        [
            v2.PILToTensor(),
            v2.Resize(32, antialias=True),
            v2.CenterCrop(32),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(known["mean"], known["std"]),
        ]
    )
    with torch.no_grad():
        return model(steps(Image.open(path).convert("RGB")).unsqueeze(0)).softmax(1)[0]


@pytest.mark.parametrize(("size", "mode"), [((32, 32), "RGB"), ((50, 41), "RGB"), ((33, 64), "L"), ((20, 12), "RGBA")])
def test_a_prediction_is_the_soft_max_of_what_the_run_says(
    size: tuple[int, int], mode: str, run: tuple[Path, nn.Module], tmp_path: Path
) -> None:
    folder, model = run
    path = save_picture(tmp_path / "picture.png", 3, size, mode)
    (found,) = archscope.predict(folder, path)
    expected = by_hand(model, folder, path)
    assert found.image == str(path)
    assert set(found.classes) == {"ant", "bee", "cat"}
    assert found.probabilities == tuple(sorted(found.probabilities, reverse=True))
    ours = torch.tensor([found.probabilities[found.classes.index(name)] for name in ("ant", "bee", "cat")])
    assert torch.allclose(ours, expected, atol=1e-6)


def test_many_pictures_keep_their_order_and_one_at_a_time_is_the_same(
    run: tuple[Path, nn.Module], tmp_path: Path
) -> None:
    paths = [save_picture(tmp_path / f"{index}.png", index, (30 + index, 40)) for index in range(70)]
    together = archscope.predict(run[0], paths, top=1)
    assert [each.image for each in together] == [str(path) for path in paths]
    for index in (0, 65):
        (alone,) = archscope.predict(run[0], [paths[index]], top=1)
        assert alone.classes == together[index].classes
        assert alone.probabilities == pytest.approx(together[index].probabilities, abs=1e-6)


def test_of_equal_probabilities_the_first_class_comes_first() -> None:
    found = likeliest("x", torch.tensor([0.25, 0.5, 0.25]), ("a", "b", "c"), 3)
    assert found.classes == ("b", "a", "c")


def test_pictures_that_are_none_are_all_named(run: tuple[Path, nn.Module], tmp_path: Path) -> None:
    good = save_picture(tmp_path / "good.png")
    (tmp_path / "bad.png").write_text("x")
    with pytest.raises(ArchscopeError) as caught:
        archscope.predict(run[0], [good, tmp_path / "bad.png", tmp_path / "none.png", tmp_path])
    first, second, third = str(caught.value).split("\n")
    assert first.startswith(
        f"unreadable-image: {str(tmp_path / 'bad.png')!r} cannot be read as a picture: Unidentified"
    )
    assert second.endswith("none.png' cannot be read as a picture: No such file or directory")
    assert third.endswith("cannot be read as a picture: Is a directory")


def test_the_best_checkpoint_is_asked_where_there_is_one(run: tuple[Path, nn.Module], tmp_path: Path) -> None:
    folder, model = run
    path = save_picture(tmp_path / "picture.png")
    before = archscope.predict(folder, path)
    other = {key: torch.zeros_like(value) for key, value in model.state_dict().items()}
    checkpoints.save(runs.checkpoints_of(folder), "best", other, {})
    try:
        assert archscope.predict(folder, path)[0].probabilities == pytest.approx([1 / 3] * 3)
        assert archscope.predict(folder, path, checkpoint="last") == before
    finally:
        (folder / "checkpoints" / "best.pt").unlink()
    with pytest.raises(ArchscopeError, match=r"no-checkpoint: there is no checkpoint '.*best.pt'"):
        archscope.predict(folder, path, checkpoint="best")
    with pytest.raises(UsageError) as caught:
        archscope.predict(folder, path, checkpoint="../../x")
    assert str(caught.value) == "bad-value: checkpoint is '../../x'\n  expected: best, last"


def test_calls_that_make_no_sense_are_refused(run: tuple[Path, nn.Module]) -> None:
    with pytest.raises(UsageError, match="predict needs a picture"):
        archscope.predict(run[0], [])
    with pytest.raises(UsageError, match="top is 0"):
        archscope.predict(run[0], "a.png", top=0)
    with pytest.raises(UsageError) as caught:
        archscope.predict(run[0], "a.png", device="tpu")
    assert str(caught.value) == "bad-value: device is 'tpu'\n  expected: auto, cpu, cuda"
    with pytest.raises(ArchscopeError, match="no-run: there is no folder 'nowhere'"):
        archscope.predict("nowhere", "a.png")


def rewritten(folder: Path, target: Path, **network: object) -> Path:
    """A copy of a run whose ``network.json`` says something else."""
    (target / "checkpoints").mkdir(parents=True)
    for path in folder.glob("*.json"):
        (target / path.name).write_bytes(path.read_bytes())
    for path in (folder / "checkpoints").iterdir():
        (target / "checkpoints" / path.name).write_bytes(path.read_bytes())
    known = json.loads((folder / "network.json").read_text())
    (target / "network.json").write_text(json.dumps({**known, **network}))
    return target


@pytest.mark.parametrize("address", ["os:getcwd()", "./net.py:Net", "torchvision.models:resnet18"])
def test_the_code_that_a_run_names_is_not_run_unless_it_is_trusted(
    address: str, run: tuple[Path, nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text("open('touched', 'w')")
    folder = rewritten(run[0], tmp_path / "run", address=address, changes={})
    with pytest.raises(UsageError) as caught:
        archscope.predict(folder, save_picture(tmp_path / "a.png"))
    assert str(caught.value) == (
        f"untrusted-code: {str(folder)!r} is of {address!r}: to ask it means to run that code\n"
        "  help:     --trust-code, where the code is yours"
    )
    assert not Path("touched").exists()


def test_a_module_that_is_trusted_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(
        "from torch import nn\n\n\ndef net():\n    return nn.Sequential(nn.Flatten(), nn.Linear(192, 4))\n"
    )
    found = open_data("fake:4", input_shape=(3, 8, 8), normalize="none")
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 4))
    network = runs.TrainedNetwork("./net.py:net", {}, (3, 8, 8))
    data = {"name": "fake:4", "seed": 0}
    runs.begin(tmp_path / "run", runs.Run(network, {}, data, found.classes, found.preprocessing))
    checkpoints.save(tmp_path / "run" / "checkpoints", "last", model.state_dict(), {})
    path = save_picture(tmp_path / "a.png", 0, (8, 8))
    (said,) = archscope.predict(tmp_path / "run", path, trust_code=True)
    values = v2.functional.pil_to_tensor(Image.open(path)).float().div(255).unsqueeze(0)
    assert said.probabilities == pytest.approx(sorted(model(values).softmax(1)[0].tolist(), reverse=True), abs=1e-6)
    with pytest.raises(ArchscopeError) as caught:
        archscope.evaluate(tmp_path / "run", trust_code=True, dense=True)
    assert str(caught.value) == "no-table: ./net.py:net is a module, and --dense is for networks of tables"
    (tmp_path / "run" / "classes.json").write_text('["a", "b", "c"]')
    with pytest.raises(ArchscopeError) as caught:
        archscope.predict(tmp_path / "run", path, trust_code=True)
    assert str(caught.value) == "other-classes: the network has 4 outputs, and the run 3 classes"


@pytest.mark.parametrize(("network", "text"), [
    ({"address": "vgg61"}, "unknown-network: no network is called 'vgg61'"),
    ({"changes": {"depth": 3}}, "unknown-option: a network has no option 'depth'"),
    ({"changes": {"input_size": {"a": 1}}}, "bad-run: 'network.json' in '{0}' has changes that make no network: "),
    ({"changes": {"input_size": 10**12}}, "impossible-shape: an input of 1 examples of "),
    ({"changes": {"width": "9" * 50}}, "bad-value: width is "),
    ({"changes": {"set": {"a": [1]}}}, "bad-value: set is "),
    ({"changes": {"width": "1/16", "in_channels": 3, "input_size": [32, 32]}},
     "other-network: '{0}/checkpoints/last-"),
])  # fmt: skip
def test_a_run_that_names_no_network_is_an_error(
    network: dict[str, object], text: str, run: tuple[Path, nn.Module], tmp_path: Path
) -> None:
    folder = rewritten(run[0], tmp_path / "run", **network)
    with pytest.raises(ArchscopeError) as caught:
        archscope.predict(folder, save_picture(tmp_path / "a.png"))
    assert str(caught.value).startswith(text.format(folder))
