"""Results as pandas' DataFrames; pandas is imported when one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from archscope.core.errors import Problem, Unsupported

if TYPE_CHECKING:
    import pandas as pd

    Frame: TypeAlias = pd.DataFrame


def frame(data: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> Frame:
    """Columns by name, or rows, as a DataFrame. Raises Unsupported without pandas."""
    try:
        import pandas as pd
    except ImportError as error:
        message = "a DataFrame needs pandas"
        raise Unsupported(Problem("missing-package", message, help="pip install pandas")) from error
    return pd.DataFrame(data if isinstance(data, Mapping) else list(data))
