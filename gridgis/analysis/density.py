"""
How dense cases are (案件密度).

Unit: cases per square kilometre of land, areas in the measuring CRS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridgis.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

M2_PER_KM2 = 1e6


def density_per_km2(
    counts: NDArray[np.int64], areas_m2: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Return cases per square kilometre (案件密度).

    Parameters
    ----------
    counts : (n,) int64
        Cases in each area; an area without cases is 0, never missing.
    areas_m2 : (n,) float64
        Land areas in the measuring CRS, finite and positive.

    Returns
    -------
    (n,) float64
        Same order as the input.

    Raises
    ------
    GeometryError
        If an area is zero, negative, infinite or NaN.
    """
    usable = np.isfinite(areas_m2) & (areas_m2 > 0)
    if not usable.all():
        bad = int(np.argmin(usable))
        raise GeometryError(f"area #{bad}: {areas_m2[bad]} m², expected > 0; see its polygon")
    return np.asarray(counts / (areas_m2 / M2_PER_KM2), dtype=np.float64)
