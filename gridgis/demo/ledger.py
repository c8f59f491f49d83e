"""One month of synthetic cases whose margins are given (合成案件)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gridgis.crs import from_wgs84
from gridgis.demo.clock import NEVER
from gridgis.demo.margins import draw_margins, set_mix
from gridgis.demo.places import (
    cell_codes,
    from_lonlat,
    inside_only,
    scatter,
    to_lonlat,
)
from gridgis.demo.spec import CITIZENS
from gridgis.demo.targets import CROSS_AREA

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from gridgis.demo.places import Ground
    from gridgis.demo.spec import DemoSpec, RepeatPoint
    from gridgis.model.profile import CityProfile

    Texts = NDArray[np.object_]

POINT_SPREAD_M = 35.0
MINUTE = 60
KEY_SHARE = 0.002


@dataclass(frozen=True, slots=True)
class Ledger:
    """The rows of one month and the batches they are handed in."""

    month: str
    rows: pd.DataFrame
    """Fields of the case model in WGS84 text, one row a case, sorted by report time."""
    batch: Texts
    """`main`, `gcj02` or `wrong_datum`."""


def make_month(
    profile: CityProfile, spec: DemoSpec, ground: Ground, month: str, *, rng: np.random.Generator
) -> Ledger:
    """Draw the rows of one month; every margin of the spec is met exactly."""
    rows = draw_margins(profile, spec, rng)
    set_mix(profile, spec, rows, month, rng)
    points = _set_points(profile, spec, ground, rows, rng)
    set_times(rows, month, rng)
    _set_texts(profile, rows, rng)
    batch = _set_defects(profile, spec, ground, rows, points, rng)
    order = np.argsort(rows["reported_at"].to_numpy(), kind="stable")
    rows = rows.iloc[order].reset_index(drop=True)
    stem = f"{spec.case_prefix}{month.replace('-', '')}"
    rows.insert(0, "case_no", [f"{stem}{number:07d}" for number in range(1, len(rows) + 1)])
    return Ledger(month, rows, batch[order])


def month_rng(spec: DemoSpec, month: str, *, stream: int | None = None) -> np.random.Generator:
    """Return the random numbers of a month: they depend on no other month."""
    number = int(np.datetime64(month, "M").astype(int))
    return np.random.default_rng([spec.seed, number, *([] if stream is None else [stream])])


def close_before(ledger: Ledger, month: str, rng: np.random.Generator) -> None:
    """Close all cases before a month begins: nothing of them is carried over into it."""
    rows, last = ledger.rows, np.datetime64(month, "M").astype("datetime64[s]") - 1
    count, own = len(rows), rows["self_handled"].to_numpy()
    filed = rows["filed_at"].to_numpy().astype("datetime64[s]")
    rows["filed_at"] = np.minimum(filed, last)
    dispatched = np.minimum(filed + _seconds(rng, count, 3, 150), last)
    limit = rng.choice([4, 8, 24, 48, 72], count) * np.timedelta64(3600, "s")
    due = np.minimum(dispatched + limit, last)
    closed = np.minimum(dispatched + _seconds(rng, count, 60, 70 * 60), last)
    span = (closed - dispatched).astype(np.int64)
    disposed = dispatched + (span * rng.uniform(0.5, 0.8, count)).astype("timedelta64[s]")
    checked = dispatched + (span * rng.uniform(0.85, 0.99, count)).astype("timedelta64[s]")
    for name, times in (("dispatched_at", dispatched), ("due_at", due), ("disposed_at", disposed),
                        ("checked_at", checked)):  # fmt: skip
        rows[name] = np.where(own, NEVER, times)
    rows["closed_at"] = np.where(own, np.minimum(rows["closed_at"], last), closed)
    rows["is_key"] = ~own & (rng.random(count) < KEY_SHARE)


def _set_points(
    profile: CityProfile, spec: DemoSpec, ground: Ground, rows: pd.DataFrame,
    rng: np.random.Generator,
) -> NDArray[np.float64]:  # fmt: skip
    """Place every row of a region in it; rows of no region have no point."""
    points = np.full((len(rows), 2), np.nan)
    region, marks = rows["region"].to_numpy(), rows["repeat_point"].to_numpy()
    for code in sorted(spec.regions):
        own = np.flatnonzero((region == code) & (marks < 0))
        points[own] = scatter(ground, code, len(own), core_share=spec.core_share, rng=rng)
    for number, point in enumerate(spec.repeat_points):
        own = np.flatnonzero(marks == number)
        points[own] = _round_point(ground, point, len(own), rng)
    located = np.isfinite(points[:, 0])
    codes = np.full(len(rows), None, dtype=object)
    codes[located] = cell_codes(ground, points[located], profile.cell_size_m)
    codes[rng.random(len(rows)) >= spec.stated_cell_share] = None
    rows["cell_code_stated"] = codes
    return points


def _round_point(
    ground: Ground, point: RepeatPoint, count: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    centre = from_lonlat(ground, np.array([point.lon]), np.array([point.lat]))
    return centre + rng.normal(0, POINT_SPREAD_M, (count, 2))


def set_times(rows: pd.DataFrame, month: str, rng: np.random.Generator) -> None:
    """Draw a daily and weekly rhythm and the first stages of every case, in local seconds."""
    count = len(rows)
    start = np.datetime64(f"{month}-01", "s")
    end = (np.datetime64(month, "M") + 1).astype("datetime64[s]")
    days = np.arange(start, end, np.timedelta64(1, "D"))
    weekday = (days.astype("datetime64[D]").astype(int) + 3) % 7
    day_weights = np.where(weekday < 5, 1.0, 0.72)  # noqa: PLR2004 - Saturday, Sunday
    hours = np.array([1, 1, 1, 1, 1, 2, 6, 18, 60, 95, 100, 80, 40, 45, 85, 95, 90, 60, 30, 20, 14,
                      8, 4, 2], dtype=float)  # fmt: skip
    moment = rng.choice(days, count, p=day_weights / day_weights.sum())
    moment = moment + rng.choice(24, count, p=hours / hours.sum()) * np.timedelta64(3600, "s")
    moment = moment + rng.integers(0, 3600, count) * np.timedelta64(1, "s")
    own = rows["self_handled"].to_numpy()
    citizen = rows["source"].isin(CITIZENS).to_numpy()
    marked = rows["repeat_point"].to_numpy() >= 0
    moment[marked] = np.maximum(moment[marked], start + np.timedelta64(2, "h"))
    lead = _seconds(rng, count, 1, 40)
    lead[citizen] = _seconds(rng, int(citizen.sum()), 30, 2 * 24 * 60)
    # complaints at repeat points are of the month in which they become cases
    lead[marked] = np.minimum(lead[marked], moment[marked] - start)
    reported = np.where(own, moment, moment - lead)
    rows["discovered_at"] = reported - _seconds(rng, count, 0, 12)
    rows["reported_at"] = reported
    rows["verified_at"] = np.where(citizen, reported + (lead * 0.6).astype("timedelta64[s]"), NEVER)
    rows["accepted_at"] = np.where(own, NEVER, moment)
    rows["filed_at"] = np.where(own, NEVER, moment + _seconds(rng, count, 1, 15))
    rows["closed_at"] = np.where(own, reported + _seconds(rng, count, 3, 45), NEVER)


def _seconds(rng: np.random.Generator, count: int, low: int, high: int) -> NDArray[np.timedelta64]:
    return rng.integers(low * MINUTE, high * MINUTE, count).astype("timedelta64[s]")


def _set_texts(profile: CityProfile, rows: pd.DataFrame, rng: np.random.Generator) -> None:
    """Write names of region, class and source, and an address that says it is synthetic."""
    regions = {r.code: r.name for r in profile.regions}
    categories = {c.code: c.name for c in profile.categories}
    sources = {s.code: s.name for s in profile.sources}
    names = rows["region"].map(regions)
    districts = [r.name for r in profile.districts]
    crossing = (rows["region"] == CROSS_AREA).to_numpy()
    first = rng.integers(0, len(districts) - 1, len(rows))
    both = [f"{districts[i]}、{districts[i + 1]}" for i in first[crossing]]
    stated = names.fillna("").to_numpy(dtype=object)
    stated[crossing] = both
    road = rng.integers(1, 400, len(rows))
    number = rng.integers(1, 300, len(rows))
    rows["subcategory"] = rows["subcategory_code"].map(categories)
    rows["source_name"] = rows["source"].map(sources)
    rows["stated_region"] = stated
    rows["address_text"] = [
        f"{name}合成{r}路{n}号附近" if name else f"合成{r}路{n}号附近"
        for name, r, n in zip(stated, road, number, strict=True)
    ]
    rows["description"] = "合成数据：" + rows["subcategory"]
    rows["severity"] = rng.choice(["轻微", "一般", "重大"], len(rows), p=[0.45, 0.5, 0.05])
    rows["disposing_org"] = [f"{name}合成处置单位" if name else "" for name in stated]


def _set_defects(
    profile: CityProfile, spec: DemoSpec, ground: Ground, rows: pd.DataFrame,
    points: NDArray[np.float64], rng: np.random.Generator,
) -> Texts:  # fmt: skip
    """Spoil some rows on purpose and write the coordinates as text; return the batch of each."""
    faults = spec.defects
    count = len(rows)
    batch = np.full(count, "main", dtype=object)
    marks, region = rows["repeat_point"].to_numpy(), rows["region"].to_numpy()
    addresses = rows["address_text"].to_numpy(dtype=object)
    for number, point in enumerate(spec.repeat_points):
        addresses[marks == number] = point.address
    free = np.isfinite(points[:, 0]) & (marks < 0) & ~rows["source"].isin(CITIZENS).to_numpy()

    wrong = _take(free & (region == faults.wrong_datum_region), faults.wrong_datum_rows, rng)
    points[wrong] = inside_only(ground, faults.wrong_datum_region, len(wrong),
                                inside_m=faults.wrong_datum_inside_m, rng=rng)  # fmt: skip
    cells = rows["cell_code_stated"].to_numpy(dtype=object)
    cells[wrong] = cell_codes(ground, points[wrong], profile.cell_size_m)
    batch[wrong] = "wrong_datum"
    free[wrong] = False
    shifted = _take(free, faults.gcj02_rows, rng)
    batch[shifted] = "gcj02"
    free[shifted] = False
    sink = _take(free & (region == faults.default_region), faults.default_point_rows, rng)
    free[sink] = False
    missing = _take(free, int(count * faults.missing_share), rng)
    free[missing] = False
    rounded = _take(free, int(count * faults.rounded_share), rng)

    lonlat = np.full((count, 2), np.nan)
    located = np.isfinite(points[:, 0])
    lonlat[located] = to_lonlat(ground, points[located])
    lonlat[sink] = (faults.default_lon, faults.default_lat)
    moved = np.concatenate([wrong, shifted])
    lonlat[moved] = np.column_stack(from_wgs84(lonlat[moved, 0], lonlat[moved, 1], "gcj02"))
    lonlat[missing] = np.nan
    cells[np.concatenate([sink, missing])] = None
    places = np.full(count, 6)
    places[rounded] = rng.choice([2, 3], len(rounded))
    for axis, name in ((0, "x"), (1, "y")):
        rows[name] = [
            "" if np.isnan(value) else f"{value:.{digits}f}"
            for value, digits in zip(lonlat[:, axis], places, strict=True)
        ]
    # Most located rows state no region: their point tells. Rows without a usable point do.
    stated = rows["stated_region"].to_numpy(dtype=object)
    silent = free & (rng.random(count) < 0.25)  # noqa: PLR2004 - a quarter of the sound rows
    silent[rounded] = False
    stated[silent] = ""
    rows["stated_region"], rows["address_text"] = stated, addresses
    rows["cell_code_stated"] = cells
    return batch


def _take(free: NDArray[np.bool_], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    candidates = np.flatnonzero(free)
    return np.sort(rng.choice(candidates, min(count, len(candidates)), replace=False))
