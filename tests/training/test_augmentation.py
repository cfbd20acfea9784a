"""Augmentation is torchvision's, drawn per example and epoch: the same in any batch, order and process."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pictures_on_disk import class_folders
from torchvision.transforms.v2 import InterpolationMode, functional

from archscope.core.errors import UsageError
from archscope.training import data, examples
from archscope.training.augmentation import Augmentation, augmentation_of, augmented, framed
from archscope.training.data import Data, batches, open_data
from archscope.training.examples import Read
from archscope.training.preprocessing import Preprocessing
from archscope.training.sampling import draws, order
from archscope.training.splitting import stratified

SHAPE = (3, 16, 12)
EVERYTHING = ["flip", "crop:3", "rotate:20", "colour:0.3"]


def noise(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


KINDS = "colour, crop, flip, resized-crop, rotate"


def numbers_of(chosen: Augmentation, count: int) -> torch.Tensor:
    return torch.rand(count, chosen.draws, generator=torch.Generator().manual_seed(1))


def test_flipping_is_torchvisions_for_the_share_that_is_asked_for() -> None:
    pictures, chosen = noise(1000, 1, 4, 6), augmentation_of(["flip:0.3"], None, SHAPE)
    found = augmented(pictures, chosen, numbers_of(chosen, 1000))
    mirrored = functional.horizontal_flip(pictures)
    flipped = (found == mirrored).flatten(1).all(1)
    assert 250 < flipped.sum() < 350
    assert torch.equal(found[~flipped], pictures[~flipped])


def test_cropping_is_torchvisions_at_every_place() -> None:
    pictures, chosen = noise(400, 3, 8, 8), augmentation_of(["crop:2"], None, SHAPE)
    found = augmented(pictures, chosen, numbers_of(chosen, 400))
    seen = set()
    for picture, cut in zip(functional.pad(pictures, [2]), found, strict=True):
        places = [(y, x) for y in range(5) for x in range(5) if torch.equal(functional.crop(picture, y, x, 8, 8), cut)]
        assert len(places) == 1
        seen.update(places)
    assert len(seen) == 25


def test_rotating_is_torchvisions_picture_by_picture() -> None:
    pictures, chosen = noise(20, 3, 9, 14), augmentation_of(["rotate:30"], None, SHAPE)
    numbers = numbers_of(chosen, 20)
    found = augmented(pictures, chosen, numbers)
    for picture, turned, number in zip(pictures, found, numbers[:, 0].tolist(), strict=True):
        expected = functional.rotate(picture, (2 * number - 1) * 30, InterpolationMode.BILINEAR)
        assert (expected.int() - turned.int()).abs().max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_changing_colours_is_torchvisions_picture_by_picture(channels: int) -> None:
    pictures, chosen = noise(20, channels, 9, 14), augmentation_of(["colour:0.4"], None, SHAPE)
    numbers = numbers_of(chosen, 20)
    found = augmented(pictures, chosen, numbers)
    for picture, changed, own in zip(pictures, found, numbers, strict=True):
        brightness, contrast, saturation = (1 + (2 * own - 1) * 0.4).tolist()
        expected = functional.adjust_contrast(functional.adjust_brightness(picture, brightness), contrast)
        expected = functional.adjust_saturation(expected, saturation)
        assert (expected.int() - changed.int()).abs().max() <= 1


def test_a_resized_crop_is_a_part_of_the_picture_within_its_limits() -> None:
    rows = torch.arange(100, dtype=torch.uint8).view(1, 1, 100, 1)
    pictures = torch.cat([rows.expand(200, 1, 100, 100), rows.transpose(2, 3).expand(200, 1, 100, 100)], 1)
    pictures = torch.cat([pictures, pictures[:, :1]], 1)  # rows, columns, rows
    chosen = augmentation_of(["resized-crop:0.25"], None, (3, 50, 50))
    found = framed(pictures, Preprocessing(3, (50, 50)), chosen, numbers_of(chosen, 200)).int()
    heights = found[:, 0, -1, 0] - found[:, 0, 0, 0] + 1
    widths = found[:, 1, 0, -1] - found[:, 1, 0, 0] + 1
    areas, proportions = heights * widths / 10_000, widths / heights
    assert 0.2 < areas.min() < 0.35
    assert 0.8 < areas.max() <= 1
    assert 0.7 < proportions.min() < 0.9
    assert 1.1 < proportions.max() < 1.45


def test_scale_jitter_draws_the_shorter_side_and_cuts_anywhere() -> None:
    ramp = torch.arange(64, dtype=torch.uint8).mul(4).view(1, 1, 1, 64).expand(300, 1, 64, 64)
    chosen = augmentation_of([], "32:96", (1, 32, 32))
    assert chosen.evaluation_side((1, 32, 32)) == 64
    found = framed(ramp, Preprocessing(1, (32, 32), "short", 64), chosen, numbers_of(chosen, 300)).int()
    seen = found[:, 0, 0, -1] - found[:, 0, 0, 0]  # the less of the ramp, the larger the picture was
    assert seen.max() > 240
    assert seen.min() < 100
    assert found[:, 0, 0, 0].unique().numel() > 20


def test_a_network_is_validated_at_the_middle_of_the_scales() -> None:
    found = open_data("digits", input_shape=(1, 32, 32), scale_jitter="32:64")
    assert (found.preprocessing.resize, found.preprocessing.short_side) == ("short", 48)


@pytest.mark.parametrize(("words", "jitter", "text"), [
    (["flop"], None, f"bad-value: --augment is 'flop'\n  expected: {KINDS}\n  help:     did you mean flip, crop?"),
    (["crop:x"], None, "bad-value: --augment is 'crop:x'\n  expected: crop:X, X from 1 to 64"),
    (["rotate:200"], None, "bad-value: --augment is 'rotate:200'\n  expected: rotate:X, X from 0 to 180"),
    (["flip:nan"], None, "bad-value: --augment is 'flip:nan'\n  expected: flip:X, X from 0 to 1"),
    (["flip", "flip:1"], None, "bad-value: --augment gives 'flip' twice"),
    (["resized-crop"], "32:64", "bad-value: --scale-jitter and --augment resized-crop both say what is cut out"),
    ([], "64", "bad-value: --scale-jitter is '64'\n  expected: pixels, such as 256:512"),
    ([], "64:32", "bad-value: --scale-jitter is '64:32'\n  expected: pixels, such as 256:512"),
    ([], "8:32", "bad-value: --scale-jitter is '8:32', and the network takes 16×12\n  expected: 16 pixels or more"),
])  # fmt: skip
def test_words_that_say_no_augmentation_are_refused(words: list[str], jitter: str | None, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_data("digits", input_shape=SHAPE, augment=words, scale_jitter=jitter)
    assert str(caught.value) == text


@pytest.fixture(params=["kept", "framed", "read", "read and framed"])
def found(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Data:
    """Data of each kind: in memory or in files, resized once or each time."""
    frames = ["resized-crop"] if "framed" in request.param else []
    if "read" not in request.param:
        return open_data("fake:3", input_shape=SHAPE, augment=[*frames, *EVERYTHING], seed=5)
    monkeypatch.setattr(examples, "KEPT_BYTES", 0)
    class_folders(tmp_path, {"a": 20, "b": 20})
    return open_data(f"folder:{tmp_path}", input_shape=SHAPE, augment=[*frames, *EVERYTHING], seed=5)


def test_an_example_of_an_epoch_is_the_same_in_any_batch(found: Data) -> None:
    together = found.train.batch(torch.arange(20), 3)
    alone = torch.cat([found.train.batch(torch.tensor([index]), 3) for index in range(20)])
    backwards = found.train.batch(torch.arange(19, -1, -1), 3).flip(0)
    assert torch.allclose(together, alone, atol=1e-6)
    assert torch.allclose(together, backwards, atol=1e-6)
    assert not torch.allclose(together, found.train.batch(torch.arange(20), 4), atol=0.1)


def test_without_an_epoch_nothing_is_changed_and_validation_never_is(found: Data) -> None:
    some = torch.arange(8)
    assert torch.equal(found.train.batch(some), found.train.batch(some))
    assert torch.equal(found.validation.batch(some), found.validation.batch(some, 2))
    assert not torch.equal(found.train.batch(some), found.train.batch(some, 2))


def test_pictures_in_files_and_in_memory_are_the_same_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class_folders(tmp_path, {"a": 6, "b": 6})
    choices = {"input_shape": SHAPE, "augment": EVERYTHING, "resize": "short", "scale_jitter": None}
    kept = open_data(f"folder:{tmp_path}", **choices)
    monkeypatch.setattr(examples, "KEPT_BYTES", 0)
    read = open_data(f"folder:{tmp_path}", **choices)
    assert (kept.train.read_each_time, read.train.read_each_time) == (False, True)
    assert kept.preprocessing == read.preprocessing
    for epoch in (None, 1):
        for split, part in kept.splits.items():
            some = torch.arange(len(part))
            assert torch.equal(part.batch(some, epoch), read.splits[split].batch(some, epoch))


def test_processes_that_read_ahead_give_the_same_batches_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "KEPT_BYTES", 0)
    class_folders(tmp_path, {"a": 6, "b": 6})
    train = open_data(f"folder:{tmp_path}", input_shape=SHAPE, augment=EVERYTHING).train
    assert isinstance(train, Read)
    plan = list(order(0, 1, len(train)).split(3))
    plainly = list(batches(train, plan, 1))
    ahead = list(batches(train, plan, 1, num_workers=2))
    assert len(plainly) == len(ahead) == 4
    for one, other in zip(plainly, ahead, strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


def test_an_order_is_a_permutation_that_follows_from_seed_and_epoch() -> None:
    assert sorted(order(0, 0, 100).tolist()) == list(range(100))
    assert torch.equal(order(3, 4, 100), order(3, 4, 100))
    others = [order(seed, epoch, 100).tolist() for seed in range(3) for epoch in range(3)]
    assert len({tuple(each) for each in others}) == 9


def test_numbers_are_drawn_for_the_example_and_torchs_own_random_state_is_left_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    numbers = draws(1, 2, 1000, 3)
    order(0, 0, 10)
    open_data("digits", input_shape=(1, 8, 8), augment=["flip"]).train.batch(torch.arange(4), 0)
    assert torch.equal(torch.get_rng_state(), before)
    assert numbers.shape == (1000, 3)
    assert abs(numbers.mean().item() - 0.5) < 0.02
    assert numbers.min() >= 0
    assert numbers.max() < 1


def test_a_split_keeps_the_proportions_of_classes_and_never_empties_one() -> None:
    labels = [0] * 100 + [1] * 10 + [2] * 2 + [3]
    kept, held = stratified(labels, 0.2, 0)
    assert sorted([*kept, *held]) == list(range(len(labels)))
    assert [sum(labels[index] == label for index in held) for label in range(4)] == [20, 2, 1, 0]
    assert stratified(labels, 0.2, 0) == (kept, held)
    assert stratified(labels, 0.2, 1) != (kept, held)


def test_every_data_set_says_what_it_is() -> None:
    for name in data.named():
        assert data._module(f"{name}").__doc__
