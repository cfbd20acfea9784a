"""The loop: losses and gradients are what they should be, parts add up, a resumed run is the uninterrupted one."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import planted
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import cross_entropy

import archscope
from archscope.core.errors import ArchscopeError, Unsupported, UsageError
from archscope.training import runs
from archscope.training.events import Epoch, Step
from archscope.training.loop import train as steps_of
from archscope.training.machine import machine_of
from archscope.training.objective import heads_of, losses_of
from archscope.training.progress import Progress, batch_ends, progress_of
from archscope.training.recipe import Recipe

FULL = Recipe(steps=6, batch_size=32, lr=0.1, optimizer="sgd", momentum=0.9, weight_decay=1e-3, init="default")


class Plain(nn.Sequential):
    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__(nn.Flatten(), nn.Linear(256, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, 10))


def run(recipe: Recipe, model: nn.Module | None = None) -> Progress:
    torch.manual_seed(3)
    model = model or Plain()
    progress = progress_of(model, planted.digits(3), recipe, machine_of(recipe))
    for _ in steps_of(progress):
        pass
    return progress


def test_the_loop_does_what_a_loop_written_by_hand_does() -> None:
    progress = run(replace(FULL, schedule="constant", warmup=0.0))
    torch.manual_seed(3)
    model, data = Plain(), planted.digits(3)
    from archscope.training.sampling import order

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    losses = []
    for indices in order(0, 0, len(data.train)).split(32)[:6]:
        loss = cross_entropy(model(data.train.batch(indices, 0)), data.train.labels[indices])
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert progress.curve.tolist() == pytest.approx(losses, abs=1e-7)
    for own, other in zip(progress.model.parameters(), model.parameters(), strict=True):
        assert torch.equal(own, other)


def test_a_batch_in_parts_gives_the_gradients_of_the_whole() -> None:
    whole, parts = run(FULL), run(replace(FULL, accumulate=5))
    assert parts.curve.tolist() == pytest.approx(whole.curve.tolist(), rel=1e-5)
    for own, other in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        torch.testing.assert_close(own, other)


def test_auxiliary_losses_are_weighted_and_named() -> None:
    labels = torch.tensor([0, 1])
    outputs = planted.Outputs(torch.randn(2, 10, requires_grad=True), torch.randn(2, 10))
    found = losses_of(outputs, labels, 0.3)
    main, aux = cross_entropy(outputs.logits, labels), cross_entropy(outputs.aux_logits, labels)
    assert found.total.item() == pytest.approx((main + 0.3 * aux).item())
    assert list(found.heads) == ["logits", "aux_logits"]
    assert list(heads_of({"aux": outputs[1], "logits": outputs[0]})) == ["logits", "aux"]


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        ((torch.zeros(2), torch.zeros(2)), "a forward that returns tuple, whose parts have no names"),
        ({"out": torch.zeros(2)}, "outputs out, none of them called 'logits'"),
    ],
)
def test_outputs_without_names_are_refused(outputs: object, text: str) -> None:
    with pytest.raises(Unsupported) as raised:
        heads_of(outputs)
    assert text in str(raised.value)


def test_smoothing_and_clipping_have_their_effect() -> None:
    plain, smooth, clipped = run(FULL), run(replace(FULL, label_smoothing=0.1)), run(replace(FULL, clip=1e-3))
    assert smooth.curve[0] != plain.curve[0]
    assert clipped.curve[0] == plain.curve[0]
    assert abs(clipped.curve[5] - clipped.curve[0]) < abs(plain.curve[5] - plain.curve[0])


def test_gradients_in_float16_are_scaled_and_a_step_that_overflows_is_left_out() -> None:
    half = run(replace(FULL, amp="float16"))
    assert half.curve.tolist() == pytest.approx(run(FULL).curve.tolist(), rel=0.02)
    assert half.machine.scaler is not None
    assert half.state()["scaler"]["scale"] == 65536.0
    torch.manual_seed(3)
    loud = nn.Sequential(nn.Flatten(), nn.Linear(256, 10))
    with torch.no_grad():
        loud[1].weight.mul_(1e4)
    before = loud[1].weight.detach().clone()
    over = run(replace(FULL, amp="float16", steps=1, schedule="constant", warmup=0.0), nn.Sequential(loud, Loud()))
    assert torch.equal(loud[1].weight, before)
    assert over.state()["scaler"]["scale"] == 32768.0


class Loud(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 1e3


def test_a_last_batch_of_one_goes_with_the_one_before() -> None:
    assert batch_ends(65, 32, 2) == (32, 65)
    assert batch_ends(66, 32, 2) == (32, 64, 66)
    assert batch_ends(3, 32, 2) == (3,)


def test_an_epoch_may_be_one_batch() -> None:
    progress = run(replace(FULL, batch_size=len(planted.digits(3).train), steps=2))
    assert [epoch.step for epoch in progress.history] == [1, 2]


def test_a_single_example_at_once_is_refused_with_batch_norm() -> None:
    with pytest.raises(UsageError) as raised:
        archscope.train("vgg11_bn", width="1/16", recipe=Recipe(batch_size=4, accumulate=4))
    assert "batch norm takes the mean of several examples, and 1 at once is trained on" in str(raised.value)


def test_a_loss_that_is_no_number_ends_the_training_with_its_epoch() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(256, 10), Cube())
    progress = run(replace(FULL, steps=None, epochs=3, lr=1e9, schedule="constant", warmup=0.0), model)
    assert len(progress.history) == 1


class Cube(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x**9


class Stopper:
    """Watches a training and sends a signal after a step."""

    def __init__(self, step: int, number: int = signal.SIGINT) -> None:
        self.step, self.number = step, number

    def __call__(self, event: object) -> None:
        if isinstance(event, Step) and event.step == self.step:
            signal.raise_signal(self.number)


def trained(folder: Path, **more: object) -> archscope.api.trainings.Training:
    recipe = Recipe(epochs=3, seed=5, lr=2e-3, optimizer="adamw", batch_size=64)
    torch.manual_seed(5)
    body = (nn.Conv2d(1, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
    model = nn.Sequential(*body, nn.Dropout(0.2), nn.Linear(196, 10))
    return archscope.train(model, planted.digits(5), recipe, input=planted.SHAPE, out=folder, **more)


def weights_in(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(next((folder / "checkpoints").glob("last-*.safetensors")))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    trained(folder)
    return folder


@pytest.mark.parametrize(("step", "number"), [(1, signal.SIGINT), (23, signal.SIGTERM), (30, signal.SIGINT)])
def test_a_run_that_is_interrupted_goes_on_exactly(step: int, number: int, uninterrupted: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        trained(folder, watch=Stopper(step, number))
    done = trained(folder, resume=True)
    assert done.history[-1].step == 69
    found, wanted = weights_in(folder), weights_in(uninterrupted)
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    for own, other in zip(*(_figures(each) for each in (folder, uninterrupted)), strict=True):
        assert own == other


def test_a_run_with_channels_last_goes_on_exactly(tmp_path: Path) -> None:
    recipe = Recipe(steps=12, seed=2)  # a table's network on a CPU has them
    kind = {"recipe": recipe, "width": "1/16", "head_width": "1/16"}
    whole, folder = tmp_path / "whole", tmp_path / "run"
    done = archscope.train("vgg11_bn", out=whole, **kind)
    assert done.recipe.channels_last is True
    with pytest.raises(KeyboardInterrupt):
        archscope.train("vgg11_bn", out=folder, watch=Stopper(5), **kind)
    archscope.train("vgg11_bn", out=folder, resume=True, **kind)
    found, wanted = weights_in(folder), weights_in(whole)
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)


def _figures(folder: Path) -> list[list[str]]:
    """The rows of the history but for times, and the lines of the metrics."""
    lines = (folder / "history.csv").read_text(encoding="utf-8").splitlines()
    kept = [name not in {"seconds", "images_per_second"} for name in lines[0].split(",")]
    rows = [[cell for cell, keep in zip(line.split(","), kept, strict=True) if keep] for line in lines]
    return [*rows, (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def test_signals_do_what_they_did_once_it_is_over(uninterrupted: Path) -> None:  # noqa: ARG001  a training is over
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_goes_on_only_with_its_own_recipe(uninterrupted: Path) -> None:
    with pytest.raises(UsageError) as raised:
        archscope.train("lenet5", recipe=Recipe(lr=0.5), out=uninterrupted, resume=True)
    assert "lr is 0.5, and the run in" in str(raised.value)
    assert "began with 0.002" in str(raised.value)


def test_a_run_that_is_there_is_not_overwritten(uninterrupted: Path) -> None:
    with pytest.raises(UsageError) as raised:
        archscope.train("lenet5", out=uninterrupted)
    assert "there is a run in" in str(raised.value)
    assert "--resume goes on with it" in str(raised.value)


def test_a_run_that_is_not_there_cannot_go_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="that could go on"):
        archscope.train("lenet5", out=tmp_path, resume=True)
    with pytest.raises(UsageError, match="which run is to go on"):
        archscope.train("lenet5", resume=True)


def test_the_checkpoint_of_another_network_is_refused(uninterrupted: Path) -> None:
    with pytest.raises(ArchscopeError, match="is of another network"):
        archscope.train("lenet5", out=uninterrupted, resume=True)


def test_a_run_says_what_it_was(uninterrupted: Path) -> None:
    found = runs.read_run(uninterrupted)
    assert found.data["name"] == "digits"
    assert found.recipe["batch_size"] == 64
    assert found.network.input_shape == planted.SHAPE
    assert {"history.csv", "metrics.jsonl", "verdict.json"} <= {path.name for path in uninterrupted.iterdir()}


def test_epochs_tell_of_held_out_examples() -> None:
    events: list[object] = []
    torch.manual_seed(0)
    archscope.train(Plain(), planted.digits(0), replace(FULL, steps=3), input=planted.SHAPE, watch=events.append)
    last = [event for event in events if isinstance(event, Epoch)][-1]
    assert last.step == 3
    assert 0 <= last.validation_accuracy <= 1
    assert last.images_per_second > 0


def test_the_callers_random_numbers_go_on_where_they_were() -> None:
    model = Plain(0.5)
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    archscope.train(model, planted.digits(0), replace(FULL, steps=2), input=planted.SHAPE)
    assert torch.equal(torch.rand(3), expected)
