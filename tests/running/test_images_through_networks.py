"""An image through a network: read safely, shown as it is, its maps those of torch, and the pictures of them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

import archscope as library
from archscope.api import maps
from archscope.core.errors import ArchscopeError, Unsupported, UsageError
from archscope.running import images, pictures, reductions, scaling
from archscope.running.hooked import Maps, pools

SMALL = {"width": "1/16", "head": "gap", "num_classes": 10, "input_size": (64, 64)}
FLAGS = "--width 1/16 --head gap --classes 10 --input 64"


@pytest.fixture
def photo(here: Path) -> Path:
    """An image of three by two parts with edges in it, as a PNG file."""
    torch.manual_seed(0)
    parts = functional.interpolate(torch.rand(1, 3, 4, 6), (64, 96), mode="nearest")[0]
    pixels = (parts + torch.rand(3, 64, 96)) / 2
    path = here / "photo.png"
    Image.frombytes("RGB", (96, 64), (pixels * 255).byte().permute(1, 2, 0).contiguous().numpy().tobytes()).save(path)
    return path


def png_of_size(width: int, height: int) -> bytes:
    """The head of a PNG that claims so many pixels."""
    chunks = {b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT": zlib.compress(bytes(100))}
    packed = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def test_an_image_keeps_its_aspect_and_what_was_done_is_said(photo: Path) -> None:
    shown = images.shown(photo, (3, 32, 32))
    assert shown.pixels.shape == (3, 32, 32)
    assert shown.note == "photo.png (96×64) was resized to 48×32, of which the middle 32×32 was cut out"
    assert images.shown(photo, (3, 64, 96)).note == "photo.png (96×64) is shown as it is"
    grey = images.shown(photo, (1, 64, 96)).pixels
    assert grey.shape == (1, 64, 96)
    red, green, blue = images.shown(photo, (3, 64, 96)).pixels
    assert torch.allclose(grey[0], 0.299 * red + 0.587 * green + 0.114 * blue, atol=0.01)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "I;16"])
def test_images_of_every_kind_are_read(mode: str, here: Path) -> None:
    Image.new(mode, (20, 10)).save(here / ("image.tif" if mode == "CMYK" else "image.png"))
    path = next(here.glob("image.*"))
    assert images.shown(path, (3, 10, 20)).pixels.shape == (3, 10, 20)


def test_an_image_is_turned_as_its_camera_says(here: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 10)).save(here / "turned.jpg", exif=exif)
    assert images.shown(here / "turned.jpg", (3, 20, 10)).note == "turned.jpg (10×20) is shown as it is"


def test_what_is_no_image_is_said_and_nothing_written(archscope: Callable, here: Path) -> None:
    (here / "text.png").write_text("no image")
    (here / "cut.jpg").write_bytes(jpeg()[:400])
    (here / "bomb.png").write_bytes(png_of_size(60000, 60000))
    (here / "large.png").write_bytes(png_of_size(9000, 9000))
    expected = {
        "text.png": "no-image: 'text.png' is no image that Pillow reads",
        "cut.jpg": "unreadable-image: 'cut.jpg': ",
        "bomb.png": "too-large: 'bomb.png' has more pixels than Pillow unpacks",
        "large.png": "too-large: 'large.png' has 9000×9000 pixels",
        "none.png": "unreadable-image: 'none.png': No such file or directory",
        ".": "unreadable-image: '.': Is a directory",
    }
    for name, text in expected.items():
        outcome = archscope(f"activations vgg11 {name} -o maps.png")
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.err.startswith(text)
    assert not (here / "maps.png").exists()


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 80).save(out, "jpeg")
    return out.getvalue()


def test_maps_are_what_the_layers_return_before_anything_overwrites_them(photo: Path) -> None:
    found = library.feature_maps("vgg11", photo, layers=["conv1_1", "relu1_1", "pool1", "features.5"], **SMALL)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = library.build("vgg11", **SMALL).eval()
    image = images.normalised(images.shown(photo, (3, 64, 64)).pixels)
    conv = model.get_submodule("features.0")(image)
    assert torch.equal(found[0].values, conv[0])
    assert float(found[0].values.detach().min()) < 0
    assert torch.equal(found[1].values, conv[0].relu())
    assert torch.equal(found[2].values, functional.max_pool2d(conv.relu(), 2)[0])
    assert [each.name for each in library.feature_maps("vgg11", photo, **SMALL)] == [f"pool{n}" for n in range(1, 6)]


def test_blocks_have_maps_too_and_the_random_state_stays(photo: Path) -> None:
    before = torch.random.get_rng_state()
    found = library.feature_maps("googlenet", photo, layers=["inception3a"], width="1/16")
    assert found[0].values.shape[1:] == (28, 28)
    assert torch.equal(before, torch.random.get_rng_state())


WRONG_LAYERS = {
    "pool9": "unknown-layer: vgg11 has no layer 'pool9'",
    "fc8": "no-maps: fc8 makes a vector, and maps are drawn of layers with height and width",
}


@pytest.mark.parametrize("name", WRONG_LAYERS)
def test_layers_without_maps_are_refused(name: str, photo: Path) -> None:
    with pytest.raises(UsageError, match=WRONG_LAYERS[name]):
        library.feature_maps("vgg11", photo, layers=[name], input_size=(64, 64))


def test_functions_modules_and_networks_without_pools_are_refused(photo: Path) -> None:
    with pytest.raises(UsageError, match=r"no-maps: layer1\.0\.add is no module that runs in inference"):
        library.feature_maps("resnet18", photo, layers=["layer1.0.add"])
    with pytest.raises(Unsupported, match="no-table: ReLU is a module"):
        library.feature_maps(nn.ReLU(), photo)  # type: ignore[arg-type]
    flat = library.load(["conv3-8", "relu"], input=(3, 8, 8), name="flat")
    with pytest.raises(UsageError, match="no-maps: flat has no pools"):
        library.feature_maps(flat, photo)
    with pytest.raises(UsageError, match="no-pools: flat has no pools that an image could go through"):
        maps.pooled_images(maps.subject_of(flat, photo), [])
    with pytest.raises(Unsupported, match="no-image: the network takes 2×8×8"):
        library.feature_maps(library.load(["conv3-8"], input=(2, 8, 8)), photo)


def test_scales_and_what_they_cut_off() -> None:
    torch.manual_seed(0)
    values = torch.randn(4, 50, 50).relu() * torch.tensor([1.0, 2.0, 3.0, 4.0]).view(4, 1, 1)
    for text, clipped in (("channel", 0), ("layer", 0), ("percentile:0,90", 0.1), ("symmetric", 0), ("zscore", 0.02)):
        shades, found = scaling.scaled(values, scaling.scale_of(text))
        assert 0 <= float(shades.min()) <= float(shades.max()) <= 1
        assert found.clipped == pytest.approx(clipped, abs=0.015)
        assert found.zeros == pytest.approx(float((values == 0).float().mean()))
        assert (found.least, found.largest) == (0.0, float(values.max()))
    channel = scaling.scaled(values, scaling.Scale("channel"))[0]
    assert channel.amax((1, 2)).tolist() == [1.0] * 4
    signed = scaling.scaled(values - 1, scaling.Scale("symmetric"))[0]
    assert float(signed[values == 1].mean() if (values == 1).any() else 0.5) == pytest.approx(0.5)
    for text in ("percentile", "percentile:9,1", "percentile:a,b", "layer:1", "odd"):
        with pytest.raises(UsageError, match="--scale is"):
            scaling.scale_of(text)


def test_pools_alone_are_torch_s_and_a_blur_keeps_the_fewest_edges(photo: Path) -> None:
    subject = maps.subject_of("vgg11", photo, input_size=(64, 64))
    assert pools(subject.graph) == ["pool1", "pool2", "pool3", "pool4", "pool5"]
    (grey, in_grey), (colour, in_colour) = maps.pooled_images(subject, [])
    assert (grey, colour) == ("grey", "colour")
    expected = subject.image.pixels
    for step in in_colour[1:]:
        expected = functional.max_pool2d(expected, 2)
        assert torch.equal(step.image, expected)
    assert in_grey[1].image.shape == (1, 32, 32)
    rows = dict(maps.pooled_images(subject, list(reductions.METHODS)))
    assert all([each.image.shape for each in row] == [each.image.shape for each in in_colour] for row in rows.values())
    assert rows["nearest"][2].edges > rows["avg"][2].edges > rows["gaussian"][2].edges > 0
    assert torch.allclose(rows["avg"][1].image, rows["area"][1].image, atol=1e-6)


def test_edge_energy_is_that_of_squared_differences() -> None:
    image = torch.zeros(1, 4, 4)
    image[:, :, 2:] = 1
    assert reductions.edge_energy(image, image) == 1
    assert reductions.edge_energy(image[:, ::2, ::2], image) == 1
    assert reductions.edge_energy(torch.full((1, 2, 2), 0.5), image) == 0
    assert reductions.edge_energy(torch.ones(1, 2, 2), torch.ones(1, 4, 4)) == 0


def test_a_unit_sees_what_changes_it(photo: Path) -> None:
    subject = maps.subject_of("vgg11", photo, **SMALL)
    field = maps.unit_field(subject, "pool2:5,7")
    model, image = maps.model_of(subject, "random")
    image.requires_grad_()
    features = model.get_submodule("features")[:6](image)
    (gradient,) = torch.autograd.grad(features[0, :, 5, 7].sum(), image)
    rows, columns = gradient[0].abs().sum(0).nonzero().T
    assert int(rows.min()) >= field.top
    assert int(rows.max()) < field.top + field.height
    assert int(columns.min()) >= field.left
    assert int(columns.max()) < field.left + field.width
    assert (field.width, field.height) == (12, 12) or field.exact
    vector = f"{subject.graph.nodes[-1].name}:1,1"
    for unit, text in (
        ("pool2", "--unit is 'pool2'"), ("pool2:1,99", "makes maps of 16×16, and 1,99 lies outside"),
        ("pool9:1,1", "has no layer 'pool9'"), (vector, "makes no maps whose field is known"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=text):
            maps.unit_field(subject, unit)


def test_a_class_map_of_a_network_with_a_global_pool_is_its_weights_times_its_maps(photo: Path) -> None:
    subject = maps.subject_of("resnet18", photo, width="1/8", input_size=(64, 64), num_classes=5)
    found = maps.class_map_of(subject, "random", "3")
    model, image = maps.model_of(subject, "random")
    taken: list[torch.Tensor] = []
    model.get_submodule("layer4").register_forward_hook(lambda *given: taken.append(given[2].detach().clone()))
    logits = model(image)
    weights = model.get_submodule("fc").weight[3].detach()
    own = (taken[0][0] * weights.view(-1, 1, 1)).sum(0).clamp(min=0)
    assert torch.allclose(found.values, own / own.max(), atol=1e-5)
    assert (found.number, found.share) == (3, pytest.approx(float(logits.softmax(1)[0, 3].detach()), rel=1e-4))
    assert maps.class_map_of(subject, "random", "top").number == int(logits.argmax())
    for wanted, text in (("7", "has no class 7"), ("dog", "--class-map is 'dog'")):
        with pytest.raises(UsageError, match=text):
            maps.class_map_of(subject, "random", wanted)


def test_torchvision_s_weights_come_from_its_cache_or_the_download_is_named(
    photo: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(here / "hub"))
    with pytest.raises(Unsupported) as caught:
        library.feature_maps("squeezenet1_1", photo, weights="torchvision")
    url = "https://download.pytorch.org/models/squeezenet1_1-"
    assert f"--download fetches {url}" in str(caught.value)
    name = str(caught.value).rpartition("/")[2].strip()
    torch.manual_seed(5)
    state = library.build("squeezenet1_1").state_dict()
    (here / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(state, here / "hub" / "checkpoints" / name)
    found = library.feature_maps("squeezenet1_1", photo, layers=["conv1"], weights="torchvision")[0].values
    torch.save(state, here / "own.pt")
    own = library.feature_maps("squeezenet1_1", photo, layers=["conv1"], weights=str(here / "own.pt"))[0].values
    assert torch.equal(found, own)
    with pytest.raises(ArchscopeError, match=r"no-run: '.*hub' is no run: it has no 'network.json'"):
        library.feature_maps("squeezenet1_1", photo, weights=str(here / "hub"))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("", "grey: pool1 keeps"),
        ("--downsample max,lanczos", "lanczos: pool1 keeps"),
        ("--weights random --layers conv1_1,pool2 --scale symmetric", "conv1_1, 4×64×64: min "),
        ("--weights random --class-map top", "seen by the maps of"),
        ("--unit pool3:2,3", "pool3 (2, 3) sees"),
    ],
)
def test_the_command_draws_each_picture(flags: str, said: str, archscope: Callable, photo: Path) -> None:
    outcome = archscope(f"activations vgg11 {photo.name} {FLAGS} {flags} -o maps.png")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("photo.png (96×64) was resized to 96×64, of which the middle 64×64 was cut out\n")
    assert said in outcome.out
    assert outcome.out.endswith("wrote maps.png\n")
    with Image.open(photo.with_name("maps.png")) as drawn:
        assert drawn.width > 800
        assert len(drawn.convert("RGB").getcolors(10**6) or []) > 50


def test_wrong_use_of_the_command(archscope: Callable, photo: Path) -> None:
    wrong = {
        "-o maps.txt": "bad-value: the name 'maps.txt' does not say a format\n  expected: a name that ends in .png",
        "-o m.png --downsample blur": "bad-value: --downsample is 'blur'\n  expected: max, avg, gaussian",
        "-o m.png --downsample ,": "bad-value: --downsample names none",
        "-o m.png --layers pool1": "no-weights: --layers needs a network with weights",
        "-o m.png --class-map top": "no-weights: --class-map needs a network with weights",
        "-o m.png --unit pool1:1,1 --downsample max": "bad-value: --downsample and --unit are different pictures",
        "-o m.png --weights random --unit pool1:1,1": "bad-value: --unit is of the image alone",
        "-o photo.png": "file-exists: 'photo.png' is there already; nothing was written",
    }
    for flags, text in wrong.items():
        outcome = archscope(f"activations vgg11 {photo.name} {flags}")
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith(text)
    outcome = archscope(f"activations vgg11 {photo.name} -o no/maps.png")
    assert (outcome.code, outcome.err) == (1, "cannot-write: 'no/maps.png': No such file or directory\n")
    assert archscope(f"activations vgg11 {photo.name} {FLAGS} -o photo.png --force").code == 0


def test_vector_pictures_are_the_same_each_time(photo: Path) -> None:
    subject = maps.subject_of("vgg11", photo, **SMALL)
    rows = maps.pooled_images(subject, [])
    assert pictures.reductions_picture("title <&>", rows, "svg").startswith(b"<?xml")
    assert pictures.reductions_picture("title", rows, "pdf") == pictures.reductions_picture("title", rows, "pdf")


def test_many_channels_are_drawn_in_part_and_that_is_said() -> None:
    values = torch.rand(100, 4, 4)
    words = pictures.caption(Maps("conv", values), scaling.scaled(values, scaling.Scale("layer"))[1])
    assert words.startswith("conv, 100×4×4: min ")
    assert words.endswith("0.0 % zeros, 0.0 % clipped; 64 of 100 channels")


def test_without_matplotlib_one_command_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(
        Unsupported, match=r"missing-extra: pictures are drawn with matplotlib(.|\n)*pip install matplotlib"
    ):
        pictures.field_picture("t", torch.rand(3, 8, 8), (0, 0, 2, 2), "words", "png")
