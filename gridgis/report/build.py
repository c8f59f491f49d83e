"""The report of a month as a model, from its counts (月报生成)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.model.report import Paragraph, ReportModel, Table
from gridgis.report.material import EARLIER, Extras, collect, month_text
from gridgis.report.sections import outline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from gridgis.model.profile import CityProfile
    from gridgis.model.report import Section
    from gridgis.report.counts import Counts
    from gridgis.report.material import Material


def build_report(  # noqa: PLR0913 - keywords that all have a default
    profile: CityProfile,
    counts: Counts,
    *,
    month: str,
    previous: Counts | None = None,
    year_ago: Counts | None = None,
    region: str | None = None,  # noqa: ARG001
    synthetic: bool = False,
    sample_rules: bool = False,
    restricted: Sequence[str] = (),
    places: Sequence[tuple[str, str, int]] = (),
    whistles: Sequence[Mapping[str, object]] = (),
    days: Sequence[tuple[date, int]] = (),
) -> ReportModel:
    """
    Return the report of a month (生成月报模型).

    Parameters
    ----------
    month : str
        `YYYY-MM`, local month of the city.
    previous, year_ago : Counts, optional
        Of the month before and of the same month a year before; keys of their figures begin with
        `previous.` or `year_ago.`. What is not given is not compared.
    region : str, optional
        Code of a region: its brief of two pages in place of the city's report.
    synthetic : bool
        The city holds synthetic data; the report says so.
    sample_rules : bool
        Weights, types or limits of the profile are samples; the report says so.
    restricted : sequence of str
        Prefixes of subcategories that no list names; they count in a row of their own (受限类).
    places : sequence of (place, subcategory name, complaints)
        Recurrent places, the most first; without them a placeholder stands there.
    whistles : sequence of mapping
        Rows of whistles that the cases of note may tell: `whistle_no`, `region_key`, `title`,
        `participants`.
    days : sequence of (day, cases)
        Accepted and self-handled cases by local day, for a chart.

    Raises
    ------
    DistrictNotFound
        If the profile has no such region in the month.
    """
    earlier = {
        name: other
        for name, other in zip(EARLIER, (previous, year_ago), strict=True)
        if other is not None
    }
    extras = Extras(synthetic, sample_rules, tuple(places), tuple(whistles), tuple(days))
    material = collect(profile, counts, month, earlier=earlier, restricted=tuple(restricted),
                       extras=extras)  # fmt: skip
    words, title_month = material.words, month_text(material.words, month)
    city = words.either(profile.name, profile.name_en)
    return _model(
        material, outline(material), words.say("title", city=city, month=title_month).text
    )


def _model(
    material: Material, sections: tuple[Section, ...], title: str, region: str | None = None
) -> ReportModel:
    profile, words = material.profile, material.words
    compared = [key for key in _keys(sections) if key.partition(".")[0] in EARLIER]
    figures = {**material.figures, **{key: material.fig(key) for key in compared}}
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
