"""Every data set: what is in it, how it is split, and what is said where it is not there."""

from __future__ import annotations

import copy
import hashlib
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pictures_on_disk import cifar_batches, class_folders, flat_colour, idx_files, save_picture
from torchvision import datasets

from archscope.core.errors import ArchscopeError
from archscope.training import data
from archscope.training.data import open_data

SHAPE = (3, 16, 16)


def classes_in(examples: Any) -> list[int]:
    """How many examples each class has."""
    return torch.bincount(examples.labels).tolist()


def test_every_file_of_the_folder_is_a_data_set_and_nothing_else_is() -> None:
    assert set(data.named()) == {
        "cifar10", "cifar100", "digits", "fake", "fashion-mnist", "flowers102", "folder", "imagenette", "mnist",
    }  # fmt: skip


def test_digits_are_scikit_learns_with_a_fifth_of_every_class_held_out() -> None:
    from sklearn.datasets import load_digits

    found = open_data("digits", input_shape=(1, 8, 8), normalize="none")
    assert len(found.train) + len(found.validation) == 1797
    assert found.test is None
    assert found.classes == tuple("0123456789")
    whole = np.bincount(load_digits().target)
    assert classes_in(found.validation) == [round(0.2 * count) for count in whole]
    theirs = torch.from_numpy(load_digits().images).float() / 16
    ours = torch.cat([part.batch(torch.arange(len(part))) for part in (found.train, found.validation)])[:, 0]
    rows = [torch.tensor(sorted(each.flatten(1).mul(16).round().tolist())) for each in (ours, theirs)]
    assert torch.equal(*rows)
    assert ((ours * 16).frac() - 0.5).abs().min() > 0.4  # 17 greys, as close as 8 bits come


def test_digits_without_scikit_learn_are_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archscope.training.data.digits.find_spec", lambda _: None)
    with pytest.raises(ArchscopeError) as caught:
        open_data("digits", input_shape=(1, 8, 8))
    message = "no-data: digits are a file of scikit-learn, which is not there\n  help:     pip install scikit-learn"
    assert str(caught.value) == message


def test_a_split_is_the_same_for_a_seed_and_another_for_another() -> None:
    one, again, other = (open_data("digits", input_shape=(1, 8, 8), seed=seed) for seed in (0, 0, 1))
    everything = torch.arange(100)
    assert torch.equal(one.train.batch(everything), again.train.batch(everything))
    assert not torch.equal(one.train.batch(everything), other.train.batch(everything))


def test_fake_pictures_have_as_many_classes_as_asked_for_and_a_pattern_per_class() -> None:
    found = open_data("fake:7", input_shape=SHAPE)
    assert len(found.classes) == 7
    assert len(found.train) + len(found.validation) == 640
    pictures = found.train.batch(torch.arange(200)).flatten(1)
    distances = torch.cdist(pictures, pictures)
    same = found.train.labels[:200, None] == found.train.labels[None, :200]
    off_diagonal = ~torch.eye(200, dtype=torch.bool)
    assert distances[same & off_diagonal].max() < distances[~same].min()


@pytest.mark.parametrize("argument", ["1", "x", "10001", "-3", "9" * 40])
def test_a_number_of_fake_classes_that_makes_no_sense_is_refused(argument: str) -> None:
    with pytest.raises(ArchscopeError) as caught:
        open_data(f"fake:{argument}", input_shape=SHAPE)
    assert f"--data is 'fake:{argument}'" in str(caught.value)
    assert "a number of classes from 2 to 10,000: fake:100" in str(caught.value)


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_mnist_and_its_like_are_read_where_torchvision_puts_them(name: str, folder: str, tmp_path: Path) -> None:
    train, test = idx_files(tmp_path / folder / "raw", {"train": 200, "t10k": 50})
    found = open_data(name, input_shape=(1, 28, 28), normalize="none", root=tmp_path)
    assert (len(found.train), len(found.validation), len(found.test)) == (180, 20, 50)
    assert classes_in(found.validation) == [2] * 10
    ours = found.test.batch(torch.arange(50)).mul(255).round().to(torch.uint8)[:, 0]
    assert torch.equal(ours, torch.from_numpy(test))
    both = [
        part.batch(torch.arange(len(part))).sum(dtype=torch.float64).item() for part in (found.train, found.validation)
    ]
    assert sum(both) == pytest.approx(train.sum() / 255, rel=1e-6)


@pytest.mark.parametrize(("name", "key", "classes"), [("cifar10", "labels", 10), ("cifar100", "fine_labels", 100)])
def test_cifar_is_read_where_torchvision_puts_it(
    name: str, key: str, classes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = getattr(datasets, name.upper())
    for attribute in ("train_list", "test_list", "meta"):
        monkeypatch.setattr(kind, attribute, copy.deepcopy(getattr(kind, attribute)))
    folder = tmp_path / kind.base_folder
    cifar_batches(folder, [kind.train_list, kind.test_list], key, classes)
    content = pickle.dumps({kind.meta["key"]: [f"class {index}" for index in range(classes)]})
    (folder / kind.meta["filename"]).write_bytes(content)
    kind.meta["md5"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    found = open_data(name, input_shape=(3, 32, 32), normalize="none", root=tmp_path)
    assert len(found.classes) == classes
    theirs = kind(tmp_path, train=False)
    assert torch.equal(found.test.labels, torch.tensor(theirs.targets))
    ours = found.test.batch(torch.arange(2 * classes)).mul(255).round().to(torch.uint8)
    assert torch.equal(ours, torch.from_numpy(theirs.data).permute(0, 3, 1, 2))


def test_cifar_with_another_checksum_is_not_opened(tmp_path: Path) -> None:
    kind = datasets.CIFAR10
    folder = tmp_path / kind.base_folder
    folder.mkdir()
    for entry in [*kind.train_list, *kind.test_list, [kind.meta["filename"]]]:
        (folder / entry[0]).write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    with pytest.raises(ArchscopeError, match="cifar10 is not in"):
        open_data("cifar10", input_shape=SHAPE, root=tmp_path)
    assert not Path("opened").exists()


def test_flowers102_has_its_own_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.io import savemat

    folder = tmp_path / "flowers-102"
    for number in range(1, 13):
        flat_colour(folder / "jpg" / f"image_{number:05}.jpg", (20 * number, 0, 0))
    savemat(folder / "imagelabels.mat", {"labels": [1, 102, 5] * 4})
    savemat(folder / "setid.mat", {"trnid": [1, 2, 3, 4], "valid": [5, 6], "tstid": [7, 8, 9, 10, 11, 12]})
    files = dict(datasets.Flowers102._file_dict)
    for key, name in (("label", "imagelabels.mat"), ("setid", "setid.mat")):
        files[key] = (name, hashlib.md5((folder / name).read_bytes(), usedforsecurity=False).hexdigest())
    monkeypatch.setattr(datasets.Flowers102, "_file_dict", files)
    found = open_data("flowers102", input_shape=SHAPE, normalize="none", root=tmp_path)
    assert [len(part) for part in found.splits.values()] == [4, 2, 6]
    assert found.train.labels.tolist() == [0, 101, 4, 0]
    assert found.classes[0] == "pink primrose"
    assert found.train.batch(torch.tensor([3]))[0, 0].mean().item() == pytest.approx(80 / 255, abs=0.02)


def test_imagenette_has_its_own_splits_and_names(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("val", 2)):
        for wnid in ("n01440764", "n03888257"):
            for number in range(count):
                save_picture(tmp_path / "imagenette2-160" / split / wnid / f"{number}.jpeg")
                save_picture(tmp_path / "imagenette2-160" / split / wnid / f"{number}.JPEG")
    found = open_data("imagenette:160px", input_shape=SHAPE, root=tmp_path)
    assert found.classes == ("tench", "parachute")
    assert (len(found.train), len(found.validation), found.test) == (12, 8, None)
    with pytest.raises(ArchscopeError) as caught:
        open_data("imagenette:150px", input_shape=SHAPE, root=tmp_path)
    assert str(caught.value) == "bad-value: --data is 'imagenette:150px'\n  expected: 160px, 320px, full"


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10", "cifar100", "flowers102", "imagenette"])
def test_a_data_set_that_is_not_there_names_the_command_and_nothing_is_downloaded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was downloaded")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(ArchscopeError) as caught:
        open_data(name, input_shape=SHAPE, root=tmp_path)
    assert str(caught.value) == (
        f"no-data: {name} is not in {str(tmp_path)!r}\n"
        f"  help:     download it once: archscope train NETWORK --data {name} --download"
    )
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_downloaded_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.datasets.cifar.download_and_extract_archive", offline)
    with pytest.raises(ArchscopeError) as caught:
        open_data("cifar10", input_shape=SHAPE, root=tmp_path / "new", download=True)
    assert "no-download: cifar10 cannot be downloaded to " in str(caught.value)
    assert "no route to host" in str(caught.value)


def test_damaged_files_of_a_data_set_say_where_they_lie(tmp_path: Path) -> None:
    idx_files(tmp_path / "MNIST" / "raw", {"train": 20, "t10k": 10})
    (tmp_path / "MNIST" / "raw" / "t10k-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03")
    with pytest.raises(ArchscopeError, match=r"unreadable-data: mnist in .* cannot be read: "):
        open_data("mnist", input_shape=SHAPE, root=tmp_path)


def test_downloads_lie_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("ARCHSCOPE_DATA", raising=False)
    assert data.data_root() == tmp_path / "archscope"
    monkeypatch.setenv("ARCHSCOPE_DATA", str(tmp_path / "data"))
    assert data.data_root() == tmp_path / "data"
    assert data.data_root("elsewhere") == Path("elsewhere")


def test_an_unknown_data_set_names_the_nearest() -> None:
    with pytest.raises(ArchscopeError) as caught:
        open_data("cifar", input_shape=SHAPE)
    assert str(caught.value) == ("unknown-data: no data is called 'cifar'\n  help:     did you mean cifar10, cifar100?")
    with pytest.raises(ArchscopeError, match="--data is 'digits:3', and digits takes nothing behind a colon"):
        open_data("digits:3", input_shape=SHAPE)


@pytest.mark.parametrize(("layout", "sizes"), [
    ({"train": 5, "val": 3, "test": 2}, {"train": 10, "validation": 6, "test": 4}),
    ({"train": 10, "test": 2}, {"train": 16, "validation": 4, "test": 4}),
    ({"train": 5, "validation": 3}, {"train": 10, "validation": 6}),
    ({"": 10}, {"train": 16, "validation": 4}),
])  # fmt: skip
def test_a_folder_of_class_folders_has_the_splits_that_it_has(
    layout: dict[str, int], sizes: dict[str, int], tmp_path: Path
) -> None:
    for name, count in layout.items():
        class_folders(tmp_path / name, {"dogs": count, "cats": count})
    found = open_data(f"folder:{tmp_path}", input_shape=SHAPE)
    assert found.classes == ("cats", "dogs")
    assert {name: len(part) for name, part in found.splits.items()} == sizes
    for part in found.splits.values():
        assert classes_in(part) == [len(part) // 2] * 2


def test_a_folders_pictures_bear_the_class_of_their_folder(tmp_path: Path) -> None:
    for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        for index in range(5):
            flat_colour(tmp_path / name / "deeper" / f"{index}.png", colour)
    found = open_data(f"folder:{tmp_path}", input_shape=SHAPE, normalize="none")
    for part in (found.train, found.validation):
        pictures = part.batch(torch.arange(len(part)))
        assert torch.equal(pictures[:, 0, 0, 0] == 1, part.labels == found.classes.index("red"))


@pytest.mark.parametrize(("make", "text"), [
    (lambda _: None, "no-data: the folder '{0}' is not there"),
    (lambda path: path.write_text("x"), "no-data: the folder '{0}' is a file"),
    (lambda path: path.mkdir(), "no-data: '{0}' holds nothing that could be a class"),
    (lambda path: save_picture(path / "a.png"), "no-data: '{0}' holds pictures and no folder of a class"),
    (lambda path: class_folders(path, {"cats": 2}),
     "one-class: '{0}' holds one class only, 'cats', and telling apart takes two"),
    (lambda path: (class_folders(path, {"cats": 2}), (path / "dogs").mkdir()),
     "no-data: the class 'dogs' has no picture in '{0}/dogs'"),
    (lambda path: (class_folders(path / "train", {"a": 2, "b": 2}), class_folders(path / "val", {"c": 2})),
     "unknown-class: '{0}/val' has 'c', which is no class of the training pictures\n  expected: a, b"),
    (lambda path: (class_folders(path / "train", {"a": 2, "b": 2}), (path / "test").mkdir()),
     "no-data: '{0}/test' holds no folder of a class"),
])  # fmt: skip
def test_a_folder_that_holds_no_data_says_why(make: Any, text: str, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    make(folder)
    with pytest.raises(ArchscopeError) as caught:
        open_data(f"folder:{folder}", input_shape=SHAPE)
    assert str(caught.value).startswith(text.format(folder))


def test_a_folder_without_a_path_is_refused() -> None:
    with pytest.raises(ArchscopeError, match="--data is 'folder' without a path"):
        open_data("folder", input_shape=SHAPE)


def test_corrupt_pictures_are_named_all_at_once(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", {"cats": 5, "dogs": 5})
    class_folders(tmp_path / "val", {"cats": 1, "dogs": 1})
    cut, page = tmp_path / "train" / "cats" / "cut.png", tmp_path / "train" / "dogs" / "page.jpg"
    cut.write_bytes((tmp_path / "train" / "cats" / "000.png").read_bytes()[:200])
    page.write_text("<html>404</html>")
    with pytest.raises(ArchscopeError) as caught:
        open_data(f"folder:{tmp_path}", input_shape=SHAPE)
    first, second, help_line = str(caught.value).split("\n")
    assert first.startswith(f"unreadable-image: {str(cut)!r} cannot be read as a picture: ")
    assert second.startswith(f"unreadable-image: {str(page)!r} cannot be read as a picture: ")
    assert help_line == "  help:     --skip-corrupt leaves such files out and counts them"
    found = open_data(f"folder:{tmp_path}", input_shape=SHAPE, skip_corrupt=True)
    assert found.skipped == (str(cut), str(page))
    assert len(found.train) == 10


def test_many_corrupt_pictures_are_counted(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", {"a": 2, "b": 2})
    class_folders(tmp_path / "val", {"a": 1, "b": 1})
    for index in range(9):
        (tmp_path / "train" / "a" / f"broken{index}.png").write_bytes(b"")
    with pytest.raises(ArchscopeError) as caught:
        open_data(f"folder:{tmp_path}", input_shape=SHAPE)
    assert str(caught.value).count("cannot be read") == 5
    assert "unreadable-image: and 4 more" in str(caught.value)


def test_a_folder_of_corrupt_pictures_only_has_nothing_to_train_on(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").write_text("no picture")
    with pytest.raises(ArchscopeError, match=r"no-data: folder:.* has no example to use for train"):
        open_data(f"folder:{tmp_path}", input_shape=SHAPE, skip_corrupt=True)


def test_a_test_split_is_not_read_before_it_is_used(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", {"a": 5, "b": 5})
    class_folders(tmp_path / "test", {"a": 1, "b": 1})
    broken = tmp_path / "test" / "a" / "000.png"
    broken.write_text("no picture")
    found = open_data(f"folder:{tmp_path}", input_shape=SHAPE)
    with pytest.raises(ArchscopeError) as caught:
        found.test.batch(torch.arange(2))
    assert str(caught.value).startswith(f"unreadable-image: {str(broken)!r} cannot be read as a picture: ")


def test_labels_outside_the_classes_are_refused() -> None:
    found = open_data("fake:4", input_shape=SHAPE)
    labels = found.train.labels.clone()
    labels[7] = 4
    wrong = replace(found.train, labels=labels)
    with pytest.raises(ArchscopeError) as caught:
        replace(found, train=wrong)
    assert str(caught.value) == (
        "label-out-of-range: fake:4 has a label outside its 4 classes: 4, of example 7 for train\n  expected: 0 to 3"
    )
    with pytest.raises(ArchscopeError, match="one-class: fake:4 has one class only, 'a'"):
        replace(found, classes=("a",))
