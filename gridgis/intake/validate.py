"""
Text rows to typed cases, or to rejects with a rule and a remedy (案件校验).

One pass over each column of a chunk; a row keeps the first reason it is rejected for.
accepted + rejected = read, always.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gridgis.crs import parse_crs
from gridgis.errors import CrsError
from gridgis.intake.columns import (
    Distinct,
    decimals,
    hashes,
    mask,
    matches,
    nullable,
    numbers,
    plain,
)
from gridgis.intake.names import Names
from gridgis.intake.points import convert_points, row_radius_m
from gridgis.intake.repeats import Repeats
from gridgis.intake.schema import CASE_SCHEMA
from gridgis.intake.work import Work
from gridgis.model.case import CASE_FIELDS, STAGE_ORDER, FieldKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gridgis.intake.mapping import CaseMapping
    from gridgis.intake.rejects import Reject
    from gridgis.intake.tables import Chunk
    from gridgis.model.profile import CityProfile

    BoolArray = NDArray[np.bool_]

_TIMES = tuple(f.name for f in CASE_FIELDS if f.kind is FieldKind.TIME)
_TEXTS = ("description", "address_text", "severity", "disposing_org")
_SCIENTIFIC = r"^[0-9](\.[0-9]+)?[eE]\+[0-9]+$"
_CELL_CODE = r"^[0-9]{15}$"
_ROUNDED_CELL = r"^[0-9]+0{6}$"
_NO_SEQUENCE = r"000$"
_NEVER = np.iinfo(np.int64).min


@dataclass(slots=True)
class Validator:
    """Checks the chunks of one file; remembers the case numbers it has accepted."""

    profile: CityProfile
    mapping: CaseMapping
    columns: Mapping[str, str]
    """Field to header."""
    crs: str | None
    places: Mapping[str, int]
    """Used decimals per value of the source column."""
    unknown_regions: dict[str, int] = field(default_factory=dict)
    repeats: Repeats = field(default_factory=Repeats)
    names: Names = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the look-ups."""
        self.names = Names.of(self.profile)

    def check(self, chunk: Chunk) -> tuple[pa.Table, list[Reject]]:
        """Return the accepted rows in `CASE_SCHEMA` and the rejects, one a row, in file order."""
        work = _CaseWork(self, chunk)
        work.nul()
        work.case_no()
        work.category()
        work.source()
        work.flags()
        work.stated_region()
        work.cell_code()
        work.times()
        work.points()
        for name in _TEXTS:
            work.out[name] = nullable(work.text(name))
        work.duplicates()
        work.unknown_regions()
        return work.table(), [work.rejects[number] for number in sorted(work.rejects)]


class _CaseWork(Work):
    """One chunk of cases under check."""

    def __init__(self, validator: Validator, chunk: Chunk) -> None:
        super().__init__(
            chunk,
            profile=validator.profile,
            mapping=validator.mapping,
            columns=validator.columns,
        )
        self.v = validator

    def case_no(self) -> None:
        """Check the case number: present, whole, not a rounded number."""
        self.out["case_no"] = self.number("case_no")

    def category(self) -> None:
        """Resolve the subcategory by code, name or alias."""
        names, given = self.v.names, self.distinct("subcategory")
        codes = given.each(names.find_category)
        self.require("subcategory", given)
        self.reject(
            given.where([code is None for code in codes]),
            "subcategory",
            "unknown_category",
            self._category_hint,
        )
        self.out["subcategory_code"] = given.spread(codes, pa.string())
        parents = [code and names.parent[code] for code in codes]
        self.out["category_code"] = given.spread(parents, pa.string())
        kinds = [code and names.kind[code] for code in codes]
        self.out["case_kind"] = given.spread(kinds, pa.string())

    def _category_hint(self, value: str) -> str:
        close = self.v.names.close_categories(value)
        chinese = self.profile.language.startswith("zh")
        start, joint = ("，相近的有：", "、") if chinese else ("; closest: ", ", ")
        return start + joint.join(close) if close else ""

    def source(self) -> None:
        """Resolve the source and its tier."""
        names, given = self.v.names, self.distinct("source")
        codes = given.each(names.find_source)
        self.require("source", given)
        self.reject(
            given.where([code is None for code in codes]),
            "source",
            "unknown_source",
            allowed="、".join(names.source_names),
        )
        self.out["source"] = given.spread(codes, pa.string())
        tiers = [(code and names.tier[code]) or None for code in codes]
        self.out["tier"] = given.spread(tiers, pa.string())

    def flags(self) -> None:
        """Read what is said by yes or no."""
        for name in ("self_handled", "is_key"):
            self.out[name] = self.flag(name)

    def stated_region(self) -> None:
        """Resolve the stated region; two or more named regions make a cross-area case (跨区)."""
        given = self.distinct("stated_region")
        found = given.each(self.v.names.find_region)
        self.out["stated_region"] = given.spread(given.each(lambda v: v or None), pa.string())
        self.out["stated_region_code"] = given.spread([code for code, _ in found], pa.string())
        self.out["cross_area"] = given.spread([crossing for _, crossing in found], pa.bool_())

    def unknown_regions(self) -> None:
        """Count the accepted rows whose stated region the profile does not know."""
        named = pc.and_(
            pc.is_valid(self.out["stated_region"]),
            pc.and_(pc.is_null(self.out["stated_region_code"]), pc.invert(self.out["cross_area"])),
        )
        unknown = self.out["stated_region"].filter(pc.and_(named, pa.array(self.ok)))
        for entry in pc.value_counts(unknown).to_pylist():
            known = self.v.unknown_regions
            known[entry["values"]] = known.get(entry["values"], 0) + entry["counts"]

    def cell_code(self) -> None:
        """Check a stated cell code: text of 15 digits, never a rounded number."""
        given = plain(self.text("cell_code_stated"))
        rounded = matches(given, _SCIENTIFIC) | matches(given, _ROUNDED_CELL)
        self.reject(rounded, "cell_code_stated", "rounded_number")
        well_formed = matches(given, _CELL_CODE) & ~matches(given, _NO_SEQUENCE)
        self.reject(
            mask(pc.not_equal(given, "")) & ~well_formed, "cell_code_stated", "bad_cell_code"
        )
        self.out["cell_code_stated"] = nullable(given)

    def times(self) -> None:
        """Parse every time and check their order."""
        stamps: dict[str, NDArray[np.int64]] = {}
        for name in _TIMES:
            moments = self.moment(name, required=name == "reported_at")
            self.out[name] = moments
            stamps[name] = pc.fill_null(moments.cast(pa.int64()), _NEVER).to_numpy()
        self._check_order(stamps)

    def _check_order(self, stamps: Mapping[str, NDArray[np.int64]]) -> None:
        latest = stamps[STAGE_ORDER[0]]
        owner = np.zeros(len(latest), dtype=np.int64)
        for position, name in enumerate(STAGE_ORDER[1:], start=1):
            present = stamps[name] != _NEVER
            early = present & (stamps[name] < latest)
            for before in np.unique(owner[early & self.ok]):
                label = self.header(STAGE_ORDER[before])
                self.reject(early & (owner == before), name, "stage_order", before=label)
            latest = np.where(present, stamps[name], latest)
            owner = np.where(present, position, owner)

    def points(self) -> None:
        """Convert coordinates; a row without a usable point stays and says why."""
        x_text, y_text = plain(self.text("x")), plain(self.text("y"))
        x, y = numbers(x_text), numbers(y_text)
        self._reject_geometry()
        for name, texts, values in (("x", x_text, x), ("y", y_text, y)):
            given = mask(pc.not_equal(texts, ""))
            self.reject(given & ~np.isfinite(values), name, "not_a_number")
        given = mask(pc.or_(pc.not_equal(x_text, ""), pc.not_equal(y_text, "")))
        crs = self._row_crs(given)
        own = np.maximum(decimals(x_text), decimals(y_text))
        source = Distinct.of(self.text("source"))
        group = np.array(source.each(lambda value: self.v.places.get(value, 0)))[source.codes]
        lon, lat, radius = (np.full(len(x), np.nan) for _ in range(3))
        issue = np.full(len(x), "missing", dtype=object)
        for at, word in enumerate(crs.values):
            mine = crs.codes == at
            found = convert_points(x[mine], y[mine], word, self.profile.extent)
            lon[mine], lat[mine], issue[mine] = found.lon, found.lat, found.issue
            radius[mine] = row_radius_m(own[mine], group[mine], word)
        radius[np.isnan(lon)] = np.nan
        words = crs.spread(crs.values, pa.string())
        self.out |= {
            "src_crs": pc.if_else(pa.array(given), words, None),
            "src_x": nullable(x_text),
            "src_y": nullable(y_text),
            "lon": pa.array(lon, from_pandas=True),
            "lat": pa.array(lat, from_pandas=True),
            "locate_radius_m": pa.array(radius.astype(np.float32), from_pandas=True),
            "point_issue": pa.array(issue, type=pa.string()),
        }

    def _reject_geometry(self) -> None:
        kinds = self.chunk.bad_points
        for kind in sorted(set(kinds.values())):
            rows = [number for number, own in kinds.items() if own == kind]
            self.reject(np.isin(self.numbers, rows), "x", "not_a_point", value=kind)

    def _row_crs(self, given: BoolArray) -> Distinct:
        """Return the CRS of every row; a word that is none is rejected."""
        fallback = self.v.crs or "wgs84"  # of rows without coordinates; never used for a point
        if "crs" not in self.columns:
            return Distinct([fallback], np.zeros(len(given), dtype=np.int64))
        column = self.distinct("crs")
        words = column.each(lambda value: _word(value) if value else self.v.crs)
        wrong = column.where([word is None for word in words])
        self.reject(wrong & given, "crs", "unknown_crs")
        return Distinct([word or fallback for word in words], column.codes)

    def duplicates(self) -> None:
        """Reject a case number that an earlier accepted row of the file already has."""
        at = np.flatnonzero(self.ok)
        keys = hashes([self.out["case_no"]])[at]
        rows = hashes([self.rows[header] for header in self.columns.values()])[at]
        repeated, same = self.v.repeats.find(keys, rows)
        for flags, rule in ((same, "duplicate_row"), (repeated & ~same, "duplicate_case_no")):
            bad = np.zeros(len(self.ok), dtype=bool)
            bad[at[flags]] = True
            self.reject(bad, "case_no", rule)

    def table(self) -> pa.Table:
        """Return the accepted rows in the order of the schema."""
        arrays = [self.out[entry.name].cast(entry.type) for entry in CASE_SCHEMA]
        whole = pa.Table.from_arrays(arrays, schema=CASE_SCHEMA)
        return whole if self.ok.all() else whole.filter(pa.array(self.ok))


def _word(text: str) -> str | None:
    try:
        return parse_crs(text)
    except CrsError:
        return None
