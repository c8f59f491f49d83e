"""The parameters of routes, with their documentation (请求参数)."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gridgis.services.find import CaseQuestion
from gridgis.services.open_work import WorkQuestion
from gridgis.services.report import MAX_ROWS
from gridgis.store.lookup import MAX_LIMIT

Format = Literal["json", "geojson", "csv"]
Month = Annotated[str | None, Field(description="Month, `YYYY-MM`.", examples=["2024-11"])]
Category = Annotated[
    str | None, Field(description="Subcategory by code (`S0591`), prefix (`S05`, `S`) or name.")
]
Source = Annotated[
    str | None, Field(description="Source by code (see /api/v1/meta/sources) or name.")
]
District = Annotated[
    str | None, Field(description="Management region (district or zone) by code or name.")
]
Crs = Annotated[
    str, Field(description="CRS of the coordinates given: wgs84, cgcs2000, gcj02, bd09 or EPSG:n.")
]


class Parameters(BaseModel):
    """Parameters of one route; an empty value means not given."""

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value != ""}


class CaseParameters(Parameters):
    """The filter of cases; everything given must hold."""

    bbox: str | None = Field(
        None, description="WEST,SOUTH,EAST,NORTH in `crs`.", examples=["102.70,25.03,102.72,25.05"]
    )
    near: str | None = Field(
        None, description="LON,LAT in `crs`; needs radius_m.", examples=["102.7398,24.9733"]
    )
    radius_m: float | None = Field(None, description="Metres round `near`, measured on the ground.")
    crs: Crs = "wgs84"
    cell: str | None = Field(None, description="15-digit code of a unit grid.")
    district: District = None
    street: str | None = Field(None, description="Street by 9-digit code or name.")
    month: Month = None
    start: str | None = Field(
        None,
        alias="from",
        description="First moment of counted_at: a date or time; without an "
        "offset it is the city's local time.",
    )
    end: str | None = Field(None, alias="to", description="Moment after the last (half open).")
    updated_since: str | None = Field(None, description="Cases changed here at or after this time.")
    category: Category = None
    source: Source = None
    status: str | None = Field(None, description="open, closed, void or suspended.")

    def question(self) -> CaseQuestion:
        """Return the filter as the services take it."""
        return cast("CaseQuestion", self.model_dump(include=set(CaseQuestion.__annotations__)))


class CaseListParameters(CaseParameters):
    """The filter, and which page of the answer."""

    f: Format = Field(
        "json",
        description="json comes in pages, csv holds every case; geojson holds every case, or a "
        "page if limit or cursor is given.",
    )
    limit: int = Field(100, ge=1, le=MAX_LIMIT, description="Cases a page.")
    cursor: str | None = Field(None, description="Where the page starts: the `cursor` of the last.")

    @property
    def paged(self) -> list[str]:
        """What was given that asks for a page."""
        return sorted({"limit", "cursor"} & self.model_fields_set)


class CaseSearch(CaseListParameters):
    """The same as a JSON document, with a polygon; lists of numbers may stand for texts."""

    model_config = ConfigDict(extra="forbid")

    within: dict[str, object] | None = Field(
        None, description="GeoJSON Polygon or MultiPolygon in `crs`, at most 10,000 vertices."
    )

    @model_validator(mode="before")
    @classmethod
    def _join_numbers(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {
            name: ",".join(map(str, value))
            if name in {"bbox", "near"} and isinstance(value, list)
            else value
            for name, value in given.items()
        }


class CountParameters(Parameters):
    """Which counts of a run are meant."""

    category: Category = None
    source: Source = None
    district: District = None

    def filters(self) -> dict[str, str | None]:
        """Return the filter as the services take it."""
        return {"category": self.category, "source": self.source, "district": self.district}


class RunParameters(CountParameters):
    """Which run and which of its counts; without month and run it is the newest."""

    month: Month = None
    run: int | None = Field(None, description="Number of a stored run (see /api/v1/meta/runs).")


class DensityParameters(RunParameters):
    """Parameters of the density."""

    level: Literal["cell", "street", "district", "admin", "city"] = Field(
        "district", description="`district` is the management region, `admin` GB/T 2260."
    )
    per: Literal["km2", "none"] = Field("km2", description="`km2` of land, or `none`: counts.")


class LegendParameters(RunParameters):
    """Parameters of a legend."""

    level: Literal["cell", "block500", "block1000", "street", "district"] = "cell"
    k: int = Field(5, ge=3, le=7, description="Classes above zero.")


class LocateParameters(Parameters):
    """A point."""

    lon: float = Field(description="Longitude, or easting of a projected `crs`.")
    lat: float = Field(description="Latitude, or northing.")
    crs: Crs = "wgs84"


class TileParameters(CountParameters):
    """Filters of a tile."""

    month: Month = None
    v: str | None = Field(
        None,
        description="Any text; tilejson gives one that no other run, database or state of the "
        "data has, so that kept tiles never mix.",
    )


class ReportParameters(Parameters):
    """Which report of a month is meant."""

    region: str | None = Field(
        None, description="Region code: the district brief in place of the city's report."
    )
    issue: int | None = Field(None, ge=1, description="Number of the issue; default the newest.")


class FigureParameters(Parameters):
    """Which rows of a figure are meant."""

    part: Literal["numerator", "denominator"] = "numerator"
    region: str | None = Field(None, description="Region code of a district brief.")
    issue: int | None = Field(None, ge=1, description="Number of the issue; default the newest.")
    after: str | None = Field(None, description="Key of the last row before; see `next`.")
    limit: int = Field(MAX_ROWS, ge=1, le=MAX_ROWS)


class WorkParameters(Parameters):
    """Which open items are meant; everything given must hold."""

    stage: Literal["dispatch", "dispose"] | None = Field(
        None, description="`dispatch`: tasks not dispatched; `dispose`: cases not closed."
    )
    state: Literal["overdue", "due_soon", "in_time", "no_limit", "suspended"] | None = Field(
        None, description="Without it all but the suspended ones."
    )
    stuck: bool | None = Field(
        None, description="true: handed back again and again, or without an owner for too long."
    )
    district: District = None
    street: str | None = Field(None, description="Street by 9-digit code or name.")
    category: Category = None
    at: str | None = Field(
        None,
        description="The moment in question: a date or time, without an offset in the city's "
        "local time; default the newest stage time in the data.",
        examples=["2024-11-30T18:00:00"],
    )

    def question(self) -> WorkQuestion:
        """Return the filter as the services take it."""
        return cast("WorkQuestion", self.model_dump(include=set(WorkQuestion.__annotations__)))


class WorkListParameters(WorkParameters):
    """The filter, and which page of the answer."""

    format: Format = Field(
        "json",
        description="json comes in pages, csv holds every item; geojson holds every item, or a "
        "page if limit or after is given.",
    )
    limit: int = Field(100, ge=1, le=MAX_LIMIT, description="Items a page.")
    after: str | None = Field(None, description="Where the page starts: the `after` of the last.")

    @property
    def paged(self) -> list[str]:
        """What was given that asks for a page."""
        return sorted({"limit", "after"} & self.model_fields_set)


class WorkSummaryParameters(WorkParameters):
    """The filter, and by what to sum up."""

    by: Literal["lateness", "subcategory", "street", "region", "organisation"] = Field(
        "lateness", description="`lateness`: classes of hours after the limit."
    )


class ReportLatenessParameters(Parameters):
    """Which month's cases are meant."""

    month: str = Field(description="Month, `YYYY-MM`, that the cases count in.")
