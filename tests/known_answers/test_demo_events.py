"""
The demo ledger sums to the printed figures: counted from its files alone, by the written formulas.

Nothing here uses the generator's own arithmetic or the report's: files in, figures out.
"""

import shutil
from decimal import ROUND_HALF_UP, Decimal

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridgis.crs import to_wgs84
from gridgis.demo import DemoManifest, write_demo
from gridgis.demo.spec import read_spec
from gridgis.errors import ProfileInvalid
from gridgis.intake.mapping import load_mapping
from gridgis.intake.profile import load_profile, shipped_profiles
from gridgis.model.case import STAGE_ORDER
from gridgis.model.ledger import FOLLOWS, ONCE_STAGES, SIDE_STAGES, STAGE_NAMES, Stage

OCTOBER, NOVEMBER = ("2024-10-01", "2024-11-01"), ("2024-11-01", "2024-12-01")
EXPORTED = pd.Timestamp("2024-12-06 08:00")
TYPES = {  # on time, due, closed, cumulative, closure rate, on-time closure rate
    "creation": (300626, 305933, 304485, 308269, "98.77", "98.27"),
    "appeal": (17584, 18489, 18625, 20001, "93.12", "95.11"),
    "routine": (95263, 97365, 96842, 98647, "98.17", "97.84"),
    "environment": (5310, 5481, 5353, 5709, "93.76", "96.88"),
    "hazard": (7658, 8775, 8470, 9401, "90.10", "87.27"),
}
MAIN = ["530102", "530103", "530111", "530112", "530114", "5301Z1", "5301Z2", "5301Z3"]
GUANDU, PANLONG, XISHAN, WUHUA = "530111", "530103", "530112", "530102"
JINGKAI, GAOXIN, DUJIA, YILIANG = "5301Z1", "5301Z2", "5301Z3", "530125"
CLOSED_ALL = {"530115", "530126", "5301Z4", "530181", "530128"}


@pytest.fixture(scope="module")
def profile():
    """Return the shipped city."""
    return load_profile(shipped_profiles()["kunming"])


@pytest.fixture(scope="module")
def folder(profile, tmp_path_factory):
    """Return a folder with the files of three months."""
    path = tmp_path_factory.mktemp("demo")
    write_demo(profile, path, months=3)
    return path


def read(folder, pattern):
    """Return the rows of all files of a kind under the fields' names, times parsed."""
    mapping = load_mapping(shipped_profiles()["kunming"] / "mappings" / f"{pattern[0]}.toml")
    tables = []
    for path in sorted(folder.glob(pattern[1])):
        if path.suffix == ".xlsx":
            table = pd.read_excel(
                path, dtype=str, header=1, keep_default_na=False, engine="calamine"
            )
        else:
            encoding = "gb18030" if "wechat" in path.name else "utf-8"
            table = pd.read_csv(path, dtype=str, encoding=encoding, keep_default_na=False)
        assert set(table["数据性质"]) == {"合成数据"}, path.name
        tables.append(table.assign(file=path.stem))
    joined = pd.concat(tables, ignore_index=True)
    fields = {headers[0]: name for name, headers in mapping.columns.items()}
    assert set(fields) <= set(joined)
    joined = joined.rename(columns=fields)
    for name in joined:
        if name.endswith("_at") or name == "at":
            joined[name] = pd.to_datetime(joined[name].replace("", None))
    return joined


@pytest.fixture(scope="module")
def cases(folder, profile):
    """Return every case of October and November with its region, type and weight."""
    rows = read(folder, ("cases", "cases-2024-1*"))
    rows = rows[rows["description"] != "合成数据：编号重复"].drop_duplicates("case_no")
    rows["region_key"] = regions_of(rows, profile)
    codes = {category.name: category.code for category in profile.categories}
    rows["code"] = rows["subcategory"].map(codes)
    own = rows["self_handled"] == "是"
    day = rows["filed_at"].fillna(rows["reported_at"]).dt.normalize()
    rules = shipped_profiles()["kunming"]
    for name, column in (("assessment", "assessment_type"), ("weights", "weight")):
        rows[column] = dated(
            pd.read_csv(rules / f"{name}.csv", dtype=str), column, rows["code"], day
        )
    assert rows["assessment_type"].notna().all()
    rows["weight"] = rows["weight"].fillna("1").astype(int)
    tiers = {source.name: source.tier for source in profile.sources}
    rows["tier"] = rows["source"].map(tiers)
    return rows.assign(own=own).set_index("case_no")


def dated(rules, column, codes, days):
    """Return for each code and day the value of the longest prefix that holds."""
    found = pd.Series(index=codes.index, dtype=object)
    for length in (1, 3, 5):
        for _, rule in rules[rules["code"].str.len() == length].iterrows():
            fits = codes.str.startswith(rule["code"])
            for edge, test in (("valid_from", days.ge), ("valid_to", days.lt)):
                if isinstance(rule[edge], str):
                    fits &= test(pd.Timestamp(rule[edge]))
            found[fits] = rule[column]
    return found


def regions_of(rows, profile):
    """Place every row as an import does: by its point, else by the region that it states."""
    names = {region.name: region.code for region in profile.regions}
    stated = rows["stated_region"].map(names)
    used = np.maximum(*(rows[a].str.partition(".")[2].str.rstrip("0").str.len() for a in "xy"))
    usable = (used >= 4).to_numpy()
    lon, lat = (
        pd.to_numeric(rows[a].where(usable, ""), errors="coerce").to_numpy(copy=True) for a in "xy"
    )
    shifted = rows["file"].str.endswith("gcj02").to_numpy() & usable
    lon[shifted], lat[shifted] = to_wgs84(lon[shifted], lat[shifted], "gcj02")
    found = np.full(len(rows), None, dtype=object)
    for kind in ("zone", "district"):
        layer = next(layer for layer in profile.layers if layer.kind == kind)
        for code, shape in gpd.read_file(layer.path).set_index("code").geometry.items():
            left = np.flatnonzero(usable & pd.isna(found))
            shapely.prepare(shape)
            found[left[shapely.contains_xy(shape, lon[left], lat[left])]] = code
    both = stated.notna().to_numpy() & usable
    assert (found[both] == stated.to_numpy()[both]).all(), "a stated region contradicts its point"
    key = np.where(usable, found, stated.to_numpy(dtype=object))
    key[rows["stated_region"].str.contains("、").to_numpy()] = "cross_area"
    key[pd.isna(key)] = "unlocated"
    return key


@pytest.fixture(scope="module")
def events(folder):
    """Return all events in the order of their cases and times; `log` tells their file."""
    wide = read(folder, ("events", "events-2024-1*"))
    parts = []
    for stage in ONCE_STAGES:
        name = f"{stage}_at"
        if name in wide:
            part = wide.loc[wide[name].notna(), ["case_no", name, "due_at", "result"]]
            part = part.rename(columns={name: "at"}).assign(stage=str(stage), log=False)
            if stage != Stage.FILED:
                part["due_at"] = pd.NaT
            if stage != Stage.CHECKED:
                part["result"] = ""
            parts.append(part)
    log = read(folder, ("event-log", "event-log-2024-1*")).assign(log=True)
    log["stage"] = log["stage"].map({name: str(stage) for stage, name in STAGE_NAMES.items()})
    columns = ["case_no", "stage", "at", "due_at", "result", "log"]
    rows = pd.concat([*parts, log[columns]], ignore_index=True)
    ranks = {str(stage): rank for rank, stage in enumerate(Stage)}
    return rows.assign(rank=rows["stage"].map(ranks)).sort_values(
        ["case_no", "at", "rank"], kind="stable", ignore_index=True
    )


@pytest.fixture(scope="module")
def stamps(events):
    """Return the stage times of every case as its events tell them."""
    first, last = (
        events.pivot_table(index="case_no", columns="stage", values="at", aggfunc=pick)
        for pick in ("min", "max")
    )
    table = first[["reported", "verified", "accepted", "filed", "dispatched"]].copy()
    table[["disposed", "checked", "closed", "voided"]] = last[
        ["disposed", "checked", "closed", "voided"]
    ]
    table.loc[last["reopened"] > last["closed"], "closed"] = pd.NaT
    due = events[events["due_at"].notna()].drop_duplicates("case_no", keep="last")
    due = due.set_index("case_no")
    rests = events[events["stage"].isin(["suspended", "resumed"])].copy()
    rests["until"] = rests.groupby("case_no")["at"].shift(-1)
    rests = rests[rests["stage"] == "suspended"]
    rests = rests[rests["at"] >= rests["case_no"].map(due["at"])]
    length = (rests["until"] - rests["at"]).groupby(rests["case_no"]).sum()
    table["due"] = due["due_at"] + length.reindex(due.index).fillna(pd.Timedelta(0))
    return table


def closing(cases, stamps, month):
    """Return the rows behind the closing figures of a month, by the written formulas."""
    a, b = map(pd.Timestamp, month)
    rows = stamps.join(cases[["region_key", "tier", "assessment_type", "weight"]])
    rows = rows[rows["voided"].isna() & (rows["due"] < b)]
    rows["is_due"] = rows["due"] >= a
    rows = rows[rows["is_due"] | rows["closed"].isna() | (rows["closed"] >= a)]
    rows["on_time"] = rows["is_due"] & (rows["closed"] <= rows["due"])
    rows["is_closed"] = rows["closed"] < b
    return rows


def sums(rows, by=None):
    """Return on time, due, closed and cumulative in base cases."""
    table = pd.DataFrame({
        name: rows["weight"].where(chosen, 0)
        for name, chosen in (("on_time", rows["on_time"]), ("due", rows["is_due"]),
                             ("closed", rows["is_closed"]), ("cumulative", rows["is_due"] | True))
    })  # fmt: skip
    return table.sum() if by is None else table.groupby(rows[by]).sum()


def percent(part, whole):
    """Return a rate as it is printed: exact, half up, two decimals."""
    exact = Decimal(100 * int(part)) / int(whole)
    return str(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))


@pytest.fixture(scope="module")
def november(cases, stamps):
    """Return the closing rows of November."""
    return closing(cases, stamps, NOVEMBER)


@pytest.fixture(scope="module")
def october(cases, stamps):
    """Return the closing rows of October."""
    return closing(cases, stamps, OCTOBER)


# ------------------------------------------------------------------------ closing


@pytest.mark.parametrize("kind", TYPES)
def test_the_closing_table_has_the_printed_rows(kind, november):
    """Base cases and both rates of every type are those of the report."""
    on_time, due, closed, cumulative = sums(november[november["assessment_type"] == kind])
    assert (on_time, due, closed, cumulative) == TYPES[kind][:4]
    assert (percent(closed, cumulative), percent(on_time, due)) == TYPES[kind][4:]


def test_the_total_row_is_printed_too(november):
    """All types together; hazards are the lowest in both rates."""
    total = sums(november)
    assert tuple(total) == (426441, 436043, 433775, 442027)
    assert percent(total["closed"], total["cumulative"]) == "98.13"
    assert percent(total["on_time"], total["due"]) == "97.80"
    by = sums(november, "assessment_type")
    assert (by["closed"] / by["cumulative"]).idxmin() == "hazard"
    assert (by["on_time"] / by["due"]).idxmin() == "hazard"


def cell(rows, region, kind):
    """Return unclosed and overdue base cases of a region and type."""
    table = sums(rows[(rows["region_key"] == region) & (rows["assessment_type"] == kind)])
    return table["cumulative"] - table["closed"], table["due"] - table["on_time"]


@pytest.mark.parametrize(
    ("region", "kind", "unclosed", "overdue"),
    [
        (DUJIA, "routine", 836, None),
        (DUJIA, "creation", 1112, 305),
        (DUJIA, "hazard", 339, 420),
        (JINGKAI, "routine", 269, None),
        (JINGKAI, "creation", 544, 221),
        (JINGKAI, "hazard", 203, None),
    ],
)
def test_two_zones_have_the_printed_arrears(region, kind, unclosed, overdue, november):
    """What 度假 and 经开 left open or closed late, by type."""
    found = cell(november, region, kind)
    assert found[0] == unclosed
    assert overdue is None or found[1] == overdue


def rates(rows):
    """Return the closure rate of every region, exact."""
    by = sums(rows, "region_key")
    return (by["closed"] / by["cumulative"]).drop(["unlocated", "cross_area"]), by


def test_wuhua_closes_most_and_two_zones_least(november):
    """The order of the main districts and zones is the printed one, without ties."""
    rate, by = rates(november)
    ranked = rate[MAIN].sort_values()
    assert set(ranked.index[:2]) == {DUJIA, JINGKAI}
    assert ranked.iloc[1] < ranked.iloc[2]
    assert ranked.index[-1] == WUHUA
    assert percent(by.loc[WUHUA, "closed"], by.loc[WUHUA, "cumulative"]) == "99.82"
    assert ranked.iloc[-2] < 0.9975


def test_five_counties_close_all_and_yiliang_least(november):
    """The tie of 100 % is exactly the printed one; 宜良 closed 408 of 465."""
    rate, by = rates(november)
    others = rate.drop(MAIN)
    assert set(others[others == 1].index) == CLOSED_ALL
    assert others.idxmin() == YILIANG
    assert (by.loc[YILIANG, "closed"], by.loc[YILIANG, "cumulative"]) == (408, 465)
    assert percent(408, 465) == "87.74"
    assert (others.drop(YILIANG) > 0.9).all()


def test_regions_and_rest_sum_to_the_city(november):
    """No base case is lost between regions, the rest and the total."""
    by = sums(november, "region_key")
    assert {"unlocated", "cross_area"} < set(by.index)
    assert by.sum().tolist() == sums(november).tolist()


def test_three_tenths_of_the_hazards_of_guandu_are_late(november):
    """Overdue of due is 30 % as a whole percentage."""
    table = sums(
        november[(november["region_key"] == GUANDU) & (november["assessment_type"] == "hazard")]
    )
    overdue = Decimal(int(100 * (table["due"] - table["on_time"]))) / int(table["due"])
    assert overdue.quantize(Decimal(1), ROUND_HALF_UP) == 30


@pytest.mark.parametrize("region", [DUJIA, JINGKAI])
def test_city_hazards_of_two_zones_fell_below_sixty_percent(region, october, november):
    """Above 80 % in October, below 60 % in November, among what the city tier reported."""
    for rows, low, high in ((october, 0.8, 1), (november, 0.3, 0.6)):
        table = sums(rows[(rows["region_key"] == region) & (rows["tier"] == "city")
                          & (rows["assessment_type"] == "hazard")])  # fmt: skip
        assert low < table["closed"] / table["cumulative"] < high


def test_city_environment_of_gaoxin_is_ten_points_lower(november):
    """Against the other types of the tier together: exactly 10.00 points."""
    here = november[(november["region_key"] == GAOXIN) & (november["tier"] == "city")]
    kind = here["assessment_type"] == "environment"
    own, others = sums(here[kind]), sums(here[~kind])
    gap = Decimal(int(others["closed"])) / int(others["cumulative"]) - Decimal(
        int(own["closed"])
    ) / int(own["cumulative"])
    assert (100 * gap).quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal("10.00")
    assert others["cumulative"] > 1000


def test_october_has_figures_of_its_own(october, november):
    """October is whole, better than November, and carries over what November says."""
    one, next_one = sums(october), sums(november)
    assert one["due"] == one["cumulative"] > 400_000
    assert one["cumulative"] - one["closed"] == next_one["cumulative"] - next_one["due"] == 5984
    assert one["closed"] / one["cumulative"] > next_one["closed"] / next_one["cumulative"]
    assert one["on_time"] / one["due"] > next_one["on_time"] / next_one["due"]
    assert (sums(october, "assessment_type")["due"] > 0).all()


# -------------------------------------------------------------------------- tasks


@pytest.fixture(scope="module")
def tasks(folder, cases, stamps):
    """Return the dispatch tasks of cases that are not void, with region and class."""
    rows = read(folder, ("tasks", "tasks-2024-1*"))
    assert rows["task_no"].is_unique
    rows = rows.join(cases[["region_key", "subcategory"]], on="case_no")
    void = rows["case_no"].map(stamps["voided"]).notna()
    rows["on_time"] = rows["dispatched_at"] <= rows["due_at"]
    return rows[~void]


def in_month(times, month):
    """Return which times lie in a month."""
    return (times >= month[0]) & (times < month[1])


@pytest.fixture(scope="module")
def due_tasks(tasks):
    """Return the tasks due in November."""
    return tasks[in_month(tasks["due_at"], NOVEMBER)]


def test_six_regions_have_the_printed_tasks(due_tasks):
    """Due and dispatched in time; the best, the worst and the ties are the printed ones."""
    by = due_tasks.groupby("region_key")["on_time"].agg(["sum", "count"])
    printed = {XISHAN: (23612, 24314), GUANDU: (20376, 25158), PANLONG: (13509, 15523),
               YILIANG: (462, 489), "530128": (494, 494), "530126": (394, 394)}  # fmt: skip
    assert {code: tuple(by.loc[code]) for code in printed} == printed
    rate = (by["sum"] / by["count"]).drop(["unlocated", "cross_area"])
    main, others = rate[MAIN].sort_values(), rate.drop(MAIN).sort_values()
    assert list(main.index[:2]) == [GUANDU, PANLONG]
    assert main.index[-1] == XISHAN
    assert others.index[0] == YILIANG
    assert set(others[others == 1].index) == {"530128", "530126"}


@pytest.mark.parametrize(
    ("region", "total", "printed"),
    [
        (GUANDU, 4782, {"暴露垃圾": 505, "非法小广告": 465, "道路不洁": 310, "占道广告牌": 255,
                        "绿地脏乱": 228}),
        (PANLONG, 2014, {"违规户外广告": 168, "违规标语宣传品": 122, "暴露垃圾": 114,
                         "非机动车乱停放": 108, "非法小广告": 101}),
    ],
)  # fmt: skip
def test_two_regions_have_the_printed_overdue_classes(region, total, printed, due_tasks):
    """The five classes with the most overdue tasks, and no other near them."""
    late = due_tasks[(due_tasks["region_key"] == region) & ~due_tasks["on_time"]]
    counts = late["subcategory"].value_counts()
    assert len(late) == total
    assert counts.head(5).to_dict() == printed
    assert counts.iloc[5] < counts.iloc[4]


def test_a_task_stands_for_each_dispatch(tasks, events):
    """A first task a dispatched case, a hand-back or rework task for each further dispatch."""
    void = events.loc[events["stage"] == "voided", "case_no"]
    sent = events[(events["stage"] == "dispatched") & ~events["case_no"].isin(void)]
    done = tasks[tasks["dispatched_at"].notna()].sort_values(["case_no", "dispatched_at"])
    assert (sent["case_no"].to_numpy() == done["case_no"].to_numpy()).all()
    assert (sent["at"].to_numpy() == done["dispatched_at"].to_numpy()).all()
    more = tasks.groupby("case_no").cumcount() > 0
    assert ((tasks["is_rework"] == "是") ^ (tasks["is_hand_back"] == "是")).equals(more)
    returned = events[events["stage"] == "returned"].groupby("case_no").size()
    backs = tasks[tasks["is_hand_back"] == "是"].groupby("case_no").size()
    assert returned.reindex(backs.index).equals(backs)
    assert (backs >= 2).sum() > 100


# ----------------------------------------------------------------------- citizens


@pytest.fixture(scope="module")
def complaints(folder, cases):
    """Return all complaints with the region of their case, else the stated one."""
    rows = read(folder, ("complaints", "complaints-2024-1*"))
    assert rows["complaint_no"].is_unique
    return rows.join(cases[["region_key", "subcategory", "own"]], on="case_no")


@pytest.fixture(scope="module")
def response(folder, complaints, stamps, profile):
    """Return the first hotline complaints whose response is due in November."""
    names = {region.name: region.code for region in profile.regions}
    rows = complaints[complaints["source"] == "12345热线"]
    single = rows["case_no"].where(rows["case_no"] != "", rows["complaint_no"])
    rows = rows.assign(single=single).sort_values(["complained_at", "complaint_no"])
    rows = rows.drop_duplicates("single")
    rows = rows[in_month(rows["response_due_at"], NOVEMBER)]
    rows["region_key"] = (
        rows["region_key"].fillna(rows["stated_region"].map(names)).fillna("unlocated")
    )
    calls = read(folder, ("callbacks", "callbacks-2024-1*")).sort_values("called_at")
    assert not calls.duplicated(["complaint_no", "called_at"]).any()
    told = calls[calls["disposed"] != ""].groupby("complaint_no")["disposed"].last()
    asked = calls[calls["satisfied"] != ""].groupby("complaint_no")["satisfied"].last()
    own = rows["case_no"].map(stamps["disposed"]) < NOVEMBER[1]
    rows["disposed"] = (rows["complaint_no"].map(told) == "是").where(
        rows["complaint_no"].isin(told.index), own
    )
    rows["called"] = rows["complaint_no"].isin(asked.index)
    rows["satisfied"] = rows["complaint_no"].map(asked) == "是"
    rows["responded"] = rows["responded_at"] <= rows["response_due_at"]
    return rows


def test_responses_have_the_printed_sums(response):
    """3,145 due: 官渡 the most and 度假 the fewest, with the printed rates."""
    by = response.groupby("region_key")[["responded", "disposed", "called", "satisfied"]].sum()
    due = response["region_key"].value_counts()
    assert due.sum() == 3145
    regions = due.drop(["unlocated", "cross_area"]).sort_values()
    assert len(regions) == 19
    assert (regions.index[-1], regions.iloc[-1]) == (GUANDU, 913)
    assert (regions.index[0], regions.iloc[0]) == (DUJIA, 44)
    assert regions.iloc[1] > 44
    assert regions.iloc[-2] < 913
    most, least = by.loc[GUANDU], by.loc[DUJIA]
    assert (most["responded"], most["disposed"]) == (730, 913)
    assert percent(most["satisfied"], most["called"]) == "70.00"
    assert tuple(least) == (44, 44, 44, 33)
    rest = by.drop([GUANDU, DUJIA]).sum()
    assert 0.85 < rest["responded"] / (3145 - 957) < 0.99
    assert 0.9 < rest["disposed"] / (3145 - 957) <= 1


def test_three_places_have_their_complaints_of_november(complaints):
    """51, 33 and 10 complaints of 占道经营, all complained about in the month."""
    own = complaints[in_month(complaints["complained_at"], NOVEMBER)]
    counts = own[own["subcategory"] == "占道经营"]["place"].value_counts()
    assert counts.head(3).to_dict() == {
        "海乐世界购物中心周边": 51, "金源大道世纪城茗春苑小区": 33, "呈贡区人民医院门口": 10,
    }  # fmt: skip


def test_complaints_are_not_cases(complaints, cases):
    """Every citizen's case has a complaint; some have two, some complaints became no case."""
    citizens = cases[cases["source"].isin(["12345热线", "微信公众号"])]
    of_cases = complaints[complaints["case_no"] != ""]
    assert set(of_cases["case_no"]) == set(citizens.index)
    assert of_cases["case_no"].duplicated().sum() > 200
    assert 10 < len(complaints) - len(of_cases) < 200
    first = of_cases.sort_values("complained_at").drop_duplicates("case_no").set_index("case_no")
    assert first["complained_at"].equals(
        cases.loc[first.index, "reported_at"].rename("complained_at")
    )
    answered = complaints[complaints["responded_at"].notna()]
    assert (answered["responded_at"] > answered["complained_at"]).all()


# ---------------------------------------------------- whistles, checks, key cases


def test_whistles_of_november_are_those_of_the_report(folder):
    """8 = 2 of districts + 6 of streets, 盘龙 and 呈贡 3 each; the city's no. 21 is older."""
    whistles = read(folder, ("whistles", "whistles.csv")).set_index("whistle_no")
    blown = whistles[in_month(whistles["blown_at"], NOVEMBER)]
    assert blown["level"].value_counts().to_dict() == {"街道": 6, "区级": 2}
    counts = blown["stated_region"].value_counts()
    assert counts[counts == counts.max()].to_dict() == {"盘龙区": 3, "呈贡区": 3}
    city = whistles.loc["2024（市）重点哨21号"]
    assert (city["level"], city["stated_region"]) == ("市级", "西山区")
    assert (city["blown_at"].month, city["resolved_at"].month) == (10, 11)


@pytest.mark.parametrize("month", [OCTOBER, NOVEMBER])
def test_jingkai_has_the_best_quality(month, folder, cases, stamps):
    """Every region is checked; 134 cases are substandard in November; checks follow a closing."""
    checks = read(folder, ("checks", "checks-2024-1*"))
    checks = checks[in_month(checks["checked_at"], month)].sort_values("checked_at")
    last = checks.drop_duplicates("case_no", keep="last").set_index("case_no")
    bad = last["result"] == "不合格"
    by = bad.groupby(cases["region_key"].reindex(last.index)).agg(["sum", "count"])
    share = (by["sum"] / by["count"]).sort_values()
    assert len(by) == 19
    assert share.index[0] == JINGKAI
    assert share.iloc[0] < share.iloc[1]
    assert bad.sum() == 134 or month == OCTOBER
    assert stamps["filed"].reindex(last.index).notna().all()


def test_checks_come_after_a_closing(folder, events):
    """A case is closed when it is checked."""
    checks = read(folder, ("checks", "checks-2024-1*"))
    closed = events[events["stage"] == "closed"].groupby("case_no")["at"].min()
    assert (checks["checked_at"] > checks["case_no"].map(closed)).all()


def test_panlong_resolved_its_key_cases(cases, stamps):
    """138 key cases of 盘龙 are closed in November; self-handled ones are never key."""
    key = cases[cases["is_key"] == "是"]
    assert not key["own"].any()
    mine = key[key["region_key"] == PANLONG]
    closed = stamps["closed"].reindex(mine.index)
    assert in_month(closed, NOVEMBER).sum() == 138
    assert len(mine) > 138


# ------------------------------------------------------------------------- events


def test_stages_of_every_case_are_legal(events):
    """Sorted by time, each stage may follow the one before; closing needs a check passed."""
    legal = {f"{before or ''}>{stage}" for stage, befores in FOLLOWS.items() for before in befores}
    moves = events[~events["stage"].isin(SIDE_STAGES)]
    same = moves["case_no"].eq(moves["case_no"].shift())
    before = moves["stage"].shift().where(same, "")
    steps = (before + ">" + moves["stage"]).value_counts()
    assert set(steps.index) <= legal
    for stage in ("checked>dispatched", "checked>disposed", "closed>reopened", "filed>act_first",
                  "returned>dispatched", "filed>voided", "dispatched>voided"):  # fmt: skip
        assert steps[stage] > 10, stage
    closed = moves[moves["stage"] == "closed"]
    assert (moves["result"].shift().loc[closed.index] == "合格").all()
    assert not events.duplicated(["case_no", "at"]).any()
    assert (events["at"] < EXPORTED).all()


def test_side_stages_happen_while_a_case_is_open(events):
    """Suspended, resumed, extended and reminded: after the filing, before the end."""
    state = pd.Series(
        np.select(
            [events["stage"].isin(["closed", "voided"]), ~events["stage"].isin(SIDE_STAGES)],
            ["ended", "open"], None,
        ),
        index=events.index, dtype=object,
    )  # fmt: skip
    state = state.groupby(events["case_no"]).ffill()
    side = events["stage"].isin(SIDE_STAGES)
    assert (state[side] == "open").all()
    assert {str(stage) for stage in SIDE_STAGES} == set(events.loc[side, "stage"])
    rests = events[events["stage"].isin(["suspended", "resumed"])]
    turn = rests.groupby("case_no").cumcount()
    assert (rests["stage"] == np.where(turn % 2 == 0, "suspended", "resumed")).all()
    filed = events[events["stage"] == "filed"].set_index("case_no")["at"]
    assert (events.loc[side, "at"] > events.loc[side, "case_no"].map(filed)).all()


def test_case_rows_state_what_the_events_tell(cases, stamps):
    """The final stamps on the rows of the cases are the projection of the events."""
    accepted = cases[~cases["own"]]
    assert set(accepted.index) == set(stamps.index)
    for name in ("reported", "verified", "accepted", "filed", "dispatched", "due", "disposed",
                 "checked", "closed"):  # fmt: skip
        stated, told = accepted[f"{name}_at"], stamps[name].reindex(accepted.index)
        assert ((stated == told) | (stated.isna() & told.isna())).all(), name


def test_case_rows_are_in_the_order_of_stages(cases):
    """No row is refused for a stage before its predecessor."""
    latest = cases["discovered_at"]
    for name in STAGE_ORDER[1:]:
        assert not (cases[name] < latest).any(), name
        latest = cases[name].fillna(latest)


def test_files_stay_within_their_size(folder):
    """A wide row for each accepted case; logs of at most 25,000 events; kinds in import order."""
    manifest = DemoManifest.load(folder / "manifest.json")
    kinds = list(dict.fromkeys(entry.kind for entry in manifest.files))
    assert kinds == ["cases", "events", "tasks", "complaints", "callbacks", "whistles", "checks"]
    rows = {entry.path: entry.rows for entry in manifest.files}
    assert rows["events-2024-11.csv"] == 166_595
    assert max(rows[f"event-log-2024-{month}.csv"] for month in (10, 11)) <= 25_000
    assert {entry.mapping for entry in manifest.files} == {"", "event-log"}


def test_months_before_are_closed_before_october(folder):
    """Nothing of September is due, open or closed later; it has no events."""
    rows = read(folder, ("cases", "cases-2024-09*"))
    accepted = rows[rows["self_handled"] == "否"]
    for name in ("filed_at", "dispatched_at", "due_at", "disposed_at", "checked_at", "closed_at"):
        assert (accepted[name] < OCTOBER[0]).all(), name
    assert not list(folder.glob("events-2024-09*"))


# -------------------------------------------------------------------------- targets


def spoiled(tmp_path, old, new):
    """Return the shipped profile with another text in its demo.toml."""
    folder = shutil.copytree(shipped_profiles()["kunming"], tmp_path / "kunming")
    text = (folder / "demo.toml").read_text(encoding="utf-8")
    assert old in text
    (folder / "demo.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return load_profile(folder)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("on_time = 300626", "on_time = 309000", "types.creation: on_time ≤ due"),
        ("unclosed = 1112", "unclosed = 4000", "cells of creation: unclosed sums to"),
        ("closed = 8470", "closed = 5000", "types.hazard: on_time ≤ due"),
        ('region = "530111"\ntype = "hazard"', 'region = "5309"\ntype = "hazard"',
         "5309: the profile has no such region"),
        ('region = "5301Z2"\ntype', 'region = "5308"\ntype', "mix.* 5308 environment: no such"),
        ("on_time = 23612", "on_time = 25000", "tasks.530112: on time and overdue"),
        ("carried_open = 900", "carried_open = 990", "carried_open is more than carried"),
        ("called = 44 }", "called = 45 }", "responses.5301Z3: more responded or called"),
        ("hazard = { on_time", "hazards = { on_time", "types: hazard is missing"),
        ("late_before", "late_after", "late_before is missing"),
        ("share = 0.02   ", "sample = 0.02", "checks: got an unexpected keyword"),
    ],
)  # fmt: skip
def test_targets_that_contradict_are_refused(old, new, named, tmp_path):
    """What cannot be met together, or is unknown, is named before anything is made."""
    with pytest.raises(ProfileInvalid, match=named):
        read_spec(spoiled(tmp_path, old, new))
