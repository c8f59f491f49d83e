"""The shape of every answer, for the OpenAPI document and its test (响应结构)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Position = tuple[float, float]
Box = tuple[float, float, float, float]


class Answer(BaseModel):
    """Nothing but the fields named here."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable; the detail is for people.")
    detail: str
    request_id: str | None = Field(None, description="Finds the entry in the log.")


class CaseProperties(Answer):
    """One case without its point (案件)."""

    case_no: str
    subcategory_code: str
    subcategory_name: str | None
    source: str
    source_name: str | None
    tier: str | None
    case_kind: Literal["component", "event"]
    status: Literal["open", "closed", "void", "suspended"]
    severity: str | None
    self_handled: bool
    description: str | None
    address_text: str | None
    stated_region: str | None
    region_code: str | None = Field(description="Management region, as reports count.")
    region_name: str | None
    region_method: Literal["polygon", "stated", "cross_area", "none"]
    district_code: str | None = Field(description="Administrative district (GB/T 2260).")
    street_code: str | None
    street_name: str | None
    cell_code: str | None
    no_cell_reason: Literal["no_point", "too_coarse", "outside_cells"] | None
    grid_version: str | None
    locate_radius_m: float | None
    disposing_org: str | None
    reported_at: datetime
    accepted_at: datetime | None
    filed_at: datetime | None
    dispatched_at: datetime | None
    due_at: datetime | None
    disposed_at: datetime | None
    checked_at: datetime | None
    closed_at: datetime | None
    counted_at: datetime | None = Field(description="Accepted; self-handled: reported.")
    listed_at: datetime = Field(description="Counted, or else reported; lists are in its order.")
    updated_at: datetime


class Case(CaseProperties):
    """One case; its point is WGS84 and null if unlocated."""

    lon: float | None
    lat: float | None


class CaseDetail(Case):
    """One case with its original coordinates (案件详情)."""

    src_crs: str | None
    src_x: str | None
    src_y: str | None
    point_issue: str | None
    cell_code_stated: str | None
    stated_region_code: str | None
    discovered_at: datetime | None
    verified_at: datetime | None
    voided_at: datetime | None
    suspended_at: datetime | None
    synthetic: bool
    notice: str | None


class PageHead(Answer):
    """What a page says about itself."""

    synthetic: bool
    notice: str | None = Field(description="合成数据 / synthetic data, or null.")
    crs: Literal["wgs84"] = Field(description="CRS of the coordinates answered.")
    filters: dict[str, object] = Field(
        description="The filter applied: codes for names, `crs` of the coordinates given."
    )
    total: int = Field(description="Cases of all pages.")
    returned: int
    cursor: str | None = Field(description="Where the next page starts; null on the last.")
    next: str | None = Field(description="Address of the next page, relative to the host.")


class CasePage(PageHead):
    """One page of cases (案件列表)."""

    cases: list[Case]


class Point(Answer):
    """A GeoJSON point: longitude, latitude."""

    type: Literal["Point"]
    coordinates: Position


class CaseFeature(Answer):
    """One case as GeoJSON; null geometry if unlocated."""

    type: Literal["Feature"]
    id: str
    geometry: Point | None
    properties: CaseProperties


class CaseCollection(PageHead):
    """One page of cases as GeoJSON."""

    type: Literal["FeatureCollection"]
    features: list[CaseFeature]


class RunFacts(Answer):
    """Which stored run an answer comes from (统计批次)."""

    id: int
    kind: str
    month: str
    day: date
    unit: str
    cases: int
    grid_version: str | None
    cell_size_m: int | None
    """Side of the unit grids; null if they are no squares."""
    gridgis_version: str
    created_at: datetime
    outdated: bool
    """Cases or areas changed since: lists of cases may differ from these counts."""
    mark: str
    """Changes whenever a tile of this run may: the `v` of tile addresses."""


class CountFilters(Answer):
    """The filter applied, in codes."""

    category: str | None
    source: str | None
    district: str | None


class DensityRow(Answer):
    """One place, or the cases without one (kind `rest`)."""

    code: str
    name: str
    name_en: str
    kind: str
    group: str | None
    group_name: str | None = None
    group_name_en: str | None = None
    group_total: int | None = None
    approximate: bool = Field(description="The border is approximate or synthetic.")
    numerator: int = Field(description="Cases.")
    denominator: float | None = Field(description="km² of land; null for counts and the rest.")
    value: float | None = Field(description="Cases per km², in hundredths.")
    text: str
    share_text: str | None = Field(description="Share within the reporting group.")
    reason: str | None = None
    label: str | None = None
    cases: int | None = None


class Density(Answer):
    """Cases per place of a level; numerators sum to `total` (案件密度)."""

    run: RunFacts
    level: str
    unit: str
    per: str
    filters: CountFilters
    total: int
    rows: list[DensityRow]
    synthetic: bool


class LegendClass(Answer):
    """Values in (lo, hi]."""

    lo: float
    hi: float
    places: int
    cases: int


class LegendZero(Answer):
    """Places without a case."""

    places: int


class Legend(Answer):
    """Classes of a map; their cases and the rest sum to `total` (图例)."""

    run: RunFacts
    level: str
    unit: str
    per: str
    method: str
    filters: CountFilters
    classes: list[LegendClass]
    zero: LegendZero
    rest: list[DensityRow]
    total: int
    generated_at: datetime
    synthetic: bool


class Region(Answer):
    """A management region (管理区域)."""

    code: str
    name: str
    name_en: str
    kind: Literal["district", "zone"]
    group: str | None
    host_district: str | None
    geom_quality: str
    approximate: bool
    attribution: str
    area_km2: float | None
    land_area_km2: float | None
    bbox: Box | None


class Regions(Answer):
    """Regions of today."""

    synthetic: bool
    items: list[Region]


class Street(Answer):
    """A street or town (街道、乡镇)."""

    code: str
    name: str
    district_code: str
    geom_quality: str
    approximate: bool
    attribution: str
    land_area_km2: float | None


class Streets(Answer):
    """Streets of today."""

    synthetic: bool
    items: list[Street]


class Category(Answer):
    """A subcategory of the catalogue (小类)."""

    code: str
    name: str
    kind: Literal["component", "event"]
    parent_code: str
    parent_name: str


class Categories(Answer):
    """The catalogue."""

    synthetic: bool
    items: list[Category]


class Name(Answer):
    """A code with its names."""

    code: str
    name: str
    name_en: str


class Names(Answer):
    """A list of codes."""

    synthetic: bool
    items: list[Name]


class SourceName(Name):
    """Where cases come from (问题来源)."""

    tier: str


class Sources(Answer):
    """Sources of cases."""

    synthetic: bool
    items: list[SourceName]


class Month(Answer):
    """A month with a finished density run."""

    month: str
    run: int
    cases: int
    ended_at: datetime


class Months(Answer):
    """Months with a finished density run."""

    synthetic: bool
    items: list[Month]


class Run(Answer):
    """A stored run (统计批次)."""

    run: int
    kind: str
    month: str
    unit: str
    cases: int
    grid_version: str | None
    gridgis_version: str
    profile_version: str
    parameters: dict[str, object]
    started_at: datetime
    ended_at: datetime


class Runs(Answer):
    """Stored runs."""

    synthetic: bool
    items: list[Run]


class PointQuery(Answer):
    """The point as it was given."""

    lon: float
    lat: float
    crs: str


class Area(Answer):
    """An area that covers a point."""

    code: str
    name: str | None
    quality: str
    approximate: bool


class Located(Answer):
    """What covers a point (坐标定位)."""

    query: PointQuery
    lon: float
    lat: float
    crs: Literal["wgs84"]
    cell_code: str | None
    grid_version: str | None
    street: Area | None
    district: Area | None
    region: Area | None
    approximate: bool
    synthetic: bool


class NewestCount(Answer):
    """Cases in the newest density run."""

    run: int
    month: str
    unit: str
    cases: int


class Cell(Answer):
    """One unit grid (单元网格)."""

    cell_code: str
    grid_version: str
    area_m2: float
    district_code: str | None
    district_name: str | None
    street_code: str | None
    street_name: str | None
    region_code: str | None
    region_name: str | None
    generated: bool = Field(description="The code is generated, not official.")
    approximate: bool
    current: bool = Field(description="It belongs to today's grid.")
    centre: Position
    geometry: dict[str, object]
    counts: NewestCount | None
    synthetic: bool


class RegionDetail(Answer):
    """One district or zone (区域)."""

    code: str
    name: str
    name_en: str
    kind: Literal["district", "zone"]
    group: str | None
    host_district: str | None
    geom_quality: str
    approximate: bool
    attribution: str
    area_m2: float | None
    land_area_m2: float | None
    current: bool
    geometry: dict[str, object] | None
    counts: NewestCount | None
    synthetic: bool


class VectorLayer(Answer):
    """A layer inside a tile."""

    id: str
    fields: dict[str, str]


class TileJson(Answer):
    """Where tiles are (TileJSON 3)."""

    tilejson: Literal["3.0.0"]
    name: str
    tiles: list[str]
    minzoom: int
    maxzoom: int
    bounds: Box
    vector_layers: list[VectorLayer]
    run: RunFacts
    synthetic: bool


class RowSlice(Answer):
    """Which rows a number counts (切片)."""

    fact: str
    measure: str
    where: dict[str, list[str | bool | None]]


class Figure(Answer):
    """One number of a report, with what it is made of (指标)."""

    key: str
    label: str
    definition: str
    unit: Literal["cases", "tasks", "base_cases", "complaints", "whistles"]
    numerator: float
    denominator: float | None = Field(description="None: the figure is a count.")
    value: float | None = Field(description="A rate as 0-1; None over a denominator of 0.")
    digits: int
    text: str = Field(description="As it is printed.")
    numerator_rows: RowSlice
    denominator_rows: RowSlice | None


class ReportIssue(Answer):
    """Which issue of a report (期次)."""

    number: int
    status: Literal["draft", "signed"]
    data_version: int
    made_at: datetime
    signed_by: str | None
    signed_at: datetime | None
    changes: list[str]


class ReportSection(Answer):
    """A part of a report: paragraphs, tables, charts and maps (章节)."""

    key: str
    title: str
    blocks: list[dict[str, object]]


class Report(Answer):
    """The report of a month (月报)."""

    city: str
    city_en: str
    language: str
    month: str
    region: str | None
    title: str
    synthetic: bool
    notice: str
    issue: ReportIssue
    sections: list[ReportSection]
    figures: dict[str, Figure]


class FigureRows(Answer):
    """The rows behind a figure, in its own unit (指标明细)."""

    synthetic: bool
    notice: str | None
    month: str
    figure: Figure
    part: Literal["numerator", "denominator"]
    unit: str
    outdated: bool = Field(description="Data came after the report was made.")
    rows: list[dict[str, object]]
    next: str | None


class WorkReminder(Answer):
    """A level of reminding (三级提醒)."""

    stage: Literal["dispatch", "dispose"]
    level: int
    name: str
    name_en: str
    hours: float = Field(description="Natural hours after the limit; negative: before it.")


class WorkRules(Answer):
    """By which rules open work is judged."""

    reminders: list[WorkReminder]
    hand_backs: int = Field(description="So many hand-backs make an item stuck.")
    unowned_hours: float = Field(
        description="More natural hours without dispatch and organisation make it stuck."
    )
    origin: Literal["profile", "built_in"]
    sample: bool = Field(description="Example values, not the city's own.")


class WorkHead(Answer):
    """What an answer about open work says about itself."""

    synthetic: bool
    notice: str | None
    crs: Literal["wgs84"]
    at: datetime = Field(description="The moment in question.")
    as_of: datetime | None = Field(
        description="Newest stage time in the data that is not in the future: what happened "
        "later is not known. Null: there are no cases."
    )
    filters: dict[str, object]
    rules: WorkRules


class WorkCount(Answer):
    """Items of one stage and state."""

    stage: Literal["dispatch", "dispose"]
    unit: Literal["tasks", "cases"]
    state: Literal["overdue", "due_soon", "in_time", "no_limit", "suspended", "restricted"]
    items: int
    located: int
    unlocated: int
    stuck: int


class WorkPageHead(WorkHead):
    """What a page of open work says about itself."""

    counts: list[WorkCount] = Field(
        description="Of all pages, whatever `state`. `suspended` and `restricted` are apart."
    )
    total: int = Field(description="Rows of all pages: tasks and cases; `counts` has the units.")
    returned: int
    after: str | None = Field(description="Where the next page starts; null on the last.")
    next: str | None = Field(description="Address of the next page, relative to the host.")


class WorkProperties(Answer):
    """One open task or case without its point."""

    stage: Literal["dispatch", "dispose"]
    case_no: str
    task_no: str | None
    subcategory_code: str
    subcategory_name: str | None
    source: str
    source_name: str | None
    region_key: str = Field(description="Region code, or unlocated, cross_area, other.")
    region_name: str | None
    street_code: str | None
    street_name: str | None
    cell_code: str | None
    disposing_org: str | None
    is_key: bool
    since_at: datetime = Field(description="Accepted, or else filed or reported.")
    limit_at: datetime | None = Field(description="When the task or case is due.")
    state: Literal["overdue", "due_soon", "in_time", "no_limit", "suspended"]
    hours_late: float | None = Field(description="Natural hours after the limit.")
    hours_left: float | None = Field(description="Natural hours before it.")
    reminder_level: int | None = Field(description="The highest level reached (三级提醒).")
    reminder_name: str | None
    hand_backs: int
    proposal: Literal["act_first", "whistle"] | None = Field(
        description="For stuck items: fix first (先行处置), or call all together (吹哨)."
    )


class WorkItem(WorkProperties):
    """One open task or case; its point is WGS84 and null if unlocated."""

    lon: float | None
    lat: float | None


class WorkPage(WorkPageHead):
    """One page of open work, earliest limit first (待办列表)."""

    items: list[WorkItem]


class WorkFeature(Answer):
    """One open task or case as GeoJSON."""

    type: Literal["Feature"]
    id: str
    geometry: Point | None
    properties: WorkProperties


class WorkCollection(WorkPageHead):
    """Open work as GeoJSON."""

    type: Literal["FeatureCollection"]
    features: list[WorkFeature]


class WorkSums(Answer):
    """Items by state, and a share."""

    items: int
    overdue: int
    due_soon: int
    in_time: int
    no_limit: int
    suspended: int
    restricted: int
    stuck: int
    numerator: int
    denominator: int
    value: float | None = Field(description="A rate as 0-1; null over a denominator of 0.")
    text: str


class WorkGroup(WorkSums):
    """One group; kind `rest` has no place, no organisation, or is not late."""

    code: str
    name: str
    name_en: str
    kind: Literal["group", "rest"]
    median_hours_late: float | None = Field(description="Of the overdue items.")
    most_hours_late: float | None


class WorkStage(Answer):
    """The groups of one stage; they sum to the total."""

    stage: Literal["dispatch", "dispose"]
    unit: Literal["tasks", "cases"]
    rows: list[WorkGroup]
    total: WorkSums


class WorkSummary(WorkHead):
    """Open work summed up (待办汇总)."""

    by: Literal["lateness", "subcategory", "street", "region", "organisation"]
    definition: str
    stages: list[WorkStage]


class LatenessRow(Answer):
    """How long after discovery cases were reported."""

    code: str | None
    name: str | None
    name_en: str | None
    kind: Literal["group", "rest"]
    cases: int
    known: int = Field(description="Cases with both times.")
    numerator: int
    denominator: int
    value: float | None
    text: str
    median_minutes: float | None
    p90_minutes: float | None


class ReportLateness(Answer):
    """Report lateness of a month (上报时延)."""

    synthetic: bool
    notice: str | None
    month: str
    unit: Literal["cases"]
    definition: str
    total: LatenessRow
    by_source: list[LatenessRow]
    by_region: list[LatenessRow]


class Health(Answer):
    """State of the service."""

    status: Literal["live", "ready"]
