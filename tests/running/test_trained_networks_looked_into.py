"""A trained network looked into: the maps are those of its own module, for the image as its validation had it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pictures_on_disk import class_folders, save_picture
from PIL import Image
from runs_on_disk import save_run
from torch import nn
from torchvision.transforms import v2

import archscope as library
from archscope.api import maps
from archscope.core.errors import ArchscopeError, UnknownName, Unsupported, UsageError
from archscope.running.hooked import class_map
from archscope.training import checkpoints, runs
from archscope.training.data import open_data
from archscope.training.predicting import prepared, seen
from archscope.training.preprocessing import Preprocessing

CHANGES = {"width": "1/32", "head_width": "1/512", "bn": "conv"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module]:
    """A run on colour pictures of 32×32 with batch norm that has seen something; its model in evaluation."""
    folder = tmp_path_factory.mktemp("made") / "own"
    class_folders(folder.parent / "data", {"ant": 4, "bee": 4, "cat": 4})
    data = open_data(f"folder:{folder.parent / 'data'}", input_shape=(3, 32, 32), resize="short")
    torch.manual_seed(7)
    model = save_run(folder, "vgg11", data, **CHANGES)
    for name, values in model.named_buffers():
        if name.endswith("running_mean"):
            values.normal_()
    checkpoints.save(runs.checkpoints_of(folder), "last", model.state_dict(), {"step": 1})
    return folder, model.eval()


@pytest.fixture
def run(made: tuple[Path, nn.Module], here: Path) -> nn.Module:
    """The same run, as ``runs/own``, with an image beside it, ``photo.png``; its model."""
    shutil.copytree(made[0], here / "runs" / "own")
    save_picture(here / "photo.png", 3, (70, 50))
    return made[1]


def as_in_validation(photo: Path, folder: Path) -> torch.Tensor:
    """The image, preprocessed by torchvision alone from what is written in the run."""
    known = json.loads((folder / "preprocessing.json").read_text())
    assert (known["resize"], known["size"], known["short_side"]) == ("short", [32, 32], 32)
    steps: list[nn.Module] = [v2.PILToTensor(), v2.Resize(32, antialias=True), v2.CenterCrop(32)]
    steps += [v2.ToDtype(torch.float32, scale=True), v2.Normalize(known["mean"], known["std"])]
    return v2.Compose(steps)(Image.open(photo)).unsqueeze(0)


def test_maps_are_those_of_the_trained_module_for_the_image_as_in_validation(run: nn.Module, here: Path) -> None:
    found = library.feature_maps("vgg11", "photo.png", layers=["conv1_1", "pool1"], weights="runs/own")
    image = as_in_validation(here / "photo.png", here / "runs" / "own")
    with torch.inference_mode():
        conv = run.get_submodule("features.0")(image)
        pool = run.get_submodule("features")[:4](image)
    assert isinstance(run.get_submodule("features.3"), nn.MaxPool2d)
    assert torch.allclose(found[0].values, conv[0], atol=1e-6)
    assert torch.allclose(found[1].values, pool[0], atol=1e-6)
    torch.manual_seed(0)
    fresh = library.feature_maps(
        "vgg11", "photo.png", layers=["conv1_1"], num_classes=3, input_size=(32, 32), **CHANGES
    )
    assert fresh[0].values.shape == found[0].values.shape
    assert not torch.allclose(fresh[0].values, found[0].values, atol=1e-2)


def test_the_best_weights_are_taken_where_there_are_some(run: nn.Module, here: Path) -> None:
    zeros = {key: torch.zeros_like(values) for key, values in run.state_dict().items()}
    checkpoints.save(runs.checkpoints_of(here / "runs" / "own"), "best", zeros, {})
    subject = maps.subject_of("vgg11", "photo.png", "runs/own")
    (found,) = maps.maps_in(subject, ["conv1_1"], "runs/own")
    assert not found.values.any()
    assert subject.asked is not None
    assert subject.asked.words.startswith("vgg11 with ")
    assert subject.asked.words.endswith(": the best checkpoint of 'runs/own', the image prepared as in its validation")
    assert "width" in subject.asked.words.partition(":")[0]
    assert "input_size=32×32" in subject.asked.words.partition(":")[0]


def test_classes_are_called_as_the_run_calls_them(run: nn.Module, here: Path) -> None:
    subject = maps.subject_of("vgg11", "photo.png", "runs/own")
    top = maps.class_map_of(subject, "runs/own", "top")
    with torch.inference_mode():
        shares = run(as_in_validation(here / "photo.png", here / "runs" / "own")).softmax(1)[0]
    (said,) = library.predict("runs/own", "photo.png", top=1)
    assert (top.number, top.name) == (int(shares.argmax()), said.classes[0])
    assert top.share == pytest.approx(float(shares.max()), abs=1e-6)
    named, numbered = (maps.class_map_of(subject, "runs/own", wanted) for wanted in ("bee", "1"))
    assert (named.number, named.title) == (1, "class 1 (bee)")
    assert torch.equal(named.values, numbered.values)
    with pytest.raises(UsageError) as caught:
        maps.class_map_of(subject, "runs/own", "been")
    assert str(caught.value) == (
        "bad-value: --class-map is 'been'\n  expected: a class of the run by name or number, or top\n"
        "  help:     did you mean bee?"
    )
    (here / "runs" / "own" / "classes.json").write_text('["2", "1", "0"]')
    renamed = maps.subject_of("vgg11", "photo.png", "runs/own")
    assert maps.class_map_of(renamed, "runs/own", "2").title == "class 0 (2)"


@pytest.mark.parametrize(
    ("how", "size", "note"),
    [
        (Preprocessing(3, (8, 8)), (12, 8), "(12×8) was resized to 8×8, without its aspect"),
        (Preprocessing(3, (8, 4)), (8, 16), "(8×16) was resized to 4×8"),
        (Preprocessing(1, (8, 8)), (8, 8), "(8×8) is shown as it is"),
        (Preprocessing(3, (8, 8), "short", 10, (0.5,), (0.2,)), (24, 20),
         "(24×20) was resized to 12×10, of which the middle 8×8 was cut out"),
        (Preprocessing(3, (8, 8), "short", 8), (16, 16), "(16×16) was resized to 8×8"),
        (Preprocessing(3, (8, 8), "short", 8), (8, 8), "(8×8) is shown as it is"),
    ],
)  # fmt: skip
def test_an_image_is_prepared_as_for_a_prediction_and_that_is_said(
    how: Preprocessing, size: tuple[int, int], note: str, here: Path
) -> None:
    path = save_picture(here / "a.png", 0, size)
    shown, example = seen(path, how)
    assert shown.note == f"a.png {note}"
    assert torch.equal(example, prepared([path], how))
    assert torch.allclose((shown.pixels - how.mean[0]) / how.std[0], example[0], atol=1e-6)


def test_a_map_of_scores_is_averaged_to_find_a_class(here: Path) -> None:
    save_picture(here / "photo.png", 3, (70, 50))
    subject = maps.subject_of(
        "vgg11", "photo.png", width="1/32", head_width="1/64", num_classes=4, dense=True, input_size=(256, 256)
    )
    model, image = maps.model_of(subject, "random")
    with torch.inference_mode():
        scores = model(image)
    assert scores.shape == (1, 4, 2, 2)
    found = class_map(model, image, subject.graph, None)
    expected = scores.mean((2, 3)).softmax(1)[0]
    assert (found.number, found.share) == (int(expected.argmax()), pytest.approx(float(expected.max())))
    with pytest.raises(UsageError, match="has no class 4"):
        class_map(model, image, subject.graph, 4)


def test_another_network_than_the_run_s_is_refused(run: nn.Module, here: Path) -> None:  # noqa: ARG001  the run is there
    with pytest.raises(UsageError) as caught:
        library.feature_maps("vgg16", "photo.png", weights="runs/own")
    assert str(caught.value) == (
        "other-network: 'runs/own' is a run of 'vgg11', and 'vgg16' was asked for\n"
        "  help:     name the run's own: vgg11"
    )
    with pytest.raises(UsageError, match="'runs/own' is a run of 'vgg11', and a Spec was asked for"):
        library.feature_maps(library.load("vgg11"), "photo.png", weights="runs/own")
    assert library.feature_maps("VGG-11", "photo.png", layers=["pool1"], weights="runs/own")
    written = here / "runs" / "own" / "network.json"
    written.write_text(json.dumps({**json.loads(written.read_text()), "address": "vgg13"}))
    with pytest.raises(ArchscopeError, match=r"other-network: '.*last-.*' is of another network: 'features"):
        library.feature_maps("vgg13", "photo.png", weights="runs/own")


def test_the_code_that_a_run_names_is_not_run(run: nn.Module, here: Path) -> None:  # noqa: ARG001  the run is there
    (here / "net.py").write_text("open('touched', 'w')")
    written = here / "runs" / "own" / "network.json"
    written.write_text(json.dumps({**json.loads(written.read_text()), "address": "./net.py:Net"}))
    for name in ("vgg11", "./net.py:Net"):
        with pytest.raises(Unsupported, match=r"a module, and activations takes networks of tables"):
            library.feature_maps(name, "photo.png", weights="runs/own")
    assert not (here / "touched").exists()


def test_folders_that_are_no_run_and_files_that_are_not_there(run: nn.Module, here: Path) -> None:  # noqa: ARG001  as above
    with pytest.raises(UnknownName) as caught:
        library.feature_maps("vgg11", "photo.png", weights="runs/none")
    assert str(caught.value) == (
        "unknown-weights: weights is 'runs/none'\n"
        "  expected: random, torchvision, the path of a state dict, or the folder of a training run"
    )
    with pytest.raises(ArchscopeError, match=r"no-run: 'runs' is no run: it has no 'network.json'"):
        library.feature_maps("vgg11", "photo.png", weights="runs")
    (here / "text.png").write_text("x")
    with pytest.raises(ArchscopeError, match=r"unreadable-image: 'text.png' cannot be read as a picture: Unid"):
        library.feature_maps("vgg11", "text.png", weights="runs/own")


def test_the_command_looks_into_a_run(archscope: Callable, run: nn.Module, here: Path) -> None:  # noqa: ARG001  as above
    outcome = archscope("activations vgg11 photo.png --weights runs/own --class-map cat -o class.png")
    assert (outcome.code, outcome.err) == (0, "")
    image, network, said, wrote = outcome.out.splitlines()
    assert image == "photo.png (70×50) was resized to 44×32, of which the middle 32×32 was cut out"
    assert network.startswith("vgg11 with ")
    assert network.endswith(": the last checkpoint of 'runs/own', the image prepared as in its validation")
    assert said.startswith("class 2 (cat) with ")
    assert wrote == "wrote class.png"
    maps_drawn = archscope("activations vgg11 photo.png --weights runs/own --layers conv1_1 -o maps.png")
    assert "conv1_1, 2×32×32: min " in maps_drawn.out
    with Image.open(here / "maps.png") as drawn:
        assert drawn.width > 800


def test_names_of_classes_and_runs_are_drawn_as_they_are(
    archscope: Callable,
    run: nn.Module,  # noqa: ARG001  as above
    here: Path,
) -> None:
    folder = (here / "runs" / "own").rename(here / "runs" / "$\\frac$")
    (folder / "classes.json").write_text(json.dumps(["$\\left$", "a", "b"]))
    outcome = archscope(f"activations vgg11 photo.png --weights '{folder}' --class-map 0 -o c.png")
    assert (outcome.code, outcome.err) == (0, "")
    assert "class 0 ($\\left$) with " in outcome.out


def test_flags_that_a_run_leaves_no_room_for(archscope: Callable, run: nn.Module, here: Path) -> None:  # noqa: ARG001  as above
    taken = "bad-usage: 'runs/own' says how its network was changed, and {} was given as well\n  help:     leave it out"
    wrong = {
        "--width 1/2": taken.format("width"),
        "--classes 3": taken.format("num_classes"),
        "--no-aux": taken.format("aux"),
        "--input 64": taken.format("input"),
        "--softmax": taken.format("softmax"),
        "--download": "bad-usage: a run has its own weights: there is nothing to download",
        "--unit pool1:1,1": "bad-value: --unit is of the image alone, and --weights changes nothing",
        "--downsample max": "bad-value: --downsample is of the image alone, and --weights changes nothing",
        "--layers conv1_1 --class-map cat": "bad-value: --class-map and --layers are different pictures",
    }
    for flags, text in wrong.items():
        outcome = archscope(f"activations vgg11 photo.png --weights runs/own {flags} -o maps.png")
        assert (outcome.code, outcome.out) == (2, ""), flags
        assert outcome.err.startswith(text), flags
    assert not (here / "maps.png").exists()
