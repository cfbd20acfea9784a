"""Work done by a Dask cluster: on this machine's cores, or on those of many machines.

Each call is a pure function of what it is given, so one whose worker dies is made again by another worker, and results
come in the same order as in a single process.
"""

from __future__ import annotations

import logging
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from typing import Any

from archscope.core.errors import ArchscopeError, Problem, Unsupported
from archscope.studies.design_space.sweeping import Runner

AHEAD = 4
"""Calls per thread of the cluster that are asked for before the first of them is there."""

PATIENCE = 5
"""Seconds between two looks at whether the cluster is still there."""


@contextmanager
def on_dask(address: str) -> Iterator[Runner]:
    """A runner on the cluster at an address (``tcp://host:8786``), or on one of this machine's cores (``local``).

    Raises Unsupported where Dask is not installed, ArchscopeError for a cluster that does not answer or goes away.
    """
    log = logging.getLogger("distributed.client")
    before = log.level
    log.setLevel(logging.CRITICAL)  # a worker that died is no matter, and of a cluster that is gone we speak ourselves
    try:
        with _client(address) as client:
            yield lambda work, common, each: _run(client, work, common, each)
    finally:
        log.setLevel(before)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    try:
        import distributed
    except ImportError as error:
        message = "a cluster needs Dask"
        raise Unsupported(Problem("missing-package", message, help='pip install "archscope[dask]"')) from error
    dask: Any = distributed  # which has no types
    if address == "local":
        with dask.LocalCluster(threads_per_worker=1, dashboard_address=":0") as cluster, dask.Client(cluster) as client:
            yield client
        return
    try:
        client = dask.Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        message = f"no Dask scheduler answers at {address!r}"
        help_line = "start one with dask scheduler, or give --dask local"
        raise ArchscopeError(Problem("no-cluster", message, help=help_line)) from error
    with client:
        yield client


def _run(client: Any, work: Callable[[Any, Any], Any], common: Any, each: Iterable[Any]) -> Iterator[Any]:
    """The results in order, some calls ahead of whoever takes them."""
    import cloudpickle

    asked = cloudpickle.dumps((work, common))
    waiting: deque[Any] = deque()
    rest = iter(each)
    room = 1
    while True:
        if len(waiting) <= room // 2:
            room = _room(client)
            for one in islice(rest, max(0, room - len(waiting))):
                waiting.append(client.submit(_work, asked, one, pure=False, retries=AHEAD))
        if not waiting:
            return
        yield _result(client, waiting.popleft())


def _room(client: Any) -> int:
    """How many chunks the cluster has at once; workers may come and go."""
    try:
        threads: int = sum(client.nthreads().values())
    except Exception as error:  # whatever Dask makes of a connection that is gone
        raise _gone(error) from error
    return AHEAD * max(1, threads)


def _result(client: Any, future: Any) -> Any:
    """What a worker found. Raises ArchscopeError where the cluster has gone, and what the work raises."""
    from distributed import TimeoutError as TooLong

    while True:
        try:
            return pickle.loads(future.result(timeout=PATIENCE))  # noqa: S301  from a worker of ours
        except TooLong as error:
            if client.status != "running":
                raise _gone() from error
        except Exception as error:
            if future.status == "error" and type(error).__name__ != "KilledWorker":
                raise  # the work's own
            raise _gone(error) from error


def _gone(error: Exception | None = None) -> ArchscopeError:
    why = f": {type(error).__name__}" if error is not None else ""
    return ArchscopeError(
        Problem(
            "lost-cluster", f"the Dask cluster is gone{why}", help="a sweep with an output file goes on where it was"
        )
    )


def _work(asked: bytes, one: Any) -> bytes:
    """Runs on a worker. Gives bytes, of which Dask knows how much memory they take."""
    work, common = _unpacked(asked)
    return pickle.dumps(work(common, one))


@lru_cache(maxsize=4)
def _unpacked(asked: bytes) -> tuple[Callable[[Any, Any], Any], Any]:
    """What a worker is asked, read once."""
    found: tuple[Callable[[Any, Any], Any], Any] = pickle.loads(asked)  # noqa: S301  from the one who asks
    return found
