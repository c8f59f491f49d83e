"""
Every figure of a month, from its counts (指标).

Keys are stable: a part of the report, then an area, type or class, then the measure, such as
`volume.530102`, `closing.hazard.closure_rate` or `closing.region.5301Z3.hazard.unclosed`. The
`total` of a part is the city; regions and the rest (`unlocated`, `cross_area`, `other`) sum to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gridgis.model.figures import FACTS, Figure, sliced
from gridgis.report.ranks import top

if TYPE_CHECKING:
    from gridgis.model.figures import Slice
    from gridgis.report.cube import Cube
    from gridgis.report.scope import Area, Named, Scope
    from gridgis.report.wording import Words

TOP = 5
"""How many subcategories a list of the worst names."""
TOP_CLASSES = 10
WHOLE_PERCENT = frozenset({"overdue_rate"})
CLOSING_COUNTS = FACTS["closing"].measures
TYPE_COUNTS = ("unclosed", "overdue")
CLOSING_RATES = {
    "closure_rate": ("closed", "cumulative"),
    "on_time_closure_rate": ("on_time", "due"),
    "closure_rate_std": ("closed_due", "due"),
    "overdue_rate": ("overdue", "due"),
}
RESPONSE_RATES = {
    "responded": ("response_rate", "due"),
    "disposed": ("disposal_rate", "due"),
    "satisfied": ("satisfaction_rate", "called"),
}


Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the figures of one month."""

    cube: Cube
    scope: Scope
    words: Words
    figures: dict[str, Figure] = field(default_factory=dict)

    def count(self, key: str, family: str, over: Slice, names: Names) -> None:
        """Add a count; `names` fill its label and definition."""
        label, definition = self.words.label(family, **names), self.words.definition(family)
        self.figures[key] = Figure(key, label, definition, self.cube.sum(over), over)

    def rate(
        self, key: str, family: str, of: tuple[Slice, Slice], names: Names, *, digits: int = 2
    ) -> None:
        """Add a rate of two slices of one fact."""
        label, definition = self.words.label(family, **names), self.words.definition(family)
        over, whole = of
        parts = (self.cube.sum(over), over, self.cube.sum(whole), whole)
        self.figures[key] = Figure(key, label, definition, *parts, digits)


def figures_of(cube: Cube, scope: Scope, words: Words) -> dict[str, Figure]:
    """
    Return every figure of a month by its key (全部指标).

    Returns
    -------
    dict
        In the order of the report; figures of facts without rows are there, as 0 and without rate.
    """
    make = Maker(cube, scope, words)
    _intake(make)
    _volume(make)
    _classes(make)
    for area in scope.areas:
        _dispatch(make, area)
    _closing(make)
    for area in scope.areas:
        _closing_of(make, area)
        _tiers(make, area)
    for area in scope.areas:
        _quality(make, area)
        _special(make, area)
    return make.figures


def closing_key(area: Area) -> str:
    """Return the first part of the keys of an area's closing figures."""
    return f"closing.{'region.' if area.kind in ('region', 'rest') else ''}{area.key}"


def _intake(make: Maker) -> None:
    accepted = sliced("intake", "n", self_handled=False)
    make.count("intake.accepted", "accepted", accepted, {})
    make.count("intake.self_handled", "self_handled", sliced("intake", "n", self_handled=True), {})
    known = [source.code for source in make.scope.sources]
    found = make.cube.values("intake", "source")
    unknown = tuple(value for value in found if value not in known) or (None,)
    sources: list[tuple[str, str, tuple[object, ...]]] = [
        *((f"source.{s.code}", s.name, (s.code,)) for s in make.scope.sources),
        ("source.none", make.words.word("no_source"), unknown),
    ]
    for key, name, values in sources:
        over = sliced("intake", "n", self_handled=False, source=values)
        make.count(f"intake.{key}", "source", over, {"source": name})
        make.rate(f"intake.{key}.share", "source_share", (over, accepted), {"source": name})


def _volume(make: Maker) -> None:
    for area in make.scope.areas:
        key, over = f"volume.{area.key}", sliced("intake", "n", **area.where)
        make.count(key, "volume", over, {"area": area.name})
        for part, flag in (("accepted", False), ("self_handled", True)):
            some = sliced("intake", "n", self_handled=flag, **area.where)
            make.count(f"{key}.{part}", f"volume_{part}", some, {"area": area.name})
        whole = make.scope.group_of(area) if area.kind == "region" else make.scope.city
        of = sliced("intake", "n", **whole.where)
        names = {"area": area.name, "base": whole.name}
        make.rate(f"{key}.share", "volume_share", (over, of), names)


def _classes(make: Maker) -> None:
    scope, everything = make.scope, sliced("intake", "n")
    known = {kind.code for kind in scope.kinds}
    none = tuple(v for v in make.cube.values("intake", "case_kind") if v not in known) or (None,)
    slice_none = sliced("intake", "n", case_kind=none)
    make.count("class.none", "kind", slice_none, {"kind": make.words.word("no_kind")})
    for kind in scope.kinds:
        whole = sliced("intake", "n", case_kind=kind.code)
        make.count(f"class.{kind.code}", "kind", whole, {"kind": kind.name})
        for code, values in _class_rows(make, kind).items():
            over = sliced("intake", "n", case_kind=kind.code, subcategory_code=values)
            names = {"kind": kind.name, "subcategory": class_name(make.scope, make.words, code)}
            key = f"class.{kind.code}.{code}"
            make.count(f"{key}.n", "kind_count", over, names)
            make.rate(key, "kind_share", (over, whole), names)
            make.rate(f"{key}.of_all", "all_share", (over, everything), names)


def class_name(scope: Scope, words: Words, code: str) -> str:
    """Return the name of a row of a table of classes: a subcategory, or a rest."""
    rests = {"rest": "other_subcategories", "restricted": "restricted"}
    return words.word(rests[code]) if code in rests else scope.subcategory(code)


def _class_rows(make: Maker, kind: Named) -> dict[str, tuple[object, ...]]:
    """Return the subcategories that occur most, then the others and the restricted ones."""
    codes = make.cube.values("intake", "subcategory_code")
    counted = {
        code: make.cube.sum(sliced("intake", "n", case_kind=kind.code, subcategory_code=(code,)))
        for code in codes
    }
    restricted = tuple(c for c in codes if c is not None and make.scope.is_restricted(str(c)))
    named = {str(c): n for c, n in counted.items() if c is not None and c not in restricted}
    best = top(named, TOP_CLASSES)
    rest = tuple(c for c in codes if c not in best and c not in restricted)
    rows: dict[str, tuple[object, ...]] = {code: (code,) for code in best}
    if any(counted[code] for code in rest):
        rows["rest"] = rest
    if restricted:
        rows["restricted"] = restricted
    return rows


def _dispatch(make: Maker, area: Area) -> None:
    key, names = f"dispatch.{area.key}", {"area": area.name}
    slices = {name: sliced("tasks", name, **area.where) for name in ("due", "on_time", "overdue")}
    for name, over in slices.items():
        make.count(f"{key}.{name}", f"tasks_{name}", over, names)
    make.rate(key, "dispatch_rate", (slices["on_time"], slices["due"]), names)
    for code in _worst(make, "tasks", "overdue", area):
        over = sliced("tasks", "overdue", subcategory_code=code, **area.where)
        named = {**names, "subcategory": make.scope.subcategory(code)}
        make.count(f"{key}.overdue.{code}", "tasks_overdue_of", over, named)


def _worst(make: Maker, fact: str, measure: str, area: Area) -> list[str]:
    """Return the subcategories that have most of a measure in an area."""
    counted = {
        str(code): make.cube.sum(sliced(fact, measure, subcategory_code=code, **area.where))
        for code in make.cube.values(fact, "subcategory_code")
        if code is not None and not make.scope.is_restricted(str(code))
    }
    return top(counted, TOP)


def _closing(make: Maker) -> None:
    """Add the closing figures of each type, and of cases that have none."""
    rows: list[tuple[str, str, tuple[object, ...]]] = [
        (kind.code, kind.name, (kind.code,)) for kind in make.scope.types
    ]
    if rows:
        known = {code for code, _, _ in rows}
        found = make.cube.values("closing", "assessment_type")
        none = tuple(value for value in found if value not in known) or (None,)
        rows.append(("not_assessed", make.words.word("not_assessed"), none))
    for code, name, values in rows:
        names = {"area": make.scope.city.name, "type": name}
        where: dict[str, object] = {"assessment_type": values}
        _counts(make, f"closing.{code}", CLOSING_COUNTS, where, names)
        _rates(make, f"closing.{code}", where, names)


def _closing_of(make: Maker, area: Area) -> None:
    """Add the closing figures of an area, over all types and by type."""
    key, names = closing_key(area), {"area": area.name, "type": make.words.word("of_all_types")}
    where = {**make.scope.assessed, **area.where}
    _counts(make, key, CLOSING_COUNTS, where, names)
    _rates(make, key, where, names)
    if area.kind == "city":
        return
    for kind in make.scope.types:
        typed = {**area.where, "assessment_type": kind.code}
        named = {**names, "type": kind.name}
        _counts(make, f"{key}.{kind.code}", TYPE_COUNTS, typed, named)
        _rates(make, f"{key}.{kind.code}", typed, named)
    for code in _worst(make, "closing", "unclosed", area) if area.kind == "region" else ():
        over = sliced("closing", "unclosed", **where, subcategory_code=code)
        named = {"area": area.name, "subcategory": make.scope.subcategory(code)}
        make.count(f"{key}.unclosed.{code}", "unclosed_of", over, named)


def _counts(
    make: Maker, key: str, measures: tuple[str, ...], where: dict[str, object], names: Names
) -> None:
    for measure in measures:
        make.count(f"{key}.{measure}", measure, sliced("closing", measure, **where), names)


def _rates(make: Maker, key: str, where: dict[str, object], names: Names) -> None:
    for name, (part, whole) in CLOSING_RATES.items():
        of = sliced("closing", part, **where), sliced("closing", whole, **where)
        make.rate(f"{key}.{name}", name, of, names, digits=0 if name in WHOLE_PERCENT else 2)


def _tiers(make: Maker, area: Area) -> None:
    """Add closure rates by tier and type, and of the other types beside each."""
    scope = make.scope
    codes = tuple(kind.code for kind in scope.types)
    for tier in scope.tiers:
        key = f"closing.tier.{tier.code}.{area.key}"
        where = {**area.where, "tier": tier.code}
        names = {"area": area.name, "tier": tier.name, "type": make.words.word("of_all_types")}
        _tier_rate(make, key, {**scope.assessed, **where}, names)
        for kind in scope.types:
            names = {**names, "type": kind.name}
            others = tuple(code for code in codes if code != kind.code) or ("",)
            _tier_rate(make, f"{key}.{kind.code}", {**where, "assessment_type": kind.code}, names)
            _tier_rate(make, f"{key}.not_{kind.code}", {**where, "assessment_type": others}, names,
                       family="tier_others_closure_rate")  # fmt: skip


def _tier_rate(
    make: Maker,
    key: str,
    where: dict[str, object],
    names: Names,
    *,
    family: str = "tier_closure_rate",
) -> None:
    of = sliced("closing", "closed", **where), sliced("closing", "cumulative", **where)
    make.rate(f"{key}.closure_rate", family, of, names)


def _quality(make: Maker, area: Area) -> None:
    key, names = f"quality.{area.key}", {"area": area.name}
    slices = {name: sliced("checks", name, **area.where) for name in ("checked", "substandard")}
    for name, over in slices.items():
        make.count(f"{key}.{name}", name, over, names)
    make.rate(key, "substandard_rate", (slices["substandard"], slices["checked"]), names)


def _special(make: Maker, area: Area) -> None:
    """Add whistles, hotline figures, complaints and key cases of an area."""
    where, names = area.where, {"area": area.name}
    make.count(f"whistle.{area.key}", "whistles", sliced("whistles", "n", **where), names)
    for level in make.scope.levels:
        over = sliced("whistles", "n", **where, level=level.code)
        key = "whistle.level" if area.kind == "city" else f"whistle.{area.key}"
        make.count(f"{key}.{level.code}", "whistles_level", over, {**names, "level": level.name})
    key = f"response.{area.key}"
    make.count(f"{key}.due", "response_due", sliced("response", "due", **where), names)
    make.count(f"{key}.called", "called", sliced("response", "called", **where), names)
    for part, (family, whole) in RESPONSE_RATES.items():
        of = sliced("response", part, **where), sliced("response", whole, **where)
        make.rate(f"{key}.{part}", family, of, names, digits=0)
    complained = sliced("complaints", "n", **where)
    make.count(f"complaints.{area.key}", "complaints", complained, names)
    resolved = sliced("key_cases", "resolved", **where)
    make.count(f"key_cases.{area.key}", "key_cases", resolved, names)
