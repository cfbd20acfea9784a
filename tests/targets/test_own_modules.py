"""What torch has no module for: an op says the body of its forward, and every target makes a module of that."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import pytest
import torch

import archscope
from archscope.core.arithmetic import Shape
from archscope.core.errors import Unsupported
from archscope.core.records import Call, MemoryRule, Setting
from archscope.ops import Elementwise


@dataclass(frozen=True, slots=True)
class Louder(Elementwise):
    """Twice as loud while training."""

    factor: int
    bad: ClassVar[str] = ""

    notation: ClassVar[str | None] = "louder{factor}"

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:  # noqa: ARG002  the contract
        return MemoryRule()

    def torch(self, *inputs: Shape) -> Call:  # noqa: ARG002  the contract
        forward = "if not self.training:\n    return x\nreturn x * self.factor"
        return Call(f"Louder{self.bad}", (), {"factor": self.factor}, forward=forward)


CELLS = ["conv3-8", "louder2", "conv3-8", "FC-6", "louder3", "FC-4"]


def spec(cells: list[Any] = CELLS) -> Any:
    return archscope.load(cells, input=(3, 8, 8), ops=[Louder], name="net")


def by_hand(model: torch.nn.Module, image: torch.Tensor) -> torch.Tensor:
    """What the cells say, with the layers of the built model."""
    kinds = torch.nn.Conv2d | torch.nn.Linear
    first, second, third, last = (each for each in model.modules() if isinstance(each, kinds))
    loud = (2, 3) if model.training else (1, 1)
    x = second(first(image) * loud[0])
    out: torch.Tensor = last(third(x.flatten(1)) * loud[1])
    return out


@pytest.mark.parametrize("training", [False, True])
def test_the_built_module_does_what_its_ops_say(training: bool) -> None:
    model, image = archscope.build(spec()).train(training), torch.rand(2, 3, 8, 8)
    assert torch.equal(model(image), by_hand(model, image))
    pickled = pickle.loads(pickle.dumps(model))  # noqa: S301  what we wrote ourselves
    exported = torch.export.export(model, (image,)).module()
    for other in (copy.deepcopy(model), pickled, exported):
        assert torch.equal(other(image), model(image))
    assert [type(each).__name__ for each in model.modules()].count("Louder") == 2


@pytest.mark.parametrize("training", [False, True])
def test_exported_source_defines_a_class_for_each_and_takes_what_differs(training: bool) -> None:
    text = archscope.export(spec())
    assert text.count("class Louder(nn.Module):") == 1
    assert (
        "    def __init__(self, factor: int) -> None:\n        super().__init__()\n        self.factor = factor\n"
        in text
    )
    module = ModuleType("exported")
    exec(compile(text, "exported.py", "exec"), vars(module))  # noqa: S102  what we wrote ourselves
    model, image = archscope.build(spec()).train(training), torch.rand(2, 3, 8, 8)
    theirs = module.Net().train(training)
    theirs.load_state_dict(model.state_dict(), strict=True)
    assert torch.equal(theirs(image), model(image))


def test_a_value_that_is_always_the_same_is_written_into_the_class() -> None:
    text = archscope.export(spec(["conv3-8", "louder2", "conv3-8", "louder2", "FC-4"]))
    assert "    def __init__(self) -> None:\n        super().__init__()\n        self.factor = 2\n" in text


def test_a_class_has_a_name_of_letters_and_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Louder, "bad", "(nn.Module): pass #")
    with pytest.raises(Unsupported, match=r"'Louder\(nn.Module\): pass #' cannot name a module"):
        archscope.build(spec())
