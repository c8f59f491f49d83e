"""Read the dated rules of a profile: types, weights, limits, calendar, regimes (台账规则读取)."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from gridgis.intake.profile_folder import Unique
from gridgis.intake.profile_reminders import read_reminders, read_stuck
from gridgis.model.rules import (
    LIMIT_STAGES,
    LIMIT_UNITS,
    AssessmentType,
    LedgerRules,
    Limit,
    Regime,
    Rule,
    WorkCalendar,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gridgis.intake.profile_folder import ProfileFolder

V = TypeVar("V")
_DATES = ("valid_from", "valid_to")
_CODE = r"[A-Z]([0-9]{2}([0-9]{2})?)?"


def read_rules(source: ProfileFolder, spec: Mapping[str, object]) -> LedgerRules:
    """Read every rule table that the profile has; each of them may be missing."""
    types = tuple(_types(source, spec))
    codes = {kind.code for kind in types}

    def assessment(where: str, row: dict[str, str]) -> str:
        source.one_of(where, "assessment_type", row["assessment_type"], codes)
        return row["assessment_type"]

    return LedgerRules(
        types=types,
        assessments=_rules(source, "assessment.csv", ("assessment_type",), (), assessment),
        weights=_rules(source, "weights.csv", ("weight",), (), _weight(source)),
        limits=_rules(
            source, "sla.csv", ("stage", "amount", "unit"), ("condition",), _limit(source)
        ),
        calendar=_calendar(source, spec),
        regimes=tuple(_regimes(source, spec)),
        reminders=read_reminders(source, spec),
        stuck=read_stuck(source, spec),
    )


def _types(source: ProfileFolder, spec: Mapping[str, object]) -> Iterator[AssessmentType]:
    unique = Unique(source, "assessment type")
    for where, row in source.tables(spec, "assessment_types", ("code", "name")):
        code, name = source.text(where, row, "code"), source.text(where, row, "name")
        unique.add(where, code, name)
        yield AssessmentType(code, name, source.text(where, row, "name_en", name))


def _regimes(source: ProfileFolder, spec: Mapping[str, object]) -> Iterator[Regime]:
    for where, row in source.tables(spec, "regimes", ("name",)):
        name = source.text(where, row, "name")
        start, end = (_day(source, f"{where} {key}", row.get(key)) for key in _DATES)
        yield Regime(name, source.text(where, row, "name_en", name), start, end)


def _rules(
    source: ProfileFolder,
    file: str,
    needed: tuple[str, ...],
    allowed: tuple[str, ...],
    value: Callable[[str, dict[str, str]], V],
) -> tuple[Rule[V], ...]:
    """Read one dated table and report rules of one code that overlap."""
    if not (source.path / file).exists():
        return ()
    found: dict[tuple[str, ...], list[Rule[V]]] = {}
    for where, row in source.csv(file, ("code", *needed), (*allowed, *_DATES)):
        source.match(where, "code", row["code"], _CODE, "a subcategory code or its first part")
        start, end = (source.day(where, row.get(name)) for name in _DATES)
        if start and end and end <= start:
            source.fault(where, f"{start}..{end}", "valid_to is not after valid_from",
                         "days are half open: valid_to is the first day without it")  # fmt: skip
        key: tuple[str, ...] = (row["code"], row.get("stage", ""), row.get("condition", ""))
        found.setdefault(key, []).append(
            Rule(row["code"], start, end, value(where, row), row.get("status") == "sample")
        )
    for key, rules in found.items():
        _report_overlaps(source, file, key[0], rules)
    return tuple(rule for rules in found.values() for rule in rules)


def _report_overlaps(source: ProfileFolder, file: str, code: str, rules: Sequence[Rule[V]]) -> None:
    for one, next_one in pairwise(sorted(rules, key=lambda r: r.valid_from or date.min)):
        if one.valid_to is None or one.valid_to > (next_one.valid_from or date.min):
            source.fault(file, f"{code} from {next_one.valid_from or 'ever'}",
                         "overlaps the version before it",
                         "end that version with valid_to on the day this one begins")  # fmt: skip


def _weight(source: ProfileFolder) -> Callable[[str, dict[str, str]], Decimal]:
    def read(where: str, row: dict[str, str]) -> Decimal:
        return _positive(source, where, "weight", row["weight"])

    return read


def _limit(source: ProfileFolder) -> Callable[[str, dict[str, str]], Limit]:
    def read(where: str, row: dict[str, str]) -> Limit:
        source.one_of(where, "stage", row["stage"], LIMIT_STAGES)
        source.one_of(where, "unit", row["unit"], LIMIT_UNITS)
        amount = _positive(source, where, "amount", row["amount"])
        return Limit(row["stage"], row.get("condition", ""), amount, row["unit"])

    return read


def _positive(source: ProfileFolder, where: str, name: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(0)
    if not number.is_finite() or number <= 0 or number != round(number, 2):
        source.fault(where, text, f"{name} is no positive number of at most 2 decimals",
                     "correct the value")  # fmt: skip
        return Decimal(1)
    return number


def _calendar(source: ProfileFolder, spec: Mapping[str, object]) -> WorkCalendar | None:
    given = source.table(spec, "calendar")
    if not given:
        return None
    where = "city.toml [calendar]"
    years = given.get("years")
    if not isinstance(years, list) or not years or not all(isinstance(y, int) for y in years):
        source.fault(where, str(years), "years is no list of years", "write years = [2024, 2025]")
        return None
    for one, next_one in pairwise(sorted(years)):
        if next_one != one + 1:
            source.fault(where, f"{one}, {next_one}", "a gap between the years of the calendar",
                         "add the years between, and their holidays to calendar.csv")  # fmt: skip
    hours = tuple(_hours(source, where, source.texts(where, given, "hours")))
    if not hours:
        source.fault(where, "", "no working hours", 'write hours = ["09:00-12:00", "13:00-17:00"]')
    return WorkCalendar(tuple(sorted(years)), hours, _exceptions(source, years))


def _exceptions(source: ProfileFolder, years: list[int]) -> dict[date, str]:
    """Read the days that differ from the usual week."""
    days: dict[date, str] = {}
    if not (source.path / "calendar.csv").exists():
        return days
    for where, row in source.csv("calendar.csv", ("day", "kind"), ("name",)):
        source.one_of(where, "kind", row["kind"], ("holiday", "workday"))
        day = source.day(where, row["day"])
        if day is None:
            continue
        if day in days:
            source.fault(where, row["day"], "the day is listed twice", "keep one row")
        if day.year not in years:
            source.fault(where, row["day"], "the calendar does not cover this year",
                         "add the year to [calendar] years, with all its holidays")  # fmt: skip
        days[day] = row["kind"]
    return days


def _hours(
    source: ProfileFolder, where: str, texts: tuple[str, ...]
) -> Iterator[tuple[time, time]]:
    latest = time.min
    for text in texts:
        try:
            start, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
        except ValueError:
            source.fault(where, text, "no span of hours", 'write it as "09:00-12:00"')
            continue
        if not latest <= start < end:
            source.fault(where, text, "hours are not in order", "earliest span first")
        latest = end
        yield start, end


def _day(source: ProfileFolder, where: str, given: object) -> date | None:
    """Return a day of a TOML table, written as a date or as a text."""
    if isinstance(given, date):
        return given
    return source.day(where, None if given is None else str(given))
