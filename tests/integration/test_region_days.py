"""What is left of a region, its host and its cells are right on every day (区域逐日)."""

from dataclasses import replace
from datetime import date
from itertools import permutations

import geopandas as gpd
import pytest
import shapely
from shapely.affinity import translate
from sqlalchemy import text

from gridgis.cli.layers import ALWAYS, make_grid
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_cases
from gridgis.services.regions import AreaLayer, read_areas, store_areas
from gridgis.store.areas import Validity
from gridgis.store.engine import begin

JUNE, JULY = Validity(date(2024, 6, 1)), Validity(date(2024, 7, 1))
MAY_31, JUNE_1 = date(2024, 5, 31), date(2024, 6, 1)
HEADER = (
    "Ticket,Kind,Channel,Text,Where,Area,X,Y,Handled by,Fixed on the spot,Reported,Taken in,Sent,"
    "Deadline,Fixed,Closed"
)
DERIVED = (
    "region_code, layer_from::text, valid_from::text, valid_to::text, host_district, area_m2, "
    "land_area_m2, ST_AsBinary(managed_geom), ST_AsBinary(label_point)"
)


def layer(context, kind, shapes=None):
    """Return today's areas of a kind, some with another shape, those of None left out."""
    frame = read_areas(context, kind)[["code", "name", "geometry"]]
    changed = dict(zip(frame["code"], frame.geometry, strict=True)) | (shapes or {})
    frame = frame.set_geometry(gpd.GeoSeries([changed[c] for c in frame["code"]], crs=4326))
    return AreaLayer(kind, frame[frame.geometry.notna()], "surveyed", "")


def store(context, areas, validity):
    """Store one layer by the public way."""
    return store_areas(context, [areas], profile=context.profile(), validity=validity)


def moved_zone(context, metres_north=0.0, metres_west=0.0):
    """Return the zone layer with its zone in another place."""
    shape = read_areas(context, "zone").to_crs(3067).geometry.iloc[0]
    there = gpd.GeoSeries([translate(shape, -metres_west, metres_north)], crs=3067).to_crs(4326)
    return layer(context, "zone", {"9909Z1": there.iloc[0]})


def rows(context, columns=DERIVED):
    """Return all rows of regions, in order."""
    with begin(context.engine) as tx:
        found = tx.execute(text(f"SELECT {columns} FROM core.region ORDER BY 1, 2, 3"))  # noqa: S608 - our own columns
        return [tuple(row) for row in found]


def on(context, code, day):
    """Return the row of a region that holds on a day, with what is left of it in metres."""
    with begin(context.engine) as tx:
        row = tx.execute(
            text(
                "SELECT host_district, area_m2, land_area_m2, ST_AsBinary(managed_geom) AS wkb "
                "FROM core.region WHERE region_code = :code "
                "AND daterange(valid_from, valid_to) @> CAST(:day AS date)"
            ),
            {"code": code, "day": day},
        ).one()
    return row, gpd.GeoSeries([shapely.from_wkb(row.wkb)], crs=4326).to_crs(3067).iloc[0]


def spans(context, code):
    """Return the days of the rows of a region."""
    return [
        row[1:]
        for row in rows(context, "region_code, valid_from::text, valid_to::text")
        if row[0] == code
    ]


def shape_on(context, kind, code, day):
    """Return a loaded shape as it was on a day, in metres."""
    return read_areas(context, kind, day=day).set_index("code").to_crs(3067).geometry[code]


def cell_regions(context, day):
    """Return the region of every cell of the grid of a day."""
    with begin(context.engine) as tx:
        found = tx.execute(
            text(
                "SELECT cell_code, region_code FROM core.unit_grid JOIN core.grid USING "
                "(grid_version) WHERE daterange(valid_from, valid_to) @> CAST(:day AS date)"
            ),
            {"day": day},
        )
        return {row[0]: row[1] for row in found}


@pytest.mark.parametrize("again", [False, True])
def test_a_moved_zone_leaves_its_old_place_to_the_district(toy, again):
    """Before and after the move the district is whole but for the zone of that very day."""
    store(toy, moved_zone(toy, metres_north=900), JUNE)
    if again:
        store(toy, layer(toy, "district"), ALWAYS)
    water = read_areas(toy, "water").to_crs(3067).union_all()
    for day in (MAY_31, JUNE_1):
        zone = shape_on(toy, "zone", "9909Z1", day)
        for code in ("990901", "990902", "990903"):
            row, managed = on(toy, code, day)
            left = shape_on(toy, "district", code, day).difference(zone)
            assert managed.symmetric_difference(left).area < 1
            assert row.area_m2 == pytest.approx(left.area, abs=1)
            assert row.land_area_m2 == pytest.approx(left.difference(water).area, abs=1)
    assert on(toy, "990903", MAY_31)[0].area_m2 != on(toy, "990903", JUNE_1)[0].area_m2


def test_the_order_of_loading_does_not_matter(toy):
    """Four layers of two kinds and three starts, loaded in any order, give the same rows."""
    steps = [
        (layer(toy, "district"), ALWAYS),
        (layer(toy, "zone"), ALWAYS),
        (moved_zone(toy, metres_north=900), JUNE),
        (layer(toy, "district", {"990902": None}), JULY),
    ]
    found = []
    for order in permutations(steps):
        with begin(toy.engine) as tx:
            tx.execute(text("DELETE FROM core.region"))
        for areas, validity in order:
            store(toy, areas, validity)
        found.append(rows(toy))
    assert all(other == found[0] for other in found[1:])


def test_a_layer_of_the_same_start_is_replaced_whole(toy):
    """Rows cut at the days of another kind all go when their layer is loaded again."""
    districts, moved = layer(toy, "district"), moved_zone(toy, metres_north=900)
    store(toy, moved, JUNE)
    before = rows(toy)
    store(toy, districts, ALWAYS)
    store(toy, moved, JUNE)
    assert rows(toy) == before


def test_rows_are_whole_again_where_no_zone_cuts_them(toy):
    """A district that a zone lay over by mistake has one row again, and kept its own days."""
    right = layer(toy, "zone")
    store(toy, moved_zone(toy, metres_west=2000), JUNE)
    assert len(spans(toy, "990902")) == 2
    assert set(read_areas(toy, "district")["valid_from"]) == {None}
    assert set(read_areas(toy, "district", day=MAY_31)["valid_to"]) == {None}
    store(toy, right, JUNE)
    assert spans(toy, "990902") == [("-infinity", "infinity")]
    with begin(toy.engine) as tx:
        tx.execute(text("DELETE FROM core.region WHERE kind = 'zone'"))
    store(toy, AreaLayer("water", read_areas(toy, "water"), "synthetic", ""), ALWAYS)
    assert spans(toy, "990903") == [("-infinity", "infinity")]
    whole = shape_on(toy, "district", "990903", JUNE_1)
    assert on(toy, "990903", JUNE_1)[1].symmetric_difference(whole).area < 1


def test_a_zone_has_the_host_of_the_day(toy, tmp_path):
    """From June on another district holds the zone; a case that only names it follows its day."""
    districts = read_areas(toy, "district")
    wide = districts.union_all()
    taken = {"990901": wide, "990902": None, "990903": None}
    store(toy, layer(toy, "district", taken), JUNE)
    hosts = [on(toy, "9909Z1", day)[0].host_district for day in (MAY_31, JUNE_1)]
    assert hosts == ["990903", "990901"]
    file = tmp_path / "cases.csv"
    lines = [
        f"T-{at},Litter,Phone line,,,Harbour,,,Works,no,{at}.2024 10:00,{at}.2024 10:05,,,,"
        for at in ("31.05", "01.06")
    ]
    file.write_text("\n".join([HEADER, *lines]))
    import_cases(toy, file, ImportRequest(crs="wgs84"))
    with begin(toy.engine) as tx:
        found = tx.execute(text("SELECT case_no, district_code FROM core.case_record ORDER BY 1"))
        assert [tuple(row) for row in found] == [("T-01.06", "990901"), ("T-31.05", "990903")]


def test_a_zone_without_district_has_no_host(toy):
    """What an earlier layer said of the host goes with that layer."""
    assert on(toy, "9909Z1", JUNE_1)[0].host_district == "990903"
    store(toy, layer(toy, "district", {"990903": None}), ALWAYS)
    assert on(toy, "9909Z1", JUNE_1)[0].host_district is None


def test_cells_follow_the_last_zone_of_their_grid(toy):
    """Cells of the zone's old place go back to the district, those of its new place to it."""
    before = cell_regions(toy, MAY_31)
    store(toy, moved_zone(toy, metres_north=900), JUNE)
    cells = read_areas(toy, "cell").to_crs(3067).set_index("code")
    zone = shape_on(toy, "zone", "9909Z1", JUNE_1)
    inside = cells.geometry.representative_point().within(zone)
    after = cell_regions(toy, JUNE_1)
    assert {after[code] for code in cells.index[inside]} == {"9909Z1"}
    left = {code for code in cells.index[~inside] if before[code] == "9909Z1"}
    assert left
    assert {after[code] for code in left} == {"990903"}


def test_cells_of_an_ended_grid_keep_its_last_zone(toy):
    """A zone that moves after the grid ended moves no cell of it, also if its region ended."""
    before = cell_regions(toy, MAY_31)
    make_grid(toy, toy.profile(), size_m=200, within=("district:990903",), validity=JUNE)
    store(toy, moved_zone(toy, metres_north=900), JUNE)
    assert cell_regions(toy, MAY_31) == before
    assert "9909Z1" in before.values()


def test_a_region_that_ended_yields_its_cells(toy):
    """The zone ends in June by its own date: from then on its cells are the district's."""
    profile = toy.profile()
    regions = tuple(
        replace(r, valid_to=JUNE_1) if r.code == "9909Z1" else r for r in profile.regions
    )
    store_areas(
        toy, [layer(toy, "zone")], profile=replace(profile, regions=regions), validity=ALWAYS
    )
    assert "9909Z1" not in cell_regions(toy, JUNE_1).values()
    assert None not in cell_regions(toy, JUNE_1).values()


def test_cells_that_no_region_covers_any_more_have_none(toy):
    """The north is loaded again without its polygon: its cells are of no region, and come back."""
    before, north = cell_regions(toy, JUNE_1), layer(toy, "district")
    store(toy, layer(toy, "district", {"990901": None}), ALWAYS)
    after = cell_regions(toy, JUNE_1)
    changed = {code for code in before if before[code] != after[code]}
    assert {before[code] for code in changed} == {"990901"}
    assert {after[code] for code in changed} == {None}
    store(toy, north, ALWAYS)
    assert cell_regions(toy, JUNE_1) == before
