"""What the ledger of a demo must sum to: `[ledger]` of `demo.toml` (台账目标)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

from gridgis.errors import ProfileInvalid
from gridgis.model.ledger import WHISTLE_LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from typing import Any

    from gridgis.model.profile import CityProfile

T = TypeVar("T")
PERCENT = 100
UNLOCATED, CROSS_AREA = "unlocated", "cross_area"


@dataclass(frozen=True, slots=True)
class TypeTarget:
    """Base cases of one assessment type in the last month (考核类型目标)."""

    on_time: int
    due: int
    closed: int
    cumulative: int

    @property
    def overdue(self) -> int:
        """Due, and not closed in time."""
        return self.due - self.on_time

    @property
    def unclosed(self) -> int:
        """Still open at the end of the month."""
        return self.cumulative - self.closed

    @property
    def carried(self) -> int:
        """Due in the month before, and open at its end."""
        return self.cumulative - self.due


@dataclass(frozen=True, slots=True)
class CellTarget:
    """Base cases of one type in one region; None is left to chance."""

    region: str
    type: str
    unclosed: int | None = None
    overdue: int | None = None
    overdue_percent: int | None = None
    """Overdue as a whole percentage of what is due."""
    carried: int | None = None
    carried_open: int = 0
    """Of those carried over, the ones still open at the end of the last month."""


@dataclass(frozen=True, slots=True)
class RegionTarget:
    """Base cases of all types in one region; None is left to chance."""

    region: str
    unclosed: int | None = None
    closure_percent: str | None = None
    """As printed, with two decimals."""
    cumulative: int | None = None
    carried: int | None = None
    carried_open: int = 0


@dataclass(frozen=True, slots=True)
class TierTarget:
    """The closure rate of a tier in a cell fell from above one percentage to below another."""

    region: str
    type: str
    tier: str
    below: int
    before_above: int


@dataclass(frozen=True, slots=True)
class GapTarget:
    """The closure rate of a type lies some points below that of a tier's other types."""

    region: str
    type: str
    tier: str
    points: int
    others_unclosed: int
    """Percentage of the other types that is not closed."""

    @property
    def others(self) -> Fraction:
        """Share of the other types that is not closed."""
        return Fraction(self.others_unclosed, PERCENT)

    @property
    def own(self) -> Fraction:
        """Share of the type that is not closed."""
        return Fraction(self.others_unclosed + self.points, PERCENT)


@dataclass(frozen=True, slots=True)
class TaskTarget:
    """Dispatch tasks of a region in the last month (派遣任务目标)."""

    due: int
    on_time: int
    overdue: dict[str, int] = field(default_factory=dict)
    """Overdue tasks of the subcategories that have the most."""


@dataclass(frozen=True, slots=True)
class ResponseTarget:
    """First complaints of a place whose response is due in the last month (接诉即办目标)."""

    due: int
    responded: int | None = None
    all_disposed: bool = False
    satisfied_percent: int | None = None
    """Of those called back; their number is chosen so that it comes out whole."""
    called: int | None = None


@dataclass(frozen=True, slots=True)
class CheckTarget:
    """Substandard cases of the last month, and the region with the best quality (抽查)."""

    substandard: int
    best: str
    share: float
    """Of the closed cases that are checked."""


@dataclass(frozen=True, slots=True)
class WhistleTarget:
    """One whistle, as it stands in the file (吹哨)."""

    number: str
    level: str
    region: str
    blown_at: datetime
    title: str
    participants: str
    cases: int = 0
    """Number of cases of the region that it is about."""
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TrackShares:
    """How often a case leaves the plain way, of all cases (旁支环节)."""

    void: float
    act_first: float
    hand_back: float
    rework: float
    reopened: float
    extended: float
    suspended: float


@dataclass(frozen=True, slots=True)
class DispatchRates:
    """On-time dispatch of places without a target: lowest and highest rate."""

    last: dict[str, tuple[float, float]]
    """By group, in the last month."""
    before: tuple[float, float]
    """Of every place in the month before."""


@dataclass(frozen=True, slots=True)
class LedgerTargets:
    """All targets of the ledger (台账目标)."""

    exported: datetime
    """When the platform wrote the files: nothing after it is in them."""
    types: dict[str, TypeTarget]
    cells: tuple[CellTarget, ...]
    regions: tuple[RegionTarget, ...]
    tiers: tuple[TierTarget, ...]
    gaps: tuple[GapTarget, ...]
    tasks: dict[str, TaskTarget]
    dispatch: DispatchRates
    responses: dict[str, ResponseTarget]
    checks: CheckTarget
    key_cases: dict[str, int]
    """Key cases closed in the last month, by region."""
    whistles: tuple[WhistleTarget, ...]
    tracks: TrackShares
    late_before: float
    """Share of the month before that was closed late, but in that month."""


def read_targets(given: Mapping[str, Any], profile: CityProfile) -> LedgerTargets:
    """
    Read `[ledger]` and check that its targets can be met together.

    Raises
    ------
    ProfileInvalid
        Naming what is missing or contradicts.
    """
    dispatch = _part(given, "dispatch")
    targets = LedgerTargets(
        exported=_part(given, "exported"),
        types=_named(TypeTarget, given, "types"),
        cells=_listed(CellTarget, given, "cells"),
        regions=_listed(RegionTarget, given, "regions"),
        tiers=_listed(TierTarget, given, "tiers"),
        gaps=_listed(GapTarget, given, "gaps"),
        tasks=_named(TaskTarget, given, "tasks"),
        dispatch=DispatchRates(
            {group: (low, high) for group, (low, high) in _part(dispatch, "last").items()},
            tuple(_part(dispatch, "before")),
        ),
        responses=_named(ResponseTarget, given, "responses"),
        checks=_made(CheckTarget, "checks", _part(given, "checks")),
        key_cases=_part(given, "key_cases"),
        whistles=_listed(WhistleTarget, given, "whistles"),
        tracks=_made(TrackShares, "tracks", _part(given, "tracks")),
        late_before=_part(given, "late_before"),
    )
    faults = [*_strange(targets, profile), *_contradictions(targets)]
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise ProfileInvalid(f"demo.toml [ledger] has {len(faults)} fault(s):\n{listed}")
    return targets


def _part(given: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - TOML holds any value
    if name not in given:
        raise ProfileInvalid(f"demo.toml [ledger]: {name} is missing: a demo ledger needs it")
    return given[name]


def _made(kind: type[T], where: str, part: Mapping[str, Any]) -> T:
    try:
        return kind(**part)
    except TypeError as error:
        reason = str(error).removeprefix(f"{kind.__name__}.__init__() ")
        raise ProfileInvalid(f"demo.toml [ledger] {where}: {reason}") from error


def _listed(kind: type[T], given: Mapping[str, Any], name: str) -> tuple[T, ...]:
    return tuple(_made(kind, name, part) for part in given.get(name, ()))


def _named(kind: type[T], given: Mapping[str, Any], name: str) -> dict[str, T]:
    return {code: _made(kind, f"{name}.{code}", part) for code, part in _part(given, name).items()}


def _strange(targets: LedgerTargets, profile: CityProfile) -> Iterator[str]:
    """Yield codes that the profile does not know, and those that are missing."""
    regions = {region.code for region in profile.regions}
    known = {
        "region": regions,
        "place": {*regions, UNLOCATED, CROSS_AREA},
        "assessment type": {kind.code for kind in profile.ledger.types},
        "tier": {source.tier for source in profile.sources},
        "level": set(WHISTLE_LEVELS),
        "group": {group.code for group in profile.groups},
        "subcategory": {category.code for category in profile.categories},
    }
    tiered: tuple[TierTarget | GapTarget, ...] = (*targets.tiers, *targets.gaps)
    typed: tuple[CellTarget | TierTarget | GapTarget, ...] = (*targets.cells, *tiered)
    named: list[tuple[str, Iterable[str]]] = [
        ("assessment type", [*targets.types, *(t.type for t in typed)]),
        ("region", [*targets.tasks, *targets.key_cases, targets.checks.best]),
        ("region", [*(t.region for t in typed), *(t.region for t in targets.regions)]),
        ("region", [whistle.region for whistle in targets.whistles]),
        ("place", targets.responses),
        ("tier", [t.tier for t in tiered]),
        ("level", [whistle.level for whistle in targets.whistles]),
        ("group", targets.dispatch.last),
        ("subcategory", [code for task in targets.tasks.values() for code in task.overdue]),
    ]
    for kind, codes in named:
        for code in dict.fromkeys(codes):
            if code not in known[kind]:
                yield f"{code}: the profile has no such {kind}"
    for kind, table, codes in (("assessment type", "types", targets.types),
                               ("group", "dispatch.last", targets.dispatch.last),
                               ("place", "responses", targets.responses)):  # fmt: skip
        yield from (f"{table}: {code} is missing" for code in sorted(known[kind] - set(codes)))


def _contradictions(targets: LedgerTargets) -> Iterator[str]:
    """Yield targets that no ledger meets together."""
    for code, own in targets.types.items():
        yield from _type_faults(targets, code, own)
    parts: tuple[CellTarget | RegionTarget, ...] = (*targets.cells, *targets.regions)
    for part in parts:
        if part.carried_open > min(part.carried or 0, part.unclosed or 0):
            yield f"{part.region}: carried_open is more than carried or unclosed"
    for cell in targets.cells:
        if cell.overdue is not None and (cell.unclosed or 0) - cell.carried_open > cell.overdue:
            yield f"{cell.region} {cell.type}: more unclosed than overdue and carried over"
    for code, task in targets.tasks.items():
        if task.on_time + sum(task.overdue.values()) > task.due:
            yield f"tasks.{code}: on time and overdue are more than due"
    for code, response in targets.responses.items():
        if max(response.responded or 0, response.called or 0) > response.due:
            yield f"responses.{code}: more responded or called than due"


def _type_faults(targets: LedgerTargets, code: str, own: TypeTarget) -> Iterator[str]:
    if not (own.on_time <= min(own.due, own.closed)
            and max(own.due, own.closed) <= own.cumulative):  # fmt: skip
        yield f"types.{code}: on_time ≤ due ≤ cumulative and on_time ≤ closed ≤ cumulative"
    if own.unclosed > own.carried + own.overdue:
        yield f"types.{code}: more unclosed than overdue and carried over"
    for name in ("unclosed", "overdue", "carried"):
        told, most = _cells_sum(targets, code, name), getattr(own, name)
        if told > most:
            yield f"cells of {code}: {name} sums to {told:,}, the type has {most:,}"


def _cells_sum(targets: LedgerTargets, code: str, name: str) -> int:
    return sum(getattr(cell, name) or 0 for cell in targets.cells if cell.type == code)
