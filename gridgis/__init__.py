"""gridgis: cases on unit grids, from import to map (城市网格化管理地理信息服务)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridgis.notebook import open_city as open  # noqa: A004 - the public name is gridgis.open

__all__ = ["open"]


def __getattr__(name: str) -> object:
    """Load the notebook side only when it is asked for: `gridgis.open()`."""
    if name == "open":
        from gridgis.notebook import open_city  # noqa: PLC0415 - lazy on purpose

        return open_city
    raise AttributeError(f"module 'gridgis' has no attribute {name!r}")
