"""A Dask cluster gives what a single process gives, also when a worker dies; one that is not there is an error."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

import archscope
from archscope.api import spaces
from archscope.core.errors import ArchscopeError
from archscope.studies.design_space import clusters

pytest.importorskip("distributed")

VARY = {"width": "1/16:1:1/16", "input": "8:512:8", "batch": "1:16:1"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    import distributed

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs="CRITICAL"
    ) as found:
        yield found


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "CHUNK", 256)


def same(one: Any, other: Any) -> bool:
    facts = [(each.points, each.fitting, each.unusable, each.missing) for each in (one, other)]
    return facts[0] == facts[1] and {k: v.tolist() for k, v in one.items()} == {k: v.tolist() for k, v in other.items()}


@pytest.mark.parametrize("choice", [{}, {"pareto": ["macs", "-activations"]}, {"sort": ["-macs"], "top": 9}])
def test_a_cluster_gives_what_a_single_process_gives(choice: dict[str, Any], cluster: Any):
    arguments: dict[str, Any] = {"vary": VARY, "where": "params < 50M", **choice}
    here = archscope.sweep("vgg11", **arguments)
    assert same(here, archscope.sweep("vgg11", dask=cluster.scheduler_address, **arguments))


def test_a_worker_that_dies_loses_nothing(cluster: Any):
    before = {worker.pid for worker in cluster.workers.values()}
    killed: list[int] = []

    def tell(event: Any) -> None:
        if event.points > 1000 and not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    found = archscope.sweep("vgg11", vary=VARY, dask=cluster.scheduler_address, tell=tell)
    assert killed
    assert killed[0] in before
    assert same(found, archscope.sweep("vgg11", vary=VARY))


def test_a_search_asks_the_cluster_for_a_functions_values(cluster: Any):
    pytest.importorskip("optuna")

    def objective(candidate: Any) -> float:
        return float(candidate.numbers["macs"]) + os.getpid() * 0

    arguments: dict[str, Any] = {"vary": VARY, "maximize": objective, "at_most": {"params": "40M"}, "trials": 20}
    here = archscope.search("vgg11", **arguments)
    there = archscope.search("vgg11", dask=cluster.scheduler_address, **arguments)
    assert (here.value, here.best.point, here.tried) == (there.value, there.best.point, there.tried)


def test_what_a_function_raises_on_a_worker_is_what_one_sees(cluster: Any):
    pytest.importorskip("optuna")

    def objective(candidate: Any) -> float:
        raise ZeroDivisionError(candidate.point["network"])

    with pytest.raises(ZeroDivisionError, match="vgg11"):
        archscope.search("vgg11", vary=VARY, minimize=objective, trials=2, dask=cluster.scheduler_address)


def test_a_cluster_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(clusters, "PATIENCE", 1)
    with pytest.raises(ArchscopeError, match=r"no-cluster: no Dask scheduler answers at 'tcp://127.0.0.1:9'"):
        archscope.sweep("vgg11", vary=VARY, dask="tcp://127.0.0.1:9")
    with pytest.raises(ArchscopeError, match="no-cluster: no Dask scheduler answers at 'nonsense://'"):
        archscope.sweep("vgg11", vary=VARY, dask="nonsense://")


def test_a_cluster_that_goes_away_is_an_error():
    import distributed

    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", silence_logs="CRITICAL"
    )

    def tell(_: Any) -> None:
        if cluster.status.name == "running":
            cluster.close()

    with pytest.raises(ArchscopeError, match="lost-cluster: the Dask cluster is gone"):
        archscope.sweep("vgg11", vary=VARY, dask=cluster.scheduler_address, tell=tell)
