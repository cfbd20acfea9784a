"""What a process writes into a pseudo-terminal, for tests of several files."""

from __future__ import annotations

import os


def written_to(ours: int) -> bytes:
    """All that arrives at our end until nobody holds the other one; ours is closed then."""
    parts = []
    try:
        while part := os.read(ours, 65536):
            parts.append(part)
    except OSError:
        pass  # Linux: the other side is closed
    finally:
        os.close(ours)
    return b"".join(parts)
