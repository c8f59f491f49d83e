"""What a report says with little, no or odd data (月报内容)."""

import dataclasses
import re
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridgis.errors import DistrictNotFound
from gridgis.intake.profile import load_profile, shipped_profiles
from gridgis.model.figures import FACTS
from gridgis.model.report import Chart, Paragraph, RegionMap, ReportModel, Table
from gridgis.model.rules import AssessmentType, LedgerRules
from gridgis.report.build import build_leaders_brief, build_report
from gridgis.report.counts import Counts

TOY = Path(__file__).resolve().parents[1] / "data" / "toy"
BOSTON = Path(__file__).resolve().parents[1] / "data" / "boston"
TYPES = (AssessmentType("light", "轻", "Light"), AssessmentType("heavy", "重", "Heavy"))
CASE = {"region_key": "990901", "source": "wechat", "self_handled": False, "case_kind": "event",
        "subcategory_code": "S0201", "n": 100}  # fmt: skip
EMPTY = Counts.of({})


@pytest.fixture(scope="module")
def toy():
    """Return the toy city: English, two groups, no assessment types, weights or regimes."""
    return load_profile(TOY / "profile")


@pytest.fixture(scope="module")
def typed(toy):
    """Return the toy city with two assessment types."""
    return dataclasses.replace(toy, ledger=LedgerRules(types=TYPES))


@pytest.fixture(scope="module")
def kunming():
    """Return the shipped city."""
    return load_profile(shipped_profiles()["kunming"])


def blocks(model, kind):
    """Return all blocks of a kind."""
    return [b for section in model.sections for b in section.blocks if isinstance(b, kind)]


def block(model, key):
    """Return a block by its key."""
    return next(b for section in model.sections for b in section.blocks if b.key == key)


def text(model):
    """Return everything that is printed."""
    cells = [c.text for t in blocks(model, Table) for row in t.rows for c in row]
    titles = [b.title for b in blocks(model, Table | Chart | RegionMap)]
    return "\n".join([*(p.text for p in blocks(model, Paragraph)), *cells, *titles])


def random_counts(profile, rows, seed=1):
    """Return counts of so many rows a fact, with every region, class and type."""
    draw = np.random.default_rng(seed)
    values = {
        "region_key": [*(r.code for r in profile.regions), "unlocated", "cross_area", "other"],
        "source": [*(s.code for s in profile.sources), None],
        "tier": ["city", "district", None],
        "self_handled": [False, False, True],
        "case_kind": ["event", "component"],
        "subcategory_code": [c.code for c in profile.categories],
        "assessment_type": [*(t.code for t in profile.ledger.types), None],
        "place": [None],
        "level": ["city", "district", "street"],
    }
    tables = {}
    for name, fact in FACTS.items():
        pick = {d: draw.integers(0, len(values[d]), rows) for d in fact.dims}
        table = pd.DataFrame({d: np.array(values[d], dtype=object)[pick[d]] for d in fact.dims})
        part = draw.integers(0, 9, (rows, 5)) * 100
        on_time, due = part[:, 0], part[:, 0] + part[:, 1]
        known = {
            "due": due, "on_time": on_time, "overdue": due - on_time, "closed_due": on_time,
            "cumulative": due + part[:, 2], "closed": on_time, "carried_over": part[:, 2],
            "unclosed": due + part[:, 2] - on_time, "checked": due, "substandard": on_time,
            "responded": on_time, "disposed": on_time, "called": due, "satisfied": on_time,
        }  # fmt: skip
        tables[name] = table.assign(**{m: known.get(m, due) for m in fact.measures})
    return Counts(tables)


def test_an_empty_month_says_what_was_not_imported(toy):
    """No number is made up: no table, no rate, and a sentence per kind of record."""
    model = build_report(toy, EMPTY, month="2024-03")
    said = "\n".join(p.text for p in blocks(model, Paragraph))
    for what in ("cases", "dispatch tasks", "deadlines and closings", "quality checks", "whistles",
                 "hotline complaints"):  # fmt: skip
        assert f"No {what} of March 2024 have been imported" in said
    assert "%" not in said.replace("60%", "").replace("30%", "")
    assert {c.text for t in blocks(model, Table) for row in t.rows for c in row} == set()
    assert {figure.numerator for figure in model.figures.values()} == {0}


def test_an_empty_month_in_chinese(kunming):
    """The sentence names the month and what is missing."""
    assert "3月份未导入派遣任务数据，本项从略。" in text(
        build_report(kunming, EMPTY, month="2024-03")
    )


def test_a_month_of_one_case(toy):
    """One case is singular, and its region alone has any."""
    model = build_report(toy, Counts.of({"intake": [CASE]}), month="2024-03")
    assert block(model, "supervision.accepted").text == (
        "The city's platform accepted 1 case in March 2024. Other sources: Mobile app 1."
    )
    assert "only North Side has cases" in block(model, "supervision.volume").text
    assert model.texts["volume.990901.share"] == "100%"
    assert model.texts["volume.990902.share"] == "0.00%"
    assert model.texts["volume.9909Z1.share"] == "—"  # no case in its group


def test_a_city_without_types_and_weights_says_so(toy):
    """Closing is counted all together, one base case a case."""
    row = {"region_key": "990901", "due": 300, "on_time": 200, "overdue": 100, "cumulative": 400,
           "closed": 300, "unclosed": 100, "closed_due": 200, "carried_over": 100}  # fmt: skip
    model = build_report(toy, Counts.of({"closing": [row]}), month="2024-03")
    said = block(model, "closing.total").text
    assert "No assessment types have been imported" in said
    assert "a case counts as one base case" in said
    assert "closure rate 75.00%, on-time closure rate 66.67%" in said
    assert "By the definition of GB/T 30428.4" in said
    assert "the closure rate is 66.67% (2 of 3)" in said
    assert [t.key for t in blocks(model, Table) if t.key in ("unclosed", "tier.city")] == []


def closing_row(region, kind, due, on_time, tier="city"):
    """Return a closing row; what was not on time is open."""
    late = (due - on_time) * 100
    return {"region_key": region, "tier": tier, "assessment_type": kind, "due": due * 100,
            "on_time": on_time * 100, "overdue": late, "cumulative": due * 100,
            "closed": on_time * 100, "unclosed": late, "closed_due": on_time * 100,
            "carried_over": 0}  # fmt: skip


def test_a_region_without_denominator_is_named_and_not_compared(typed):
    """It has a dash, never 0 % or the lowest place."""
    rows = [closing_row("990901", "light", 10, 9), closing_row("9909Z1", "light", 10, 8)]
    model = build_report(typed, Counts.of({"closing": rows}), month="2024-03")
    said = block(model, "closing.regions").text
    assert "No cases were due in South Side; they are not compared." in said
    assert model.texts["closing.region.990902.closure_rate"] == "—"
    assert set(block(model, "map_closing").texts) == {"990901", "9909Z1"}


def test_cases_without_a_type_are_a_printed_rest(typed):
    """They are in no rate; sentence and note tell how many there are."""
    rows = [closing_row("990901", "light", 10, 9), closing_row("990901", None, 7, 0)]
    model = build_report(typed, Counts.of({"closing": rows}), month="2024-03")
    assert model.figures["closing.total.cumulative"].numerator == 10
    assert model.figures["closing.not_assessed.cumulative"].numerator == 7
    assert "Another 7 base cases have no assessment type" in block(model, "closing.total").text
    assert "7" in block(model, "closing_types").note


def test_types_with_different_lowest_rates_are_told_apart(typed):
    """Each rate has its own lowest type."""
    late = closing_row("990901", "light", 10, 5) | {"closed": 1000, "unclosed": 0}
    rows = [late, closing_row("990901", "heavy", 10, 8)]
    said = block(
        build_report(typed, Counts.of({"closing": rows}), month="2024-03"), "closing.total"
    )
    assert "lowest for Heavy (80.00%), the on-time closure rate for Light (50.00%)" in said.text


@pytest.mark.parametrize(("cases", "told"), [(9, False), (10, True)])
def test_few_cases_are_no_finding(typed, cases, told):
    """A rate of fewer than ten base cases blames nobody."""
    now = Counts.of({"closing": [closing_row("990901", "heavy", cases, 1)]})
    then = Counts.of({"closing": [closing_row("990901", "heavy", cases, cases)]})
    model = build_report(typed, now, month="2024-03", previous=then)
    found = "closure rate of city-tier cases of type Heavy in North Side fell and is below 60%"
    assert (found in block(model, "cases.bad.1").text) == told


def test_a_low_rate_that_rose_is_no_fall(typed):
    """Below 60 %, but better than in the month before."""
    now = Counts.of({"closing": [closing_row("990901", "heavy", 20, 11)]})
    then = Counts.of({"closing": [closing_row("990901", "heavy", 20, 10)]})
    model = build_report(typed, now, month="2024-03", previous=then)
    assert "fell" not in block(model, "cases.bad.1").text.replace("a fall below", "")


def test_restricted_classes_are_named_in_no_list(toy):
    """They count in a row of their own, and the totals keep them."""
    rows = [CASE, CASE | {"subcategory_code": "S0101", "n": 900}]
    task = {"region_key": "990901", "subcategory_code": "S0101", "due": 100, "on_time": 0,
            "overdue": 100}  # fmt: skip
    model = build_report(toy, Counts.of({"intake": rows, "tasks": [task]}), month="2024-03",
                         restricted=("S01",))  # fmt: skip
    table = block(model, "classes.event")
    assert [(row[0].text, row[1].text) for row in table.rows][-2:] == [
        ("Restricted classes", "9"), ("Total", "10"),
    ]  # fmt: skip
    assert not any("S0101" in key for key in model.figures)
    assert "Supervise" in text(model)


def test_restricted_cases_are_a_rest_of_their_own(kunming):
    """The store tells neither their region nor their class; totals and one row keep them."""
    hidden = CASE | {"region_key": "restricted", "subcategory_code": "restricted", "n": 300}
    rows = [CASE | {"region_key": "530102"}, hidden]
    model = build_report(kunming, Counts.of({"intake": rows}), month="2024-11")
    assert model.texts["volume.restricted"] == "3"
    assert "受限类3件" in block(model, "supervision.volume").text
    assert block(model, "classes.event").rows[-2][0].text == "受限类"
    assert {row[-1].text for row in block(model, "reconcile").rows} == {"0"}
    assert "4个类别" in block(model, "plan.restricted").text


def test_counts_without_rows_are_a_month_that_was_not_imported(kunming):
    """Nothing is compared with it, and the report says why."""
    model = build_report(kunming, EMPTY, month="2024-11", previous=EMPTY)
    assert block(model, "compare.previous").text == "未导入2024年10月的数据，环比从略。"


def test_an_unknown_region_counts_as_other(toy):
    """Regions and rest sum to the city, whatever the rows say."""
    rows = [CASE, CASE | {"region_key": "no-such"}, CASE | {"region_key": None}]
    model = build_report(toy, Counts.of({"intake": rows}), month="2024-03")
    assert model.figures["volume.other"].numerator == 2
    assert {row[-1].text for row in block(model, "reconcile").rows} == {"0"}


def test_a_region_is_shown_in_the_months_in_which_it_holds(toy):
    """One that ended before the month is left out, unless it still has cases."""
    ended = tuple(dataclasses.replace(r, valid_to=date(2024, 3, 1)) if r.code == "990902" else r
                  for r in toy.regions)  # fmt: skip
    city = dataclasses.replace(toy, regions=ended)
    counts = Counts.of({"intake": [CASE]})
    late = Counts.of({"intake": [CASE, CASE | {"region_key": "990902"}]})
    assert "volume.990902" in build_report(city, counts, month="2024-02").figures
    assert "volume.990902" not in build_report(city, counts, month="2024-03").figures
    assert "volume.990902" in build_report(city, late, month="2024-03").figures


def test_a_city_of_one_group_is_compared_as_a_whole():
    """Without several groups there is one block, and it names the two lowest."""
    boston = load_profile(BOSTON / "profile")
    codes = [region.code for region in boston.regions[:4]]
    rows = [{"region_key": code, "due": 1000, "on_time": n * 100, "overdue": 1000 - n * 100}
            for n, code in enumerate(codes, 5)]  # fmt: skip
    model = build_report(boston, Counts.of({"tasks": rows}), month="2015-03")
    said = block(model, "dispatch.block1").text
    names = [region.name_en or region.name for region in boston.regions[:4]]
    assert said.index(names[3]) < said.index(names[0]) < said.index(names[1])
    assert names[2] not in said


def test_sample_rules_and_synthetic_data_are_labelled(kunming):
    """Both are said before anything else."""
    given = {"synthetic": True, "sample_rules": True}
    model = build_report(kunming, EMPTY, month="2024-11", **given)
    assert "样例数据" in model.sections[0].blocks[0].text
    assert "合成数据" in model.sections[0].blocks[0].text
    assert (model.synthetic, model.notice) == (True, "合成数据 / synthetic data")
    assert build_report(kunming, EMPTY, month="2024-11").notice == ""


def test_days_become_a_chart_with_the_break(kunming):
    """Cases by day are drawn where they are given, and the regime's first day breaks the line."""
    days = [(date(2024, 10, 31), 5), (date(2024, 11, 1), 7), (date(2024, 11, 2), 6)]
    chart = block(build_report(kunming, EMPTY, month="2024-11", days=days), "days_chart")
    assert (chart.labels, chart.break_after) == (("10-31", "11-1", "11-2"), 1)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_sentence_is_whole_in_both_languages(kunming, language):
    """With all data there is no gap, placeholder or half sentence in report and briefs."""
    city = dataclasses.replace(kunming, language=language)
    now, then = random_counts(city, 2000), random_counts(city, 2000, seed=2)
    given = {"month": "2024-11", "previous": then, "year_ago": then, "synthetic": True,
             "sample_rules": True, "restricted": ("S06",), "places": [("P", "S", 3)]}  # fmt: skip
    models = [build_report(city, now, **given), build_leaders_brief(city, now, **given),
              build_report(city, now, region="530111", **given)]  # fmt: skip
    for model in models:
        assert not re.search(r"[{}]|None|nan|，，|。。|  |\( |, ,", text(model))
        for paragraph in blocks(model, Paragraph):
            if paragraph.key not in ("cases.good", "cases.bad"):
                assert paragraph.text[-1] in "。：.", paragraph.text
        if language == "en":
            assert not re.search(r"[\u4e00-\u9fff]", without_names(text(model), city))


def without_names(printed, city):
    """Return a text without the catalogue's names, which have no English ones."""
    names = {name for c in city.categories for name in (c.name, c.parent_name)}
    pattern = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.sub(pattern, "", printed)


def test_a_model_survives_json(kunming):
    """The stored report is the report."""
    model = build_report(kunming, random_counts(kunming, 300), month="2024-11")
    assert ReportModel.from_dict(model.to_dict()) == model


def test_keys_of_blocks_are_unique(kunming):
    """An analyst's text finds its paragraph by its key."""
    counts = random_counts(kunming, 300)
    model = build_report(kunming, counts, month="2024-11", previous=counts, year_ago=counts)
    keys = [b.key for b in blocks(model, Paragraph | Table | Chart | RegionMap)]
    assert len(keys) == len(set(keys))


def test_every_named_figure_is_there(kunming):
    """No sentence or cell names a figure that the model does not hold."""
    counts = random_counts(kunming, 300)
    for region in (None, "530111"):
        model = build_report(kunming, counts, month="2024-11", previous=counts, region=region)
        named = {key for p in blocks(model, Paragraph) for key in p.figures}
        named |= {c.figure for t in blocks(model, Table) for row in t.rows for c in row if c.figure}
        assert named <= set(model.figures)


def test_a_district_brief_stands_beside_group_and_city(kunming):
    """Its table has three columns of figures, and its list waits for rows."""
    counts = random_counts(kunming, 300)
    brief = build_report(kunming, counts, month="2024-11", region="5301Z3")
    city = build_report(kunming, counts, month="2024-11")
    assert brief.region == "5301Z3"
    assert brief.texts.items() <= city.texts.items()
    assert [cell.figure for cell in block(brief, "brief").rows[0][1:]] == [
        "volume.5301Z3", "volume.group.zones", "volume.total",
    ]  # fmt: skip
    assert block(brief, "rectification").rows == ()


def test_an_unknown_region_has_no_brief(toy):
    """The error names the regions that there are."""
    with pytest.raises(DistrictNotFound, match="990901"):
        build_report(toy, EMPTY, month="2024-03", region="999999")


def test_a_large_month_is_made_quickly(kunming):
    """30,000 combinations of dimensions with two months beside them take seconds, not minutes."""
    counts = random_counts(kunming, 30_000)
    start = time.process_time()
    build_report(kunming, counts, month="2024-11", previous=counts, year_ago=counts)
    assert time.process_time() - start < 4
