"""A city in a notebook: frames and maps by the filters of the API (笔记本接口)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import SecretStr

from gridgis.config import Settings
from gridgis.errors import InputError
from gridgis.services import find, lookup
from gridgis.services.context import open_context
from gridgis.services.exports import nature
from gridgis.store.lookup import CASE_COLUMNS, NAME_COLUMNS

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, Unpack

    from gridgis.services.context import Context
    from gridgis.services.find import CaseQuestion
    from gridgis.store.metrics import Row
    from maps.folium_map import FileMap

WGS84 = "EPSG:4326"
FRAMES = {"cell": "cells", "street": "streets", "district": "districts", "admin": "admin"}
EXPLORED = {"districts": "district", "streets": "street"}
COUNTED = ("code", "name", "numerator", "denominator", "value")
"""What a frame of density has even where nothing is counted."""


def open_city(url: str | None = None) -> OpenCity:
    """
    Open a city database for a notebook (打开城市).

    Parameters
    ----------
    url : str, optional
        `postgresql://…`; default the database in use (`GRIDGIS_DATABASE_URL`, or the embedded
        one, which is started if needed).
    """
    settings = Settings() if url is None else Settings(database_url=SecretStr(url))
    return OpenCity(open_context(settings))


class OpenCity:
    """
    Frames of one city in WGS84; `frame.attrs` says where they come from.

    Attributes `synthetic` and `notice` are in every frame's `attrs`: 合成数据 stays labelled.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def cases(
        self, *, limit: int | None = None, **filters: Unpack[CaseQuestion]
    ) -> gpd.GeoDataFrame:
        """
        Return cases that match every filter, in the order of `listed_at` (案件).

        Parameters
        ----------
        limit : int, optional
            At most so many; default all.
        **filters
            As in the API: `bbox near radius_m within crs cell district street month start end
            updated_since category source status`; codes or names. `within` is GeoJSON, or a
            geometry of shapely by its `__geo_interface__`.

        Returns
        -------
        GeoDataFrame
            One row a case, geometry None if it is unlocated; `attrs["total"]` counts all.
        """
        within = filters.get("within")
        filters["within"] = getattr(within, "__geo_interface__", within)
        chosen = find.case_filter(self._context, **filters)
        rows = list(find.stream_cases(self._context, chosen, limit=limit))
        frame = pd.DataFrame(rows, columns=[*CASE_COLUMNS, *NAME_COLUMNS])
        for name in [name for name in CASE_COLUMNS if name.endswith("_at")]:
            times = pd.to_datetime(frame[name], utc=True, format="ISO8601")
            frame[name] = times.dt.tz_convert(self._context.city.time_zone)
        lon, lat = frame.pop("lon").to_numpy(np.float64), frame.pop("lat").to_numpy(np.float64)
        shapes = np.asarray(shapely.points(lon, lat), dtype=object)
        shapes[np.isnan(lon)] = None
        return self._framed(
            gpd.GeoDataFrame(frame, geometry=shapes, crs=WGS84),
            total=find.count_cases(self._context, chosen),
            filters=find.described(chosen),
        )

    def cells(self) -> gpd.GeoDataFrame:
        """Return today's unit grids (单元网格)."""
        return self._framed(lookup.areas(self._context, "cells"))

    def districts(self) -> gpd.GeoDataFrame:
        """Return today's management regions: districts less the zones over them (管理区域)."""
        return self._framed(lookup.areas(self._context, "districts"))

    def streets(self) -> gpd.GeoDataFrame:
        """Return today's streets (街道)."""
        return self._framed(lookup.areas(self._context, "streets"))

    def density(
        self,
        *,
        level: str = "district",
        month: str | None = None,
        run: int | None = None,
        per: str = "km2",
        category: str | None = None,
        source: str | None = None,
        district: str | None = None,
    ) -> gpd.GeoDataFrame:
        """
        Return cases and cases per km² of a stored run, per place (案件密度).

        Returns
        -------
        GeoDataFrame
            `code name numerator denominator value …`; `attrs["rest"]` holds the cases without a
            place, so that numerators and rest sum to `attrs["total"]`.
        """
        chosen = lookup.named_filter(
            self._context, category=category, source=source, district=district
        )
        found = lookup.density(
            self._context, level=level, month=month, run=run, chosen=chosen, per=per
        )
        places = cast("list[Row]", found.pop("rows"))
        rows = pd.DataFrame(places, columns=None if places else COUNTED)
        shapes = self._shapes(level, cast("Row", found["run"]))
        areas = np.array([shapes.get(code) for code in rows["code"]], dtype=object)
        return self._framed(gpd.GeoDataFrame(rows, geometry=areas, crs=WGS84), **found)

    def explore(self, layer: str = "districts", *, month: str | None = None) -> FileMap:
        """
        Draw a month's density as a map that needs no network (离线地图).

        Parameters
        ----------
        layer : str
            `districts` or `streets`.
        month : str, optional
            `YYYY-MM`; default the newest.
        """
        from maps.folium_map import density_map  # noqa: PLC0415 - folium loads slowly

        if layer not in EXPLORED:
            raise InputError(f"layer {layer!r}: expected one of {', '.join(EXPLORED)}")
        wanted = month or str(lookup.find_run(self._context)["month"])
        return density_map(self._context, month=wanted, level=EXPLORED[layer])

    def close(self) -> None:
        """Close the connections."""
        self._context.engine.dispose()

    def __enter__(self) -> Self:
        """Return the open city."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def _shapes(self, level: str, run: Row) -> dict[str, shapely.Geometry]:
        """Return the areas of the run's day by code."""
        day = date.fromisoformat(str(run["day"]))
        frame = lookup.areas(self._context, FRAMES.get(level, "admin"), day=day)
        if level == "city":
            return {self._context.city.code: frame.union_all()}
        codes = frame["cell_code" if level == "cell" else "code"]
        return dict(zip(codes, frame.geometry, strict=True))

    def _framed(self, frame: gpd.GeoDataFrame, **facts: object) -> gpd.GeoDataFrame:
        """Add what the frame says about itself."""
        city = self._context.city
        frame.attrs.update({"city": city.name, **nature(synthetic=bool(city.synthetic)), **facts})
        return frame
