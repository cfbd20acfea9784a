"""Pictures come out as torchvision's own transforms make them, one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pictures_on_disk import save_picture
from PIL import Image
from torchvision.transforms import v2

from archscope.core.errors import ArchscopeError, UsageError
from archscope.training import pictures
from archscope.training.data import open_data
from archscope.training.pictures import read_picture
from archscope.training.preprocessing import Preprocessing, normalised, resized, statistics


def noise(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [(40, 60), (60, 40), (20, 33), (32, 32)])
def test_squashing_and_cutting_out_the_centre_are_torchvisions(size: tuple[int, int]) -> None:
    picture = noise(3, *size)
    squashed = resized(picture, Preprocessing(3, (32, 32), "squash"))
    assert torch.equal(squashed, v2.Resize((32, 32), antialias=True)(picture))
    for side in (32, 37):
        cut = resized(picture, Preprocessing(3, (32, 32), "short", side))
        assert torch.equal(cut, v2.Compose([v2.Resize(side, antialias=True), v2.CenterCrop(32)])(picture))


def test_a_picture_always_covers_an_input_that_is_not_square() -> None:
    picture = torch.full((3, 30, 30), 255, dtype=torch.uint8)
    cut = resized(picture, Preprocessing(3, (20, 60), "short", 20))
    assert cut.shape == (3, 20, 60)
    assert cut.min() == 255  # no black border


def test_grey_becomes_three_equal_channels_and_colours_are_weighed() -> None:
    grey, colour = noise(1, 8, 8), noise(3, 8, 8)
    assert torch.equal(resized(grey, Preprocessing(3, (8, 8))), grey.expand(3, 8, 8))
    assert torch.equal(resized(colour, Preprocessing(1, (8, 8))), v2.Grayscale()(colour))


def test_normalising_is_torchvisions() -> None:
    how = Preprocessing(3, (8, 8), mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))
    batch = noise(5, 3, 8, 8)
    steps = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.1, 0.2, 0.3], [0.4, 0.5, 0.6])])
    assert torch.equal(normalised(batch, how), steps(batch))


def test_the_statistics_are_those_of_numpy() -> None:
    batch = noise(7, 3, 8, 8)
    mean, std = statistics(batch)
    values = batch.numpy() / 255
    assert mean == pytest.approx(values.mean((0, 2, 3)), abs=1e-6)
    assert std == pytest.approx(values.std((0, 2, 3)), abs=1e-6)
    assert statistics(torch.zeros(2, 1, 4, 4, dtype=torch.uint8)) == ((0.0,), (1.0,))


@pytest.mark.parametrize(("normalize", "mean", "std"), [
    ("imagenet", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), ("half", (0.5,), (0.5,)), ("none", (0.0,), (1.0,)),
])  # fmt: skip
def test_data_are_normalised_as_asked_for(normalize: str, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    found = open_data("digits", input_shape=(3, 8, 8), normalize=normalize)
    plain = open_data("digits", input_shape=(3, 8, 8), normalize="none")
    assert (found.preprocessing.mean, found.preprocessing.std) == (mean, std)
    some = torch.arange(20)
    expected = v2.functional.normalize(
        plain.train.batch(some), list(mean) * (3 // len(mean)), list(std) * (3 // len(std))
    )
    assert torch.allclose(found.train.batch(some), expected, atol=1e-6)
    grey = open_data("digits", input_shape=(1, 8, 8), normalize=normalize)
    assert grey.train.batch(some).shape == (20, 1, 8, 8)


def test_data_that_are_normalised_by_themselves_have_mean_0_and_deviation_1() -> None:
    found = open_data("digits", input_shape=(1, 32, 32))
    everything = found.train.batch(torch.arange(len(found.train)))
    assert everything.mean().item() == pytest.approx(0, abs=1e-4)
    assert everything.std().item() == pytest.approx(1, abs=1e-4)


PICTURES = """pictures have 1 or 3 channels, a height and a width
  help:     --in-channels 3 or --in-channels 1"""


@pytest.mark.parametrize(("given", "text"), [
    ({"normalize": "no"}, "bad-value: normalize is 'no'\n  expected: data, half, imagenet, none"),
    ({"resize": "fit"}, "bad-value: resize is 'fit'\n  expected: squash, short"),
    ({"input_shape": (4, 8, 8)}, f"wrong-channels: the network takes 4×8×8, and {PICTURES}"),
    ({"input_shape": (10,)}, f"wrong-channels: the network takes 10, and {PICTURES}"),
])  # fmt: skip
def test_choices_that_make_no_sense_are_refused(given: dict, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_data("digits", **{"input_shape": (1, 8, 8), **given})
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_pictures_of_every_mode_are_read_as_pil_converts_them(mode: str, tmp_path: Path) -> None:
    ending = "jpg" if mode in {"CMYK", "YCbCr"} else "png"
    path = save_picture(tmp_path / f"a.{ending}", 1, (9, 7), mode)
    grey = mode in {"1", "L", "LA"}
    with Image.open(path) as file:
        expected = np.array(file.convert("L" if grey else "RGB"))
    found = read_picture(path)
    assert found.shape == (1 if grey else 3, 7, 9)
    values = found.permute(1, 2, 0).numpy()
    assert np.array_equal(values[:, :, 0] if grey else values, expected)


def test_of_16_bits_the_upper_8_count(tmp_path: Path) -> None:
    values = np.array([[0, 255, 256, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    assert read_picture(tmp_path / "deep.png").tolist() == [[[0, 0, 1, 255]]]


def test_a_palette_with_transparency_is_read_without_a_warning(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putdata([0, 1])
    picture.save(tmp_path / "a.png", transparency=b"\x00\xff")
    assert read_picture(tmp_path / "a.png").tolist() == [[[255, 0]], [[0, 0]], [[0, 255]]]


def test_a_picture_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: a quarter clockwise puts it right
    Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3)).save(tmp_path / "a.png", exif=exif)
    assert read_picture(tmp_path / "a.png").tolist() == [[[3, 0], [4, 1], [5, 2]]]


def test_a_picture_that_is_too_large_or_of_fractions_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("F", (2, 2)).save(tmp_path / "f.tiff")
    with pytest.raises(ArchscopeError, match="its values are fractions, and nothing says between what they lie"):
        read_picture(tmp_path / "f.tiff")
    monkeypatch.setattr(pictures, "MOST_PIXELS", 10)
    path = save_picture(tmp_path / "a.png", 0, (4, 3))
    with pytest.raises(ArchscopeError) as caught:
        read_picture(path)
    assert str(caught.value) == f"unreadable-image: {str(path)!r} cannot be read as a picture: it has 4×3 pixels"
