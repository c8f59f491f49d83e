"""
Text rows to typed cases, or to rejects with a rule and a remedy (案件校验).

Vectorised: one pass over each column of a chunk. accepted + rejected = read, always.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from gridgis.crs import parse_crs
from gridgis.errors import CrsError, SchemaError
from gridgis.intake.mapping import CaseMapping
from gridgis.intake.points import convert_points, decimals, row_radius_m
from gridgis.intake.rejects import Reject
from gridgis.intake.times import parse_times
from gridgis.model.case import CASE_FIELDS, STAGE_ORDER, FieldKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridgis.model.profile import CityProfile

_TIMES = tuple(f.name for f in CASE_FIELDS if f.kind is FieldKind.TIME)
_TEXTS = ("description", "address_text", "severity", "disposing_org")
_UTC_US = pa.timestamp("us", tz="UTC")
CASE_SCHEMA = pa.schema(
    [("row_no", pa.int32())]
    + [(name, pa.string()) for name in (
        "case_no", "case_kind", "category_code", "subcategory_code", "source", "tier",
        "description", "address_text", "severity", "disposing_org", "stated_region",
        "stated_region_code")]
    + [("cross_area", pa.bool_()), ("cell_code_stated", pa.string()), ("self_handled", pa.bool_())]
    + [(name, pa.string()) for name in ("src_crs", "src_x", "src_y")]
    + [("lon", pa.float64()), ("lat", pa.float64()), ("locate_radius_m", pa.float32()),
       ("point_issue", pa.string())]
    + [(name, _UTC_US) for name in (
        "discovered_at", "reported_at", "verified_at", "accepted_at", "filed_at", "dispatched_at",
        "due_at", "disposed_at", "checked_at", "closed_at", "voided_at", "suspended_at")]
)  # fmt: skip
_SCIENTIFIC = r"^[0-9](\.[0-9]+)?[eE]\+?[0-9]+$"
_TRUE = {"true", "1", "是", "y", "yes", "t", "真", "自处置"}
_FALSE = {"false", "0", "否", "n", "no", "f", "假", ""}
_REGION_SEPARATORS = r"[、,，;；/／|]|跨|及|与"
_LONGEST_CASE_NO = 64


@dataclass(slots=True)
class Names:
    """Look-ups of one profile: any spelling to a code (名称对照)."""

    category: dict[str, str]
    kind: dict[str, str]
    source: dict[str, str]
    tier: dict[str, str]
    region: dict[str, str]

    @classmethod
    def of(cls, profile: CityProfile) -> Names:
        """Collect names, aliases and codes of a profile."""
        category = {n: c.code for c in profile.categories for n in (c.name, *c.aliases, c.code)}
        source = {n: s.code for s in profile.sources
                  for n in (s.name, s.name_en, *s.aliases, s.code)}  # fmt: skip
        region: dict[str, str] = {}
        for entry in profile.regions:
            short = entry.name.rstrip("区县市") if len(entry.name) > 2 else entry.name  # noqa: PLR2004
            for name in (entry.code, entry.name, entry.name_en, short, *entry.aliases):
                region.setdefault(name, entry.code)
        return cls(category, {c.code: c.kind for c in profile.categories}, source,
                   {s.code: s.tier for s in profile.sources}, region)  # fmt: skip


@dataclass(slots=True)
class Validator:
    """Checks the chunks of one file; remembers the case numbers it has accepted."""

    profile: CityProfile
    mapping: CaseMapping
    columns: Mapping[str, str]
    """Field → header."""
    crs: str | None
    group_decimals: Mapping[str, int]
    """Used decimals per value of the source column."""
    unknown_regions: dict[str, int] = field(default_factory=dict)
    _names: Names = field(init=False)
    _seen: list[NDArray[np.uint64]] = field(default_factory=list)
    _seen_rows: list[NDArray[np.uint64]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Prepare the look-ups."""
        self._names = Names.of(self.profile)

    def check(self, rows: pd.DataFrame) -> tuple[pa.Table, list[Reject]]:
        """Return the accepted rows in `CASE_SCHEMA` and the rejects, one a row."""
        work = _Work(self, rows)
        work.case_no()
        work.category()
        work.source()
        work.self_handled()
        work.stated_region()
        work.cell_code()
        work.times()
        work.points()
        work.texts()
        work.duplicates()
        return work.table(), [work.rejects[number] for number in sorted(work.rejects)]

    def seen(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
        """Return which keys were accepted before, and the hash of the row that had them."""
        known = np.zeros(len(keys), dtype=bool)
        earlier = np.zeros(len(keys), dtype=np.uint64)
        for block, rows in zip(self._seen, self._seen_rows, strict=True):
            at = np.searchsorted(block, keys)
            at[at == len(block)] = 0
            hit = block[at] == keys
            known |= hit
            earlier[hit] = rows[at[hit]]
        return known, earlier

    def remember(self, keys: NDArray[np.uint64], rows: NDArray[np.uint64]) -> None:
        """Remember accepted case numbers."""
        order = np.argsort(keys)
        self._seen.append(keys[order])
        self._seen_rows.append(rows[order])


class _Work:
    """One chunk under check."""

    def __init__(self, validator: Validator, rows: pd.DataFrame) -> None:
        self.v = validator
        self.rows = rows
        self.numbers = rows.index.to_numpy()
        self.ok = np.ones(len(rows), dtype=bool)
        self.rejects: dict[int, Reject] = {}
        self.out: dict[str, object] = {"row_no": self.numbers.astype(np.int32)}
        self._cache: dict[str, pd.Series[str]] = {}

    # -------------------------------------------------------------- helpers

    def text(self, name: str) -> pd.Series[str]:
        """Return a field as stripped text; constants and missing columns included."""
        if name not in self._cache:
            header = self.v.columns.get(name)
            if header is not None:
                column = self.rows[header].fillna("").str.strip()
            else:
                constant = self.v.mapping.constants.get(name, "")
                column = pd.Series(constant, index=self.rows.index, dtype=str)
            self._cache[name] = column
        return self._cache[name]

    def mapped(self, name: str) -> pd.Series[str]:
        """Return a field with the mapping's own values replaced."""
        column = self.text(name)
        values = self.v.mapping.values.get(name)
        return column if not values else column.map(lambda value: values.get(value, value))

    def header(self, name: str) -> str:
        """Return the header a person sees for a field."""
        return self.v.columns.get(name, name)

    def reject(self, bad: NDArray[np.bool_], name: str, rule: str, remedy: str) -> None:
        """Reject rows; the first reason of a row stays."""
        fresh = bad & self.ok
        if not fresh.any():
            return
        column = self.text(name)
        for position in np.flatnonzero(fresh):
            number = int(self.numbers[position])
            value = str(column.iloc[position])[:200]
            self.rejects[number] = Reject(
                number, self.header(name), value, rule, remedy.format(value=value)
            )
        self.ok &= ~bad

    # --------------------------------------------------------------- fields

    def case_no(self) -> None:
        """Check the case number: present, whole, not a rounded number."""
        raw = plain_text(self.text("case_no"))
        self.reject(
            (raw == "").to_numpy(), "case_no", "required", "案件编号不能为空：补填后重新导入"
        )
        self.reject(raw.str.match(_SCIENTIFIC).to_numpy(dtype=bool), "case_no", "rounded_number",
                    "编号被表格软件转成了科学计数 {value}，末位已丢失：在源系统将该列设为文本后重新导出")  # fmt: skip
        self.reject((raw.str.len() > _LONGEST_CASE_NO).to_numpy(), "case_no", "too_long",
                    "案件编号最多 64 个字符")  # fmt: skip
        self.out["case_no"] = raw

    def category(self) -> None:
        """Resolve the subcategory by code, name or alias."""
        given = self.mapped("subcategory")
        codes = _look_up(given, self.v._names.category)  # noqa: SLF001 - its own helper
        unknown = codes.isna().to_numpy()
        known = list(self.v._names.category)  # noqa: SLF001
        for value in given[unknown].unique()[:50]:
            close = difflib.get_close_matches(value, known, n=3, cutoff=0.4)
            hint = f"，相近的有：{'、'.join(close)}" if close else ""
            self.reject(unknown & (given == value).to_numpy(), "subcategory",
                        "required" if not value else "unknown_category",
                        _literal(f"目录中没有小类“{value}”{hint}；改正，或在映射的 [values.subcategory] 中对应"))  # fmt: skip
        self.reject(unknown, "subcategory", "unknown_category", "目录中没有该小类")
        self.out["subcategory_code"] = codes
        self.out["category_code"] = codes.str[:3]
        self.out["case_kind"] = codes.map(self.v._names.kind)  # noqa: SLF001

    def source(self) -> None:
        """Resolve the source and its tier."""
        codes = _look_up(self.mapped("source"), self.v._names.source)  # noqa: SLF001
        names = "、".join(s.name for s in self.v.profile.sources)
        self.reject(codes.isna().to_numpy(), "source", "unknown_source",
                    _literal(f"问题来源应为：{names}；或在映射的 [values.source] 中对应"))  # fmt: skip
        self.out["source"] = codes
        tiers = codes.map(self.v._names.tier)  # noqa: SLF001
        self.out["tier"] = tiers.where(tiers.fillna("") != "", None)

    def self_handled(self) -> None:
        """Read the self-handled flag."""
        value = self.mapped("self_handled").str.lower()
        flag = value.isin(_TRUE).to_numpy()
        self.reject(~(flag | value.isin(_FALSE).to_numpy()), "self_handled", "not_a_flag",
                    "是否自处置应为 是 或 否")  # fmt: skip
        self.out["self_handled"] = flag

    def stated_region(self) -> None:
        """Resolve the stated region; two or more named regions make a cross-area case (跨区)."""
        given = self.mapped("stated_region")
        codes: dict[str, str | None] = {}
        crossing: dict[str, bool] = {}
        for value in given.unique():
            codes[value], crossing[value] = self._region(value)
        self.out["stated_region"] = _nullable(given)
        self.out["stated_region_code"] = given.map(codes)
        self.out["cross_area"] = given.map(crossing).astype(bool).to_numpy()
        unknown = given[(given != "") & given.map(lambda v: codes[v] is None and not crossing[v])]
        for value, count in unknown.value_counts().items():
            self.v.unknown_regions[str(value)] = self.v.unknown_regions.get(str(value), 0) + count

    def _region(self, value: str) -> tuple[str | None, bool]:
        names = self.v._names.region  # noqa: SLF001
        if not value or value in names:
            return names.get(value), False
        parts = [
            part.strip() for part in pd.Series([value]).str.split(_REGION_SEPARATORS, regex=True)[0]
        ]
        found = {names[part] for part in parts if part in names}
        if len(found) > 1:
            return None, True
        return (
            found.pop() if len(found) == 1 and len([p for p in parts if p]) == 1 else None
        ), False

    def cell_code(self) -> None:
        """Check a stated cell code: text of 15 digits, never a rounded number."""
        given = plain_text(self.text("cell_code_stated"))
        self.reject(given.str.match(_SCIENTIFIC).to_numpy(dtype=bool), "cell_code_stated",
                    "rounded_number", "网格编码被表格软件转成了科学计数 {value}，末位已丢失：在源系统将该列设为文本后重新导出")  # fmt: skip
        wrong = (given != "") & ~given.str.fullmatch(r"[0-9]{15}")
        self.reject(wrong.to_numpy(dtype=bool), "cell_code_stated", "bad_cell_code",
                    "单元网格编码应为 15 位数字（14 位旧码不补位，请提供新旧对照）")  # fmt: skip
        self.out["cell_code_stated"] = _nullable(given)

    def times(self) -> None:
        """Parse every time and check their order."""
        zone = self.v.mapping.time_zone or self.v.profile.time_zone
        parsed: dict[str, pd.Series[pd.Timestamp]] = {}
        for name in _TIMES:
            given = plain_text(self.text(name))
            moments = parse_times(given, self.v.mapping.time_formats, zone)
            self.reject((moments.isna() & (given != "")).to_numpy(), name, "not_a_time",
                        "无法识别的时间“{value}”：应如 2024-11-05 08:30:00，或在映射的 [times] formats 中写明格式")  # fmt: skip
            parsed[name] = moments
        self.reject(parsed["reported_at"].isna().to_numpy(), "reported_at", "required",
                    "上报时间不能为空")  # fmt: skip
        self._check_order(parsed)
        for name, moments in parsed.items():
            self.out[name] = moments

    def _check_order(self, parsed: Mapping[str, pd.Series[pd.Timestamp]]) -> None:
        latest, owner = parsed[STAGE_ORDER[0]], pd.Series(STAGE_ORDER[0], index=self.rows.index)
        for name in STAGE_ORDER[1:]:
            moments = parsed[name]
            bad = (moments < latest).to_numpy()
            if (bad & self.ok).any():
                for before in owner[bad].unique():
                    self.reject(
                        bad & (owner == before).to_numpy(),
                        name,
                        "stage_order",
                        _literal(f"{self.header(name)}早于{self.header(before)}：核对两个时间"),
                    )
            later = moments.notna()
            latest = latest.where(~later, moments)
            owner = owner.where(~later, name)

    def points(self) -> None:
        """Convert coordinates; a row without a usable point stays and says why."""
        x_text, y_text = plain_text(self.text("x")), plain_text(self.text("y"))
        x = pd.to_numeric(x_text.where(x_text != ""), errors="coerce").to_numpy(dtype=np.float64)
        y = pd.to_numeric(y_text.where(y_text != ""), errors="coerce").to_numpy(dtype=np.float64)
        for name, texts, numbers in (("x", x_text, x), ("y", y_text, y)):
            self.reject(((texts != "").to_numpy() & ~np.isfinite(numbers)), name, "not_a_number",
                        "坐标“{value}”不是数字：改正，或清空后按无坐标导入")  # fmt: skip
        words = self._row_crs(x_text)
        places = np.maximum(decimals(x_text), decimals(y_text))
        group = self.text("source").map(self.v.group_decimals).fillna(0).to_numpy(dtype=np.int64)
        lon, lat, radius = (np.full(len(x), np.nan) for _ in range(3))
        issue = np.full(len(x), "missing", dtype=object)
        for word in {w for w in words if w is not None}:
            mine = words == word
            found = convert_points(x[mine], y[mine], word, self.v.profile.extent)
            lon[mine], lat[mine], issue[mine] = found.lon, found.lat, found.issue
            radius[mine] = row_radius_m(places[mine], np.maximum(group[mine], 0), word)
        has = np.isfinite(lon)
        given = ((x_text != "") | (y_text != "")).to_numpy()
        self.out |= {
            "src_crs": pd.Series(np.where(given, words, None), index=self.rows.index, dtype=object),
            "src_x": _nullable(x_text), "src_y": _nullable(y_text), "lon": lon, "lat": lat,
            "locate_radius_m": np.where(has, radius, np.nan).astype(np.float32),
            "point_issue": pd.Series(issue, index=self.rows.index, dtype=object),
        }  # fmt: skip

    def _row_crs(self, x_text: pd.Series[str]) -> NDArray[np.object_]:
        if "crs" not in self.v.columns:
            return np.full(len(x_text), self.v.crs, dtype=object)
        given = self.text("crs")
        words: dict[str, str | None] = {"": self.v.crs}
        for value in given.unique():
            try:
                words[value] = parse_crs(value) if value else self.v.crs
            except CrsError:
                words[value] = None
        column = given.map(words).to_numpy(dtype=object)
        missing = np.array([word is None for word in column]) & (x_text != "").to_numpy()
        self.reject(missing, "crs", "unknown_crs",
                    "坐标系“{value}”未知：应为 WGS84、CGCS2000、GCJ-02、BD-09 或 EPSG:n")  # fmt: skip
        return column

    def texts(self) -> None:
        """Take over free texts."""
        for name in _TEXTS:
            self.out[name] = _nullable(self.text(name))

    def duplicates(self) -> None:
        """Reject a case number that an earlier accepted row of the file already has."""
        numbers = self.out["case_no"]
        assert isinstance(numbers, pd.Series)  # noqa: S101 - set above
        keys = pd.util.hash_array(numbers.to_numpy(dtype=object), categorize=False)
        mapped = [self.rows[header] for header in self.v.columns.values()]
        rows = pd.util.hash_pandas_object(pd.concat(mapped, axis=1), index=False).to_numpy()
        known, earlier = self.v.seen(keys)
        own = pd.Series(np.where(self.ok, keys, np.uint64(0)))
        first = own.groupby(own).transform(lambda group: group.index[0]).to_numpy(dtype=np.int64)
        repeated = self.ok & (first != np.arange(len(keys))) & ~known
        same = (known & (earlier == rows)) | (repeated & (rows[first] == rows))
        bad = known | repeated
        self.reject(bad & same, "case_no", "duplicate_row", "与前面的行完全相同：无需处理")
        self.reject(bad & ~same, "case_no", "duplicate_case_no",
                    "同一文件中案件编号 {value} 已出现且内容不同：保留正确的一行")  # fmt: skip
        self.v.remember(keys[self.ok], rows[self.ok])

    def table(self) -> pa.Table:
        """Return the accepted rows in the order of the schema."""
        arrays = []
        for entry in CASE_SCHEMA:
            column = self.out[entry.name]
            values = (
                column[self.ok] if isinstance(column, pd.Series) else np.asarray(column)[self.ok]
            )
            arrays.append(pa.array(values, type=entry.type, from_pandas=True))
        return pa.Table.from_arrays(arrays, schema=CASE_SCHEMA)


def plain_text(column: pd.Series[str]) -> pd.Series[str]:
    """Return text without full-width forms (全角转半角)."""
    wide = ~column.str.isascii().to_numpy(dtype=bool)
    if not wide.any():
        return column
    fixed = column.copy()
    fixed[wide] = [unicodedata.normalize("NFKC", value).strip() for value in column[wide]]
    return fixed


def require_crs_given(crs: str | None, mapping: CaseMapping) -> str | None:
    """Refuse an import without a declared CRS: it is never guessed."""
    if crs is not None:
        return parse_crs(crs)
    if "crs" in mapping.columns:
        return None
    if "x" not in mapping.columns:
        return None
    raise CrsError(
        "no CRS declared: pass --crs wgs84, cgcs2000, gcj02, bd09 or EPSG:n. It is never guessed: "
        "GCJ-02 read as WGS84 moves every point by hundreds of metres while most rows still fall "
        "into the right district. Ask whoever made the file; maps of AMap and Tencent give gcj02, "
        "Baidu bd09, GPS devices wgs84"
    )


def require_schema(rows: pd.DataFrame, columns: Mapping[str, str]) -> None:
    """Refuse a chunk that lacks a mapped column (a bug in a reader)."""
    missing = [header for header in columns.values() if header not in rows]
    if missing:
        raise SchemaError(f"the table lost columns {missing}")


def _look_up(given: pd.Series[str], names: Mapping[str, str]) -> pd.Series[str]:
    found = {value: names.get(value, names.get(unicodedata.normalize("NFKC", value)))
             for value in given.unique()}  # fmt: skip
    return given.map(found)


def _nullable(column: pd.Series[str]) -> pd.Series[str]:
    return column.where(column != "", None)


def _literal(text: str) -> str:
    """Protect braces in a remedy that is formatted with the value."""
    return text.replace("{", "{{").replace("}", "}}")
