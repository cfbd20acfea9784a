"""Accuracy, per class and confusion are what scikit-learn says of the same; scales and dense evaluation by hand."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pictures_on_disk import class_folders, save_picture
from runs_on_disk import save_run
from sklearn import metrics
from torch import nn
from torchvision.transforms.v2 import functional

import archscope
from archscope.core.errors import ArchscopeError, UsageError
from archscope.training import checkpoints, runs
from archscope.training.data import Data, open_data
from archscope.training.evaluating import tally_of, wilson
from archscope.training.preprocessing import normalised


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module, Data]:
    """A run on digits whose classifier is fitted a little, so that it says different things; its model and data."""
    folder = tmp_path_factory.mktemp("run")
    found = open_data("digits", input_shape=(1, 32, 32))
    torch.manual_seed(0)
    model = save_run(folder, "vgg11", found, width="1/16", head_width="1/128", bn="conv")
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for indices in torch.arange(640).split(64):
        loss = nn.functional.cross_entropy(model(found.train.batch(indices)), found.train.labels[indices])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    checkpoints.save(runs.checkpoints_of(folder), "last", model.state_dict(), {})
    return folder, model.eval(), found


def said(model: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model(pictures).double().softmax(1)


def test_the_numbers_are_scikit_learns(run: tuple[Path, nn.Module, Data]) -> None:
    folder, model, data = run
    found = archscope.evaluate(folder)
    tally = found.tally
    given = said(model, data.validation.batch(torch.arange(len(data.validation)))).numpy()
    labels, guesses = data.validation.labels.numpy(), given.argmax(1)
    assert 0.15 < tally.accuracy < 1
    assert (found.data, found.split, found.checkpoint, found.scales) == ("digits", "validation", "last", ())
    assert tally.accuracy == metrics.accuracy_score(labels, guesses)
    assert np.array_equal(tally.confusion, metrics.confusion_matrix(labels, guesses, labels=range(10)))
    assert tally.loss == pytest.approx(metrics.log_loss(labels, given, labels=range(10)), rel=1e-5)
    assert tally.among / tally.examples == metrics.top_k_accuracy_score(labels, given, k=5, labels=range(10))
    recalls = metrics.recall_score(labels, guesses, average=None, labels=range(10))
    precisions = metrics.precision_score(labels, guesses, average=None, labels=range(10), zero_division=np.nan)
    for score, recall, precision in zip(tally.per_class, recalls, precisions, strict=True):
        assert score.recall == pytest.approx(recall)
        assert np.isnan(precision) if score.precision is None else score.precision == pytest.approx(precision)
        others = np.array(tally.confusion[int(score.name)])
        others[int(score.name)] = 0
        assert score.mistaken_count == others.max()
        assert not score.mistaken_count or others[int(score.mistaken)] == others.max()


def test_the_split_of_the_run_is_the_one_that_was_held_out(run: tuple[Path, nn.Module, Data]) -> None:
    folder, _, data = run
    for split, examples in data.splits.items():
        tally = archscope.evaluate(folder, split=split).tally
        assert [each.examples for each in tally.per_class] == torch.bincount(examples.labels).tolist()
    assert archscope.evaluate(folder, split="all").tally.examples == 1797


def test_the_interval_is_that_of_wilson() -> None:
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (right, count), interval in published.items():
        assert wilson(right, count) == pytest.approx(interval, abs=5e-5)


def test_a_class_without_examples_or_mistakes_has_no_numbers_made_up() -> None:
    given = torch.tensor([[0.9, 0.05, 0.05], [0.8, 0.1, 0.1]])
    tally = tally_of([(given, torch.tensor([0, 0]))], ("a", "b", "c"))
    first, second, _ = tally.per_class
    assert (first.recall, first.precision, first.mistaken) == (1, 1, "")
    assert (second.recall, second.precision) == (None, None)
    assert tally.top == 3


def test_several_scales_are_averaged_as_probabilities(run: tuple[Path, nn.Module, Data]) -> None:
    folder, model, data = run
    how = data.preprocessing
    sides = (32, 40, 48)
    raw, labels = digits()
    views = [functional.center_crop(functional.resize(raw, [side, side], antialias=True), [32, 32]) for side in sides]
    given = torch.stack([said(model, normalised(view, how)) for view in views]).mean(0)
    found = archscope.evaluate(folder, scales=sides)
    assert found.scales == sides
    assert found.tally.loss == pytest.approx(metrics.log_loss(labels, given.numpy()), rel=1e-5)


def test_dense_evaluation_is_the_mean_score_over_all_places(run: tuple[Path, nn.Module, Data]) -> None:
    folder, model, data = run
    raw, labels = digits()
    large = normalised(functional.resize(raw, [80, 80], antialias=True), data.preprocessing)
    with torch.no_grad():
        maps = model.features(large)
        assert maps.shape[2:] == (2, 2)
        places = [maps[:, :, y, x] for y in range(2) for x in range(2)]
        scores = torch.stack([model.classifier(place).double() for place in places]).mean(0)
    found = archscope.evaluate(folder, scales=[80], dense=True)
    assert found.tally.loss == pytest.approx(metrics.log_loss(labels, scores.softmax(1).numpy()), rel=1e-5)
    plain = archscope.evaluate(folder)
    same = archscope.evaluate(folder, dense=True)
    assert same.scales == (32,)
    assert same.tally.confusion == plain.tally.confusion


def digits() -> tuple[torch.Tensor, np.ndarray]:
    """The held-out digits as they are stored, uint8 [N, 1, 8, 8], and their labels."""
    held = open_data("digits", input_shape=(1, 8, 8), normalize="none").validation
    return held.batch(torch.arange(len(held))).mul(255).round().to(torch.uint8), held.labels.numpy()


@pytest.fixture(scope="module")
def animals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on pictures in folders, with train and test, and the pictures beside it."""
    folder = tmp_path_factory.mktemp("animals")
    class_folders(folder / "data" / "train", {"ant": 6, "bee": 6})
    class_folders(folder / "data" / "test", {"ant": 2, "bee": 3})
    torch.manual_seed(0)
    save_run(folder / "run", "vgg11", open_data(f"folder:{folder / 'data'}", input_shape=(3, 32, 32)), width="1/32")
    return folder


def test_the_test_split_is_evaluated_where_there_is_one(animals: Path) -> None:
    found = archscope.evaluate(animals / "run")
    assert (found.split, found.tally.examples) == ("test", 5)
    assert archscope.evaluate(animals / "run", split="validation").tally.examples == 2


def test_classes_are_matched_by_name_whatever_their_order(animals: Path, tmp_path: Path) -> None:
    for source, name in (("ant", "bee"), ("bee", "bees")):
        shutil.copytree(animals / "data" / "test" / source, tmp_path / "other" / name)
    with pytest.raises(ArchscopeError) as caught:
        archscope.evaluate(animals / "run", f"folder:{tmp_path / 'other'}")
    assert str(caught.value) == (
        f"unknown-class: folder:{tmp_path / 'other'} has the class 'bees', which the run does not know\n"
        "  expected: ant, bee"
    )
    (tmp_path / "other" / "bees").rename(tmp_path / "other" / "ant")
    found = archscope.evaluate(animals / "run", f"folder:{tmp_path / 'other'}")
    assert found.split == "all"
    # What was called ant is called bee here, and the other way round: right becomes wrong.
    straight, crossed = archscope.evaluate(animals / "run").tally.confusion, found.tally.confusion
    assert [sum(row) for row in crossed] == [3, 2]
    assert crossed == (straight[1], straight[0])


def test_a_data_set_with_fewer_classes_than_the_run_is_evaluated(tmp_path: Path) -> None:
    run = tmp_path / "run"
    found = open_data("fake:5", input_shape=(3, 32, 32))
    save_run(run, "vgg11", found, width="1/32")
    for name in ("class 4", "class 1"):
        save_picture(tmp_path / "data" / name / "a.png")
    tally = archscope.evaluate(run, f"folder:{tmp_path / 'data'}").tally
    assert [each.examples for each in tally.per_class] == [0, 1, 0, 0, 1]


def test_corrupt_pictures_are_named_or_left_out(animals: Path, tmp_path: Path) -> None:
    shutil.copytree(animals / "data" / "test", tmp_path / "data")
    broken = tmp_path / "data" / "ant" / "broken.jpg"
    broken.write_bytes(b"x")
    with pytest.raises(ArchscopeError) as caught:
        archscope.evaluate(animals / "run", f"folder:{tmp_path / 'data'}")
    assert f"{str(broken)!r} cannot be read as a picture" in str(caught.value)
    found = archscope.evaluate(animals / "run", f"folder:{tmp_path / 'data'}", skip_corrupt=True)
    assert found.skipped == (str(broken),)
    assert found.tally.examples == 5


@pytest.mark.parametrize(("given", "text"), [
    ({"split": "tset"}, "bad-value: digits has no split 'tset'\n  expected: train, validation, all"),
    ({"scales": [16]}, "bad-value: the scale 16 is not between 32, the network's input, and 8,192 pixels"),
    ({"scales": [10**9]}, "bad-value: the scale 1000000000 is not between 32"),
    ({"data": "mnist"}, "no-data: mnist is not in "),
])  # fmt: skip
def test_calls_that_make_no_sense_are_refused(
    given: dict[str, Any], text: str, run: tuple[Path, nn.Module, Data], tmp_path: Path
) -> None:
    with pytest.raises(ArchscopeError) as caught:
        archscope.evaluate(run[0], root=tmp_path, **given)
    assert str(caught.value).startswith(text)
    assert isinstance(caught.value, UsageError) or "data" in given


def test_processes_that_read_ahead_change_no_number(run: tuple[Path, nn.Module, Data], tmp_path: Path) -> None:
    class_folders(tmp_path, {str(digit): 8 for digit in range(10)})
    alone, ahead = (archscope.evaluate(run[0], f"folder:{tmp_path}", split="all", num_workers=n) for n in (0, 2))
    assert ahead == alone
    assert ahead.tally.examples == 80


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"num_workers": -1}, "num_workers is -1"),
        (
            {"num_workers": 2, "dense": True},
            "whole pictures of any sizes are read in this process, and num_workers is 2",
        ),
    ],
)
def test_workers_that_could_do_nothing_are_refused(
    more: dict[str, Any], text: str, run: tuple[Path, nn.Module, Data]
) -> None:
    with pytest.raises(UsageError) as raised:
        archscope.evaluate(run[0], **more)
    assert text in str(raised.value)
