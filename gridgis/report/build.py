"""The report of a month as a model, from its counts (月报生成)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from gridgis.model.report import Paragraph, ReportModel, Table
from gridgis.report.briefs import district_sections, leaders_sections
from gridgis.report.material import Extras, collect, month_text
from gridgis.report.sections import outline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from gridgis.model.profile import CityProfile
    from gridgis.model.report import Section
    from gridgis.report.counts import Counts
    from gridgis.report.material import Material


class Given(TypedDict, total=False):
    """What else is known of a month; each may be missing."""

    previous: Counts | None
    """Counts of the month before; the keys of its figures begin with `previous.`. Without any
    row the month counts as not imported."""
    year_ago: Counts | None
    """Counts of the same month a year before; keys begin with `year_ago.`."""
    synthetic: bool
    """The city holds synthetic data; the report says so."""
    sample_rules: bool
    """Weights, types or limits of the profile are samples; the report says so."""
    restricted: Sequence[str]
    """Prefixes of subcategories that no list names, besides those that the profile restricts."""
    places: Sequence[tuple[str, str, int]]
    """Recurrent places: name, subcategory and complaints; without them a placeholder stands."""
    whistles: Sequence[Mapping[str, object]]
    """Rows of whistles (`whistle_no`, `level`, `region_key`, `title`, `participants`,
    `resolved_at`); two that were resolved are told as good practice."""
    days: Sequence[tuple[date, int]]
    """Accepted and self-handled cases by local day, for a chart."""


def build_report(
    profile: CityProfile,
    counts: Counts,
    *,
    month: str,
    region: str | None = None,
    **given: Unpack[Given],
) -> ReportModel:
    """
    Return the report of a month, or the brief of one of its regions (生成月报模型).

    Parameters
    ----------
    month : str
        `YYYY-MM`, local month of the city.
    region : str, optional
        Code of a region: its brief of two pages in place of the city's report. The rows of its
        table `rectification` are left to the caller.
    **given
        What else is known of the month; see `Given`.

    Raises
    ------
    DistrictNotFound
        If the report has no such region.
    """
    m = _material(profile, counts, month, given)
    words = m.words
    city, shown = words.either(profile.name, profile.name_en), month_text(words, month)
    if region is None:
        return _model(m, outline(m), words.say("title", city=city, month=shown).text)
    sections = district_sections(m, region)
    area = next(area.name for area in m.scope.regions if area.key == region)
    title = words.say("brief_title", city=city, area=area, month=shown).text
    return _model(m, sections, title, region, brief=True)


def build_leaders_brief(
    profile: CityProfile, counts: Counts, *, month: str, **given: Unpack[Given]
) -> ReportModel:
    """Return the leaders' brief of a month on one page, from the same figures (领导摘要)."""
    m = _material(profile, counts, month, given)
    city = m.words.either(profile.name, profile.name_en)
    title = m.words.say("leaders_title", city=city, month=month_text(m.words, month)).text
    return _model(m, leaders_sections(m), title, brief=True)


def _material(profile: CityProfile, counts: Counts, month: str, given: Given) -> Material:
    before = {"previous": given.get("previous"), "year_ago": given.get("year_ago")}
    earlier = {
        name: other
        for name, other in before.items()
        if other is not None and any(len(table) for table in other.tables.values())
    }
    return collect(
        profile,
        counts,
        month,
        earlier=earlier,
        restricted=tuple(given.get("restricted", ())),
        extras=Extras(
            synthetic=given.get("synthetic", False),
            sample_rules=given.get("sample_rules", False),
            places=tuple(given.get("places", ())),
            whistles=tuple(given.get("whistles", ())),
            days=tuple(given.get("days", ())),
        ),
    )


def _model(
    material: Material,
    sections: tuple[Section, ...],
    title: str,
    region: str | None = None,
    *,
    brief: bool = False,
) -> ReportModel:
    """Return the model: all figures of the month, or in a brief those that it names."""
    profile, words = material.profile, material.words
    named = {key: material.fig(key) for key in _keys(sections)}
    figures = named if brief else {**material.figures, **named}
    return ReportModel(
        city=profile.name,
        city_en=profile.name_en,
        language=profile.language,
        month=material.scope.month,
        region=region,
        title=title,
        synthetic=material.extras.synthetic,
        notice=words.word("notice") if material.extras.synthetic else "",
        sections=sections,
        figures=figures,
        texts={key: words.text(figure) for key, figure in figures.items()},
    )


def _keys(sections: Iterable[Section]) -> list[str]:
    """Return the keys that sentences and cells name, once each and in their order."""
    found: dict[str, None] = {}
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Paragraph):
                found.update(dict.fromkeys(block.figures))
            elif isinstance(block, Table):
                cells = (cell.figure for row in block.rows for cell in row)
                found.update(dict.fromkeys(key for key in cells if key))
    return list(found)
