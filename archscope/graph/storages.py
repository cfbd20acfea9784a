"""The storages that are alive while a network runs, and their bytes by what they are for."""

from __future__ import annotations

from dataclasses import dataclass, field

from archscope.core.arithmetic import Size


@dataclass(slots=True)
class _Storage:
    bytes: Size
    kind: str
    refs: int = 1
    keepers: int = 0


@dataclass(slots=True)
class Storages:
    """Storages with their reference counts, by number.

    alive: bytes by kind: ``input`` (the batch and its targets), ``saved`` (kept for backward), ``grads`` (gradients of
    parameters), ``transient`` (the rest). first_keeper: by storage the node that was the first to keep it. events: in
    order each allocation, and each release, of a storage.
    """

    alive: dict[str, Size] = field(default_factory=lambda: {"input": 0, "saved": 0, "grads": 0, "transient": 0})
    first_keeper: dict[int, int] = field(default_factory=dict)
    events: list[tuple[int, bool]] = field(default_factory=list)
    _all: list[_Storage] = field(default_factory=list)

    def allocate(self, size: Size, kind: str = "transient") -> int:
        """A new storage with one reference."""
        self._all.append(_Storage(size, kind))
        self.alive[kind] = self.alive[kind] + size
        self.events.append((len(self._all) - 1, True))
        return len(self._all) - 1

    def hold(self, storage: int) -> None:
        """One more reference."""
        self._all[storage].refs += 1

    def drop(self, storage: int) -> None:
        """One reference less; without any the storage is freed."""
        own = self._all[storage]
        own.refs -= 1
        if own.refs == 0:
            self.alive[own.kind] = self.alive[own.kind] - own.bytes
            self.events.append((storage, False))

    def keep(self, storage: int, node: int) -> None:
        """A reference for backward. The batch counts as input all the same."""
        own = self._all[storage]
        own.refs += 1
        own.keepers += 1
        self.first_keeper.setdefault(storage, node)
        if own.keepers == 1:
            self._turn(own, "transient", "saved")

    def let_go(self, storage: int) -> None:
        """Backward has had what it kept."""
        own = self._all[storage]
        own.keepers -= 1
        if own.keepers == 0:
            self._turn(own, "saved", "transient")
        self.drop(storage)

    def is_sole(self, storage: int) -> bool:
        """Whether there is only one reference to it."""
        return self._all[storage].refs == 1

    def history(self) -> list[tuple[int, bool, Size]]:
        """In order each allocation (and each release) of a storage, with its bytes."""
        return [(storage, born, self._all[storage].bytes) for storage, born in self.events]

    def kept_by_node(self, nodes: int) -> tuple[Size, ...]:
        """Per node the bytes that it was the first to keep."""
        kept: list[Size] = [0] * nodes
        for storage, node in self.first_keeper.items():
            kept[node] = kept[node] + self._all[storage].bytes
        return tuple(kept)

    def _turn(self, storage: _Storage, old: str, new: str) -> None:
        if storage.kind == old:
            storage.kind = new
            self.alive[old] = self.alive[old] - storage.bytes
            self.alive[new] = self.alive[new] + storage.bytes
