"""The synthetic ledger hits the printed margins, and its defects are those it says."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from gridgis.crs import to_wgs84
from gridgis.demo import write_demo
from gridgis.demo.spec import read_spec
from gridgis.intake.profile import load_profile, shipped_profiles

SHARED = Path(__file__).resolve().parents[3] / "shared" / "known" / "report_2024_11.json"
MONTH = "2024-11"


@pytest.fixture(scope="module")
def profile():
    """Return the shipped city."""
    return load_profile(shipped_profiles()["kunming"])


@pytest.fixture(scope="module")
def spec(profile):
    """Return the margins the ledger must hit."""
    return read_spec(profile)


@pytest.fixture(scope="module")
def folder(profile, tmp_path_factory):
    """Return a folder with the calibrated month."""
    path = tmp_path_factory.mktemp("demo")
    write_demo(profile, path, months=1)
    return path


@pytest.fixture(scope="module")
def rows(folder):
    """Return every distinct case of the month as handed in, with the file it came in."""
    tables = []
    for path in sorted(folder.glob("cases-*")):
        if path.suffix == ".xlsx":
            table = pd.read_excel(
                path, dtype=str, header=1, keep_default_na=False, engine="calamine"
            )
        else:
            encoding = "gb18030" if "wechat" in path.name else "utf-8"
            table = pd.read_csv(path, dtype=str, encoding=encoding, keep_default_na=False)
        tables.append(table.assign(file=path.stem.removeprefix(f"cases-{MONTH}").lstrip("-")))
    joined = pd.concat(tables, ignore_index=True)
    return joined[joined["问题描述"] != "合成数据：编号重复"].drop_duplicates("案件编号")


def test_sources_are_those_of_the_report(rows, spec):
    """Accepted cases per source and self-handled ones are the printed numbers."""
    accepted = rows[rows["是否自处置"] == "否"]
    assert accepted["问题来源"].value_counts().to_dict() == {
        "区级监督员上报": 96_955, "市级监督员上报": 64_452, "12345热线": 3_207, "微信公众号": 1_905,
        "其他": 76,
    }  # fmt: skip
    assert (len(accepted), len(rows)) == (166_595, 187_370)
    assert spec.total == len(rows)


def test_margins_agree_with_the_public_report(spec):
    """Region counts and group totals are the printed ones, or lie in the ranges they allow."""
    if not SHARED.exists():
        pytest.skip("the shared report is absent")
    report = json.loads(SHARED.read_text(encoding="utf-8"))
    printed = json.dumps(report, ensure_ascii=False)
    for count in (37_664, 19_473, 11_539, 2_112, 512, 363):
        assert str(count) in printed
        assert count in spec.regions.values()


def test_shares_print_as_in_the_report(spec):
    """The six printed shares come out of the group totals that the margins imply."""
    main = sum(spec.regions[c] for c in ("530102", "530103", "530111", "530112", "530114"))
    zones = sum(spec.regions[f"5301Z{n}"] for n in (1, 2, 3))
    others = sum(spec.regions.values()) - main - zones
    shares = [
        f"{100 * spec.regions[code] / total:.2f}"
        for code, total in (
            ("530102", main), ("530103", main), ("5301Z1", zones), ("5301Z3", zones),
            ("530129", others), ("530125", others),
        )
    ]  # fmt: skip
    assert shares == ["26.45", "13.68", "64.87", "11.87", "10.72", "7.60"]


def test_small_classes_have_the_printed_shares(rows, profile):
    """The four printed classes have their share of the events or components, to two digits."""
    kinds = {category.name: category.kind for category in profile.categories}
    kind = rows["小类"].map(kinds)
    counts = rows["小类"].value_counts()
    shares = {
        name: f"{100 * counts[name] / (kind == kinds[name]).sum():.2f}"
        for name in ("非法小广告", "擅自架设管线杆线设施", "雨水箅子", "不明井盖")
    }
    assert list(shares.values()) == ["17.59", "11.87", "11.31", "9.04"]


def test_rows_without_a_point_name_their_region(rows, spec):
    """Missing or rounded coordinates cost no region: only the explicit rest has neither."""
    used = np.maximum(
        *(rows[axis].str.partition(".")[2].str.rstrip("0").str.len() for axis in ("经度", "纬度"))
    )
    unusable = (rows["经度"] == "") | (used < 4)
    crossing = rows["所属区域"].str.contains("、")
    silent = rows[unusable & (rows["所属区域"] == "")]
    assert len(silent) == spec.unlocated
    assert crossing.sum() == spec.cross_area
    assert (rows.loc[crossing, "经度"] == "").all()


def test_default_point_rows_name_their_region(rows, profile, spec):
    """Rows on the default-geocode point name the region that holds it, as their address does."""
    faults = spec.defects
    on_it = rows[
        (rows["经度"].astype(str) == f"{faults.default_lon:.6f}")
        & (rows["纬度"].astype(str) == f"{faults.default_lat:.6f}")
    ]
    name = {region.code: region.name for region in profile.regions}[faults.default_region]
    assert len(on_it) == faults.default_point_rows
    assert set(on_it["所属区域"]) == {name}
    assert on_it["地址"].str.startswith(name).all()
    assert on_it["地址"].nunique() > 0.9 * len(on_it)


def test_wrongly_declared_batch_lies_deep_inside_its_region(rows, profile, spec):
    """Read as GCJ-02 its points lie more than 1 km inside the region that they state."""
    wrong = rows[rows["file"] == "survey"]
    lon, lat = to_wgs84(wrong["经度"].astype(float), wrong["纬度"].astype(float), "gcj02")
    points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=4326).to_crs(profile.measuring_crs)
    layer = next(layer for layer in profile.layers if layer.kind == "district")
    districts = gpd.read_file(layer.path).set_index("code").to_crs(profile.measuring_crs)
    home = districts.geometry[spec.defects.wrong_datum_region]
    assert len(wrong) == spec.defects.wrong_datum_rows
    assert points.within(home).all()
    assert points.distance(home.boundary).min() > 1000


def test_repeat_points_have_their_complaints(rows, spec):
    """Each repeat vending point has the printed number of citizens' complaints round it."""
    citizens = rows[rows["问题来源"].isin(["12345热线", "微信公众号"])]
    for point in spec.repeat_points:
        mine = citizens[citizens["地址"] == point.address]
        assert len(mine) == point.cases
        assert set(mine["小类"]) == {"占道经营"}
        away_m = 111_320 * np.hypot(
            (mine["经度"].astype(float) - point.lon) * np.cos(np.radians(point.lat)),
            mine["纬度"].astype(float) - point.lat,
        )
        assert np.median(away_m) < 60


def test_cases_cluster_and_follow_the_week(rows):
    """Space is clustered and working days hold more cases than weekends."""
    cells = rows.loc[rows["单元网格编码"] != "", "单元网格编码"].value_counts()
    assert cells.head(len(cells) // 20).sum() > 0.25 * cells.sum()
    taken = pd.to_datetime(rows.loc[rows["受理时间"] != "", "受理时间"])
    per_day = taken.dt.date.value_counts()
    weekend = pd.to_datetime(pd.Index(per_day.index)).day_of_week >= 5
    assert per_day[~weekend].mean() > 1.2 * per_day[weekend].mean()


def test_every_row_says_that_it_is_synthetic(rows):
    """The label is a column of every file, not a file name alone."""
    assert set(rows["数据性质"]) == {"合成数据"}


def test_the_same_profile_gives_the_same_bytes(profile, folder, tmp_path):
    """The ledger is a function of the profile, however many months are written."""
    write_demo(profile, tmp_path, months=3)
    names = sorted(path.name for path in folder.glob("*.csv"))
    kinds = ("cases", "events", "event-log", "tasks", "complaints", "callbacks", "checks")
    assert {f"{kind}-{MONTH}.csv" for kind in kinds} < set(names)
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name
