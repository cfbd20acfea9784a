"""Architecture analysis of neural networks: a paper's own table is the program.

    >>> import archscope
    >>> archscope.profile("vgg16").totals["params"].value
    138357544

The public verbs load what they need when they are first used, so that ``import archscope`` takes no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archscope.api.annotations import annotate
    from archscope.api.checks import check
    from archscope.api.comparisons import compare
    from archscope.api.differences import diff
    from archscope.api.evaluations import evaluate
    from archscope.api.explanations import explain
    from archscope.api.exports import export
    from archscope.api.fits import fit, fit_chip
    from archscope.api.footprints import memory
    from archscope.api.lints import lint
    from archscope.api.maps import feature_maps
    from archscope.api.modules import capture
    from archscope.api.networks import build, load, lower
    from archscope.api.notebooks import as_html, as_text
    from archscope.api.pictures import draw
    from archscope.api.predictions import predict
    from archscope.api.profiles import profile
    from archscope.api.reports import report
    from archscope.api.searches import search
    from archscope.api.sweeps import sweep
    from archscope.api.trainings import train
    from archscope.api.trials import trial
    from archscope.core.errors import ArchscopeError
    from archscope.core.version import __version__ as __version__
    from archscope.spec.network import Spec

_HOMES = {
    "ArchscopeError": "core.errors",
    "Spec": "spec.network",
    "__version__": "core.version",
    "annotate": "api.annotations",
    "as_html": "api.notebooks",
    "as_text": "api.notebooks",
    "build": "api.networks",
    "capture": "api.modules",
    "check": "api.checks",
    "compare": "api.comparisons",
    "diff": "api.differences",
    "draw": "api.pictures",
    "evaluate": "api.evaluations",
    "explain": "api.explanations",
    "export": "api.exports",
    "feature_maps": "api.maps",
    "fit": "api.fits",
    "fit_chip": "api.fits",
    "lint": "api.lints",
    "load": "api.networks",
    "lower": "api.networks",
    "memory": "api.footprints",
    "predict": "api.predictions",
    "profile": "api.profiles",
    "report": "api.reports",
    "search": "api.searches",
    "sweep": "api.sweeps",
    "train": "api.trainings",
    "trial": "api.trials",
}

__all__ = [
    "ArchscopeError",
    "Spec",
    "annotate",
    "as_html",
    "as_text",
    "build",
    "capture",
    "check",
    "compare",
    "diff",
    "draw",
    "evaluate",
    "explain",
    "export",
    "feature_maps",
    "fit",
    "fit_chip",
    "lint",
    "load",
    "lower",
    "memory",
    "predict",
    "profile",
    "report",
    "search",
    "sweep",
    "train",
    "trial",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'archscope' has no attribute {name!r}")
    return getattr(import_module(f"archscope.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
