"""A layer and a grid hold from their first day on; a case keeps what held on its day (版本)."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import text

from boundaries.cells import loaded_cells
from boundaries.read import read_vector
from gridgis.cli.layers import ALWAYS, make_grid
from gridgis.errors import GeometryError
from gridgis.model.period import Period
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import case_digest, import_cases
from gridgis.services.lookup import density
from gridgis.services.monitor import measure_density
from gridgis.services.regions import (
    AreaLayer,
    grid_versions,
    read_areas,
    store_areas,
    store_grid,
)
from gridgis.store.areas import GridFacts, Validity
from gridgis.store.engine import begin

TOY = Path(__file__).resolve().parents[1] / "data" / "toy"
JUNE, JULY = Validity(date(2024, 6, 1)), Validity(date(2024, 7, 1))


def in_june(folder):
    """Write the toy cases once more, as they would be in June, under other numbers."""
    lines = (TOY / "cases.csv").read_text(encoding="utf-8")
    file = folder / "june.csv"
    moved = re.sub(r"\b(\d\d)\.0[234]\.2024", lambda m: f"{min(int(m[1]), 30):02d}.06.2024", lines)
    file.write_text(moved.replace("TV-2024-", "TV-JUNE-"), encoding="utf-8")
    return file


def load(context, file, folder):
    """Import a file by the public way."""
    request = ImportRequest(crs="wgs84", rejects=folder / f"{file.stem}-rejects.csv")
    return import_cases(context, file, request)


def own_cells(context):
    """Return the toy city's own 60 cells in the measuring CRS."""
    frame = read_vector(TOY / "cells.geojson", crs="wgs84")
    return loaded_cells(frame, crs=f"EPSG:{context.city.measuring_srid}")


def store_own(context, validity, version):
    """Store the toy city's own cells as a version of the grid."""
    facts = GridFacts(version, "loaded", None, (), "", validity, "surveyed")
    return store_grid(context, own_cells(context), facts=facts)


def places(context, like):
    """Return where cases are, by number."""
    with begin(context.engine) as tx:
        rows = tx.execute(
            text(
                "SELECT case_no, left(grid_version, -9), cell_code, street_code, region_code, "
                "district_code FROM core.case_record WHERE case_no LIKE :like"
            ),
            {"like": like},
        )
        return {row[0]: tuple(row[1:]) for row in rows}


def spans(context):
    """Return the versions of the grid without their digest, and their days, oldest first."""
    return [
        (row["grid_version"][:-9], row["valid_from"], row["valid_to"])
        for row in reversed(grid_versions(context))
    ]


def test_a_later_grid_does_not_move_earlier_cases(toy, tmp_path):
    """March keeps codes and version; June gets the new cells; importing again changes nothing."""
    load(toy, TOY / "cases.csv", tmp_path)
    load(toy, in_june(tmp_path), tmp_path)
    march, june = places(toy, "TV-2024-%"), places(toy, "TV-JUNE-%")
    store_own(toy, JUNE, "own@2024-06-01")
    assert places(toy, "TV-2024-%") == march
    moved = places(toy, "TV-JUNE-%")
    assert {place[0] for place in moved.values()} == {"own@2024-06-01", None}
    assert {place[1] for place in moved.values()} & set(own_cells(toy)["cell_code"])
    assert {no: place[2:] for no, place in moved.items()} == {
        no: place[2:] for no, place in june.items()
    }
    before = case_digest(toy)
    assert load(toy, TOY / "cases.csv", tmp_path).unchanged == len(march)
    assert case_digest(toy) == before


def test_an_import_after_the_change_is_placed_by_its_day(toy, tmp_path):
    """A late report of March is placed in the grid of March."""
    store_own(toy, JUNE, "own@2024-06-01")
    load(toy, TOY / "cases.csv", tmp_path)
    load(toy, in_june(tmp_path), tmp_path)
    assert {place[0] for place in places(toy, "TV-2024-%").values()} == {"square-100", None}
    assert {place[0] for place in places(toy, "TV-JUNE-%").values()} == {"own@2024-06-01", None}


def test_a_grid_of_the_same_day_is_replaced(toy):
    """Loading the version of a day again leaves one version of that day."""
    store_own(toy, JUNE, "first@2024-06-01")
    store_own(toy, JUNE, "second@2024-06-01")
    assert spans(toy) == [
        ("square-100", None, "2024-06-01"),
        ("second@2024-06-01", "2024-06-01", None),
    ]


def test_a_run_is_not_drawn_on_other_cells_of_the_same_codes(toy, tmp_path):
    """Cells replaced under their old codes are another version; the same cells are the same one."""
    load(toy, TOY / "cases.csv", tmp_path)
    store_own(toy, ALWAYS, "own")
    (first,) = grid_versions(toy)
    measure_density(toy, period=Period.month("2024-03", "Europe/Helsinki"))
    store_own(toy, ALWAYS, "own")
    assert grid_versions(toy)[0]["grid_version"] == first["grid_version"]
    cells = own_cells(toy)
    cells["cell_code"] = cells["cell_code"].to_numpy()[::-1]
    store_grid(toy, cells, facts=GridFacts("own", "loaded", None, (), "", ALWAYS))
    (other,) = grid_versions(toy)
    assert other["grid_version"] != first["grid_version"]
    assert not density(toy, level="cell", month="2024-03")["rows"]


def test_an_earlier_grid_ends_where_the_next_begins(toy):
    """Mending an old version leaves the newer one as it is."""
    store_own(toy, JULY, "july")
    store_own(toy, JUNE, "june")
    assert spans(toy) == [
        ("square-100", None, "2024-06-01"),
        ("june", "2024-06-01", "2024-07-01"),
        ("july", "2024-07-01", None),
    ]


def test_cells_made_for_a_day_use_the_areas_of_that_day(toy):
    """A street layer that begins in June gives its codes to cells made for June."""
    streets = read_areas(toy, "street").to_crs(4326)
    renamed = streets.assign(code=streets["code"].str[:6] + "9" + streets["code"].str[7:])
    store_areas(
        toy, [AreaLayer("street", renamed, "synthetic", "")], profile=toy.profile(), validity=JUNE
    )
    for validity, digit in ((JUNE, "9"), (Validity(date(2024, 5, 1)), "0")):
        make_grid(toy, toy.profile(), size_m=200, within=("zone:9909Z1",), validity=validity)
        cells = read_areas(toy, "cell", day=validity.start)
        assert set(cells["code"].str[6]) == {digit}


def test_an_empty_grid_is_refused(toy):
    """A version without a cell would take every case out of the grid; nothing changes."""
    facts = GridFacts("none", "loaded", None, (), "", JUNE)
    with pytest.raises(GeometryError, match="at least one cell"):
        store_grid(toy, own_cells(toy).iloc[:0], facts=facts)
    assert spans(toy) == [("square-100", None, None)]


def districts(context, **moved):
    """Return today's districts, some with another shape."""
    frame = read_areas(context, "district").to_crs(4326)
    frame.geometry = [
        moved.get(f"d{code}", shape)
        for code, shape in zip(frame["code"], frame.geometry, strict=True)
    ]
    return AreaLayer("district", frame, "surveyed", "")


def test_a_later_district_layer_does_not_move_earlier_cases(toy, tmp_path):
    """From June on the north takes the south in; March counts where it counted."""
    load(toy, TOY / "cases.csv", tmp_path)
    load(toy, in_june(tmp_path), tmp_path)
    march = places(toy, "TV-2024-%")
    south = read_areas(toy, "district").set_index("code").geometry["990902"]
    layer = districts(toy)
    both = layer.frame[layer.frame["code"].isin(["990901", "990902"])].union_all()
    frame = layer.frame[layer.frame["code"] != "990902"].copy()
    frame.loc[frame["code"] == "990901", "geometry"] = gpd.GeoSeries([both], crs=4326).to_numpy()
    store_areas(toy, [replace(layer, frame=frame)], profile=toy.profile(), validity=JUNE)
    assert places(toy, "TV-2024-%") == march
    with begin(toy.engine) as tx:
        counts = dict(
            tx.execute(
                text(
                    "SELECT region_code, count(*) FROM core.case_record WHERE case_no LIKE "
                    "'TV-JUNE-%' AND region_method = 'polygon' GROUP BY 1"
                )
            ).all()
        )
    assert "990902" not in counts
    assert read_areas(toy, "district", day=date(2024, 5, 31)).shape[0] == 3
    assert read_areas(toy, "district", day=date(2024, 6, 1)).shape[0] == 2
    covered = read_areas(toy, "district", day=date(2024, 6, 1)).union_all()
    assert shapely.difference(south, covered).area < 1e-12


def test_a_layer_to_come_is_not_yet_today(toy):
    """What begins in a far year is stored, and today stays as it is."""
    later = Validity(date(2990, 1, 1))
    only = districts(toy)
    only = replace(only, frame=only.frame.iloc[:1])
    store_areas(toy, [only], profile=toy.profile(), validity=later)
    assert len(read_areas(toy, "district")) == 3
    assert len(read_areas(toy, "district", day=later.start)) == 1


def test_a_layer_stored_again_replaces_itself_alone(toy):
    """Storing the layer of ever again keeps that of June, and the other kinds."""
    base = districts(toy)
    store_areas(toy, [base], profile=toy.profile(), validity=JUNE)
    store_areas(toy, [replace(base, quality="approximate")], profile=toy.profile(), validity=ALWAYS)
    may = read_areas(toy, "district", day=date(2024, 5, 31))
    june = read_areas(toy, "district", day=date(2024, 6, 1))
    assert set(may["quality"]) == {"approximate"}
    assert set(may["valid_to"]) == {"2024-06-01"}
    assert set(june["quality"]) == {"surveyed"}
    assert len(read_areas(toy, "zone")) == 1


def test_a_region_may_begin_and_end_inside_its_layer(toy):
    """Dates in regions.csv bound a region; its layer holds before and after."""
    profile = toy.profile()
    own = {"990902": {"valid_from": date(2024, 4, 1)}, "990903": {"valid_to": date(2024, 3, 1)}}
    regions = tuple(replace(region, **own.get(region.code, {})) for region in profile.regions)
    store_areas(toy, [districts(toy)], profile=replace(profile, regions=regions), validity=ALWAYS)
    days = {day: set(read_areas(toy, "district", day=day)["code"]) for day in (
        date(2024, 2, 29), date(2024, 3, 1), date(2024, 4, 1))}  # fmt: skip
    assert list(days.values()) == [
        {"990901", "990903"},
        {"990901"},
        {"990901", "990902"},
    ]


def test_regions_without_polygon_still_count_what_names_them(toy, tmp_path):
    """A layer without the East Bank: its cases count there only if they say so."""
    base = districts(toy)
    frame = base.frame[base.frame["code"] != "990903"]
    store_areas(toy, [replace(base, frame=frame)], profile=toy.profile(), validity=ALWAYS)
    load(toy, TOY / "cases.csv", tmp_path)
    with begin(toy.engine) as tx:
        methods = tx.scalars(
            text("SELECT DISTINCT region_method FROM core.case_record WHERE region_code = '990903'")
        )
        assert set(methods) == {"stated"}


def test_read_areas_says_how_good_they_are(toy):
    """Quality, the approximate and the synthetic mark and the origin come with every area."""
    frame = read_areas(toy, "street")
    assert {"code", "name", "quality", "approximate", "synthetic", "attribution"} <= set(frame)
    assert frame["approximate"].all()
    assert frame["synthetic"].all()
    assert frame.crs.to_epsg() == 4326
    assert frame["code"].is_monotonic_increasing
