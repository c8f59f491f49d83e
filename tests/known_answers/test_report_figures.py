"""
The report of November 2024 to the printed digit, from counts made by hand (月报的已知答案).

`tests/data/report_2024_11.json` holds what the city's public report prints. The counts below carry
those margins and fill what it does not print; the report code knows none of them.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

from gridgis.intake.profile import load_profile, shipped_profiles
from gridgis.report.build import build_leaders_brief, build_report
from gridgis.report.counts import Counts

DATA = Path(__file__).parents[1] / "data"
KNOWN = json.loads((DATA / "report_2024_11.json").read_text(encoding="utf-8"))
HUNDRED = 100

VOLUMES = {
    "530102": 37664, "530103": 19473, "530111": 30412, "530112": 33126, "530114": 21710,
    "5301Z1": 11539, "5301Z2": 4137, "5301Z3": 2112, "530113": 431, "530115": 468,
    "530181": 497, "530124": 405, "530125": 363, "530126": 394, "530127": 452, "530128": 401,
    "530129": 512, "5301Z4": 446, "5301Z5": 407, "unlocated": 19800, "cross_area": 2621,
}  # fmt: skip
SOURCES = {"city_supervisor": 64452, "district_supervisor": 96955, "hotline_12345": 3207,
           "wechat": 1905, "other": 76, None: 20775}  # fmt: skip
CLASSES = {
    # 133,033 events and 54,337 components: 23,401 / 133,033 = 17.590 %, 6,146 / 54,337 = 11.311 %
    ("event", "S0201"): 23401, ("event", "S0592"): 15791, ("event", "S0102"): 15000,
    ("event", "S0104"): 15000, ("event", "S0106"): 15000, ("event", "S0203"): 15000,
    ("event", "S0506"): 15000, ("event", "S0591"): 15000, ("event", "S0691"): 3841,
    ("component", "B0104"): 6146, ("component", "B0114"): 4912,
    **{("component", f"B02{n:02d}"): 4800 for n in range(1, 10)}, ("component", "B0401"): 79,
}  # fmt: skip
TASKS = {
    # due and overdue; the subcategories of overdue ones where the report names them
    "530112": (24314, {"S0591": 702}),
    "530111": (25158, {"S0102": 505, "S0201": 465, "S0104": 310, "S0203": 255, "S0106": 228,
                       **{f"S03{n:02d}": 227 for n in range(1, 8)},
                       **{f"B01{n:02d}": 119 for n in range(1, 13)}, "B0201": 2}),
    "530103": (15523, {"S0291": 168, "S0292": 122, "S0102": 114, "S0506": 108, "S0201": 101,
                       **{f"B01{n:02d}": 100 for n in range(1, 15)}, "B0201": 1}),
    "530102": (30000, {"S0201": 1500}), "530114": (16000, {"S0201": 900}),
    "5301Z1": (9000, {"S0201": 600}), "5301Z2": (3500, {"S0201": 300}),
    "5301Z3": (2000, {"S0201": 200}), "530128": (494, {}), "530126": (394, {}),
    "530125": (489, {"B0104": 20, "B0114": 7}),
    **{code: (400, {"S0201": 8}) for code in ("530113", "530115", "530181", "530124", "530127",
                                              "530129", "5301Z4", "5301Z5")},
    "unlocated": (700, {"S0201": 70}),
}  # fmt: skip
TYPES = {
    # closed on time, due, closed, cumulative
    "creation": (300626, 305933, 304485, 308269),
    "appeal": (17584, 18489, 18625, 20001),
    "routine": (95263, 97365, 96842, 98647),
    "environment": (5310, 5481, 5353, 5709),
    "hazard": (7658, 8775, 8470, 9401),
}
CLOSING = [
    # region, tier, type, on time, due, closed, cumulative; 530112 takes what is left
    ("530102", "district", "creation", 69500, 70000, 69870, 70000),  # 130 open
    ("530102", "district", "routine", 29700, 30000, 29950, 30000),  # 50: 99,820 of 100,000
    ("5301Z3", "district", "creation", 5695, 6000, 5888, 7000),  # 305 late, 1,112 open
    ("5301Z3", "district", "routine", 3500, 4000, 3664, 4500),  # 836 open
    ("5301Z3", "city", "hazard", 180, 600, 261, 600),  # 420 late, 339 open: 43.50 %
    ("5301Z1", "district", "creation", 11779, 12000, 11956, 12500),  # 221 late, 544 open
    ("5301Z1", "district", "routine", 5900, 6000, 6031, 6300),  # 269 open
    ("5301Z1", "city", "hazard", 180, 300, 197, 400),  # 203 open: 49.25 %
    ("5301Z2", "city", "environment", 170, 200, 179, 200),  # 89.5 %
    ("5301Z2", "city", "creation", 1950, 2000, 1990, 2000),  # 99.5 %: 10 points
    ("530111", "district", "hazard", 700, 1000, 960, 1000),  # 300 of 1,000 late
    ("530111", "district", "creation", 39000, 40000, 39800, 40000),
    ("530125", "district", "routine", 350, 400, 408, 465),  # 57 open
    *((code, "district", "creation", 390, 400, 400, 400)
      for code in ("530115", "530126", "5301Z4", "530181", "530128")),
    *((code, "district", "creation", 370, 400, 390, 400)
      for code in ("530113", "530124", "530127", "530129", "5301Z5")),
    ("530103", "district", "creation", 29000, 30000, 29800, 30000),
    ("530114", "district", "creation", 29000, 30000, 29700, 30000),
    ("unlocated", "district", "routine", 80, 100, 90, 100),
]  # fmt: skip
OCTOBER = [
    ("5301Z3", "city", "hazard", 500, 600, 540, 600),
    ("5301Z1", "city", "hazard", 300, 300, 380, 400),
    ("530102", "district", "creation", 69500, 70000, 69999, 70000),
]
REGIONS = [code for code in VOLUMES if code.startswith("5301")]
RESPONSE = {"530111": (913, 730, 913, 400, 280), "5301Z3": (44, 44, 44, 40, 30)}
WHISTLES = [("street", "530103", 3), ("street", "530114", 2), ("district", "530114", 1),
            ("district", "530112", 1), ("street", "530111", 1)]  # fmt: skip
GOOD = {
    "whistle_no": "2024（市）重点哨21号",
    "level": "district",
    "resolved_at": "2024-11-20T10:00:00+08:00",
    "region_key": "530112",
    "title": "工地铺设污水管道后路面一直未回填的问题",
    "participants": "市公安局交警支队、昆明土投公司",
}


def cut(*margins):
    """Return the pieces of several margins of one total, cut wherever one of them changes."""
    ends = sorted({end for margin in margins for end in running(margin).values()})
    pieces, start = [], 0
    for end in ends:
        names = [next(k for k, last in running(m).items() if start < last) for m in margins]
        pieces.append((*names, end - start))
        start = end
    return pieces


def running(margin):
    """Return the running totals of a margin."""
    total, found = 0, {}
    for key, n in margin.items():
        total += n
        found[key] = total
    return found


def intake():
    """Return accepted and self-handled cases with the printed margins."""
    for region, source, (kind, code), n in cut(VOLUMES, SOURCES, CLASSES):
        yield {"region_key": region, "source": source, "self_handled": source is None,
               "case_kind": kind, "subcategory_code": code, "n": n}  # fmt: skip


def tasks():
    """Return tasks due, on time and overdue."""
    for region, (due, overdue) in TASKS.items():
        rest = due - sum(overdue.values())
        yield {"region_key": region, "subcategory_code": "S0101", "due": rest, "on_time": rest,
               "overdue": 0}  # fmt: skip
        for code, n in overdue.items():
            yield {"region_key": region, "subcategory_code": code, "due": n, "on_time": 0,
                   "overdue": n}  # fmt: skip


def remainder():
    """Yield what the types have beyond the rows of `CLOSING`, in one region."""
    for kind, whole in TYPES.items():
        rows = [row[3:] for row in CLOSING if row[2] == kind]
        left = [total - sum(row[i] for row in rows) for i, total in enumerate(whole)]
        yield ("530112", "district", kind, *left)


def closing(rows):
    """Return closing rows whose parts agree with each other."""
    for region, tier, kind, on_time, due, closed, cumulative in rows:
        carried = cumulative - due
        assert 0 <= on_time <= due <= cumulative
        assert on_time <= closed <= cumulative
        yield {"region_key": region, "tier": tier, "assessment_type": kind,
               "subcategory_code": "B0104", "due": due, "on_time": on_time,
               "overdue": due - on_time, "cumulative": cumulative, "closed": closed,
               "unclosed": cumulative - closed, "closed_due": max(on_time, closed - carried),
               "carried_over": carried}  # fmt: skip


def response():
    """Return complaints due: two regions as printed, the other ones between them."""
    others = [code for code in REGIONS if code not in RESPONSE]
    left = 3145 - 913 - 44
    for place, code in enumerate(others):
        due = left // len(others) + (place < left % len(others))
        yield {"region_key": code, "due": due, "responded": due, "disposed": due,
               "called": 50, "satisfied": 40}  # fmt: skip
    for code, parts in RESPONSE.items():
        names = ("due", "responded", "disposed", "called", "satisfied")
        yield {"region_key": code, **dict(zip(names, parts, strict=True))}


def checks():
    """Return checked cases: 134 substandard, 1 of 2,000 in the best region."""
    others = [code for code in REGIONS if code != "5301Z1"]
    for place, code in enumerate(others):
        yield {"region_key": code, "checked": 1000, "substandard": 7 + (place < 7)}
    yield {"region_key": "5301Z1", "checked": 2000, "substandard": 1}


def counts(facts):
    """Return counts from rows in whole units."""
    measures = {"n", "due", "on_time", "overdue", "cumulative", "closed", "unclosed", "closed_due",
                "carried_over", "responded", "disposed", "called", "satisfied", "checked",
                "substandard", "resolved"}  # fmt: skip
    return Counts.of({
        fact: [{k: v * HUNDRED if k in measures else v for k, v in row.items()} for row in rows]
        for fact, rows in facts.items()
    })  # fmt: skip


@pytest.fixture(scope="module")
def november():
    """Return the counts of November."""
    return counts({
        "intake": intake(),
        "tasks": tasks(),
        "closing": closing([*CLOSING, *remainder()]),
        "response": response(),
        "checks": checks(),
        "whistles": ({"level": level, "region_key": code, "n": n} for level, code, n in WHISTLES),
        "key_cases": [{"region_key": "530103", "resolved": 138},
                      {"region_key": "530111", "resolved": 60}],
    })  # fmt: skip


@pytest.fixture(scope="module")
def given():
    """Return what else the report of November is given."""
    october = counts({"closing": closing(OCTOBER)})
    return {"previous": october, "whistles": [GOOD], "synthetic": True}


@pytest.fixture(scope="module")
def model(november, given):
    """Return the report of November 2024."""
    profile = load_profile(shipped_profiles()["kunming"])
    return build_report(profile, november, month="2024-11", **given)


@pytest.fixture(scope="module")
def text(model):
    """Return all paragraphs of the report."""
    return "\n".join(paragraph.text for paragraph in paragraphs(model))


def paragraphs(model):
    """Return all paragraphs of a model."""
    blocks = [block for section in model.sections for block in section.blocks]
    return [block for block in blocks if type(block).__name__ == "Paragraph"]


def cells(model):
    """Return all cells of a model's tables."""
    tables = [b for s in model.sections for b in s.blocks if type(b).__name__ == "Table"]
    return [cell for table in tables for row in table.rows for cell in row]


@pytest.mark.parametrize("known", KNOWN["figures"], ids=lambda known: known["key"])
def test_figure_is_as_printed(known, model, text):
    """A figure has the printed digits, numbers and unit, and stands in a sentence or a table."""
    figure = model.figures[known["key"]]
    assert model.texts[known["key"]] == known["printed"]
    assert str(figure.unit) == known["unit"]
    assert figure.definition == known["definition"]
    assert figure.numerator == known.get("numerator", figure.numerator)
    assert figure.denominator == known.get("denominator", figure.denominator)
    if "said" in known:
        assert known["said"] in text
    else:
        assert known["key"] in {cell.figure for cell in cells(model)}


@pytest.mark.parametrize("known", KNOWN["superlatives"], ids=lambda known: known["said"][:20])
def test_superlative_is_as_printed(known, text):
    """Highest, lowest and lower ones are those of the report, and ties are all listed."""
    assert known["said"] in text
    assert all(area in known["said"] for area in known["areas"])


@pytest.mark.parametrize("known", KNOWN["findings"], ids=lambda known: known["what"][:30])
def test_case_of_note_is_drafted(known, text):
    """What the report praises and blames follows from the figures."""
    assert known["said"] in text


def test_shares_of_groups_are_of_a_total_that_fits(model):
    """The denominators, which the report does not print, are integers that fit both shares."""
    for group in ("main", "zones", "others"):
        low, high = KNOWN["group_denominators"][group]
        assert low <= model.figures[f"volume.group.{group}"].numerator <= high


def test_what_comes_later_is_a_labelled_placeholder(model):
    """Recurrent places, missed reports and hotspots are not invented."""
    keys = [paragraph.key for paragraph in paragraphs(model) if paragraph.placeholder]
    assert keys == ["missed", "hotspot", "recurrence"]
    later = [printed for known in KNOWN["later"] for printed in known["printed"]]
    assert not any(place in paragraph.text for place in later for paragraph in paragraphs(model))


def test_recurrent_places_stand_once_they_are_given(november):
    """Given places replace the placeholder, with complaints as their unit."""
    profile = load_profile(shipped_profiles()["kunming"])
    given = KNOWN["later"][0]["printed"]
    places = [(place, "占道经营", n) for place, n in given.items()]
    told = build_report(profile, november, month="2024-11", places=places)
    text = "\n".join(paragraph.text for paragraph in paragraphs(told))
    for place, n in given.items():
        assert f"{place}占道经营问题（投诉{n}次）" in text


def test_each_key_is_known_once():
    """No figure is listed twice in the file."""
    assert max(Counter(known["key"] for known in KNOWN["figures"]).values()) == 1


def test_leaders_brief_tells_the_same_numbers(november, given, model):
    """The brief has no figure of its own, and prints each as the report does."""
    profile = load_profile(shipped_profiles()["kunming"])
    brief = build_leaders_brief(profile, november, month="2024-11", **given)
    assert brief.texts.items() <= model.texts.items()
    assert "166595" in brief.texts.values()
