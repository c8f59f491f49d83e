"""Superlatives keep ties (排序与并列)."""

from decimal import Decimal

from gridgis.model.figures import Figure, sliced
from gridgis.report.ranks import ranked, top
from gridgis.report.scope import Area

DUE, ON_TIME = sliced("tasks", "due"), sliced("tasks", "on_time")


def rates(**given):
    """Return areas with an on-time rate each, from `name=(on_time, due)`."""
    return [
        (Area(name, name, "region"), Figure(name, "", "", Decimal(a), ON_TIME, Decimal(b), DUE))
        for name, (a, b) in given.items()
    ]


def names(placed):
    """Return the keys of placed areas."""
    return [area.key for area, _ in placed]


def test_equal_rates_share_a_place():
    """1/3 and 2/6 are one rate, in the order of the report; 100 % ties are all highest."""
    ranking = ranked(rates(a=(1, 3), b=(9, 9), c=(2, 6), d=(4, 4)))
    assert (names(ranking.highest), names(ranking.lowest)) == (["b", "d"], ["a", "c"])


def test_a_rate_without_denominator_is_left_out():
    """A region without tasks due is neither best nor worst, but named apart."""
    ranking = ranked(rates(a=(0, 0), b=(1, 2), c=(0, 5)))
    assert (names(ranking.highest), names(ranking.lowest)) == (["b"], ["c"])
    assert names(ranking.without) == ["a"]
    assert ranking.rank(Area("a", "a", "region")) is None


def test_lower_ones_come_lowest_first():
    """The two lowest are named from the bottom, with whoever ties with the second."""
    ranking = ranked(rates(a=(9, 10), b=(5, 10), c=(7, 10), d=(7, 10), e=(8, 10)))
    assert names(ranking.lower(2)) == ["b", "c", "d"]


def test_the_highest_is_never_among_the_lower_ones():
    """Of two areas one is lower; of equal ones none is."""
    assert names(ranked(rates(a=(1, 2), b=(1, 3))).lower(2)) == ["b"]
    assert ranked(rates(a=(1, 2), b=(2, 4))).lower(2) == ()
    assert ranked(rates(a=(1, 2), b=(2, 4))).is_level


def test_ties_share_a_rank():
    """After two first places comes the third."""
    ranking = ranked(rates(a=(1, 2), b=(2, 4), c=(1, 4)))
    assert [ranking.rank(area) for area, _ in rates(a=(0, 0), b=(0, 0), c=(0, 0))] == [1, 1, 3]


def test_nothing_to_rank():
    """An empty month has no superlatives."""
    ranking = ranked([])
    assert (ranking.highest, ranking.lowest, ranking.lower(2), ranking.is_level) == (
        (), (), (), False,
    )  # fmt: skip


def test_top_breaks_ties_by_code():
    """Equal counts are listed by code, and zero is no member."""
    counted = {"S02": Decimal(3), "S01": Decimal(3), "S03": Decimal(9), "S04": Decimal(0)}
    assert top(counted, 2) == ["S03", "S01"]
    assert top(counted, 9) == ["S03", "S01", "S02"]
