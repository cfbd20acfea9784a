"""Where a captured network was written: the lines that ran, that called a block, and that constructed a module."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")

import archscope  # noqa: E402  after the skips
from archscope.capturing.constructions import constructions  # noqa: E402  as above

NOTES = Path(__file__).parents[1] / "networks_as_notes"


def test_torchvisions_own_files_are_places_and_torchs_are_none() -> None:
    graph = archscope.capture(models.resnet18, (3, 64, 64))
    files = {Path(node.span.source.name).name for node in graph.nodes if node.span is not None}
    assert files == {"resnet.py"}
    assert all("self.conv1(x)" in node.span.line_text for node in graph.nodes if node.path.endswith("conv1"))


def test_a_block_knows_the_line_that_called_it() -> None:
    graph = archscope.capture(str(NOTES / "googlenet_flowers.py:GoogLeNet"), (3, 224, 224), mode="train")
    called = {scope.path: scope.called.line_text.strip() for scope in graph.scopes if scope.called is not None}
    assert called["inception_a4"].startswith("x = self.inception_a4(x)")
    assert (
        called["inception_a4.five"] == "return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)"
    )
    assert called["head1"].startswith("head1 = self.head1(x)")


def test_a_module_is_constructed_by_the_line_that_calls_its_class() -> None:
    with constructions() as watching:
        net = models.resnet18()
    spans = watching.spans(net)
    assert spans["conv1"].line_text.strip().startswith("self.conv1 = nn.Conv2d(3, self.inplanes")
    assert spans["layer1.0"].line_text.strip() == "block("
    assert "fc" in spans
    before = torch.nn.Module.__init__
    with constructions() as watching:
        assert torch.nn.Module.__init__ is not before
    assert torch.nn.Module.__init__ is before
    assert watching.spans(net) == {}
