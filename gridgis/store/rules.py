"""The dated rules of the ledger as tables (台账规则入库)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, table

from gridgis.store.engine import query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from gridgis.model.profile import CityProfile
    from gridgis.model.rules import WorkCalendar

_TABLES = (
    "assessment_type",
    "subcategory_rule",
    "stage_limit",
    "work_span",
    "regime",
    "reminder",
    "stuck_limit",
)


def save_rules(tx: Connection, profile: CityProfile) -> None:
    """Write types, weights, limits, calendar, regimes and reminders in place of those before."""
    for name in _TABLES:
        tx.execute(delete(table(name, schema="core")))
    rules = profile.ledger
    _insert(tx, "save_assessment_type", [
        {"assessment_type": kind.code, "position": position, "name": kind.name,
         "name_en": kind.name_en}
        for position, kind in enumerate(rules.types)
    ])  # fmt: skip
    _insert(tx, "save_subcategory_rule", [
        {"subcategory_code": span.subcategory_code, **_days(span.valid_from, span.valid_to),
         "assessment_type": span.assessment_type, "base_weight": span.base_weight}
        for span in rules.spans(category.code for category in profile.categories)
    ])  # fmt: skip
    _insert(tx, "save_stage_limit", [
        {"code": rule.code, **_days(rule.valid_from, rule.valid_to), "stage": rule.value.stage,
         "condition": rule.value.condition, "amount": rule.value.amount, "unit": rule.value.unit}
        for rule in rules.limits
    ])  # fmt: skip
    if rules.calendar is not None:
        _insert(tx, "save_work_span", list(_spans(rules.calendar, profile.time_zone)))
    _insert(tx, "save_regime", [
        {"position": position, "name": regime.name, "name_en": regime.name_en,
         **_days(regime.valid_from, regime.valid_to)}
        for position, regime in enumerate(rules.regimes)
    ])  # fmt: skip
    _insert(tx, "save_reminder", [
        {"stage": reminder.stage, "level": reminder.level, "name": reminder.name,
         "name_en": reminder.name_en, "hours": reminder.hours, "sample": reminder.sample}
        for reminder in rules.reminders
    ])  # fmt: skip
    _insert(tx, "save_stuck_limit", [
        {"hand_backs": rules.stuck.hand_backs, "unowned_hours": rules.stuck.unowned_hours,
         "sample": rules.stuck.sample}
    ])  # fmt: skip


def _spans(calendar: WorkCalendar, time_zone: str) -> Iterator[dict[str, object]]:
    before, day_s = 0, int(calendar.day_hours * 3600)
    for start, end in calendar.spans(time_zone):
        yield {"starts_at": start, "ends_at": end, "before_s": before, "day_s": day_s}
        before += int((end - start).total_seconds())


def _days(start: date | None, end: date | None) -> dict[str, str]:
    return {"valid_from": str(start or "-infinity"), "valid_to": str(end or "infinity")}


def _insert(tx: Connection, name: str, rows: list[dict[str, object]]) -> None:
    if rows:
        tx.execute(query("city", name), rows)
