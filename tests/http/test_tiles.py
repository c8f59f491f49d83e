"""`/tiles`: what a tile holds, how it is kept, what is refused."""

import gzip
import math
import struct

import pytest
from sqlalchemy import text

from gridgis.model.period import Period
from gridgis.services.monitor import measure_density
from gridgis.store.engine import begin
from gridgis.store.placement import place_stored

RUN = "/tiles/1"
ORIGIN = (24.95, 60.30)


def address(zoom):
    """Return x, y of the tile over the toy city."""
    lon, lat = ORIGIN
    n = 2**zoom
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n
    return int((lon + 180) / 360 * n), int(y)


def around(zoom, reach=1):
    """Yield tile addresses over and beside the toy city."""
    x, y = address(zoom)
    for dx in range(-reach, reach + 1):
        for dy in range(-reach, reach + 1):
            yield x + dx, y + dy


def varint(content, at):
    """Return a protobuf varint and where it ends."""
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(content):
    """Yield (number, value) of a protobuf message."""
    at = 0
    while at < len(content):
        key, at = varint(content, at)
        if key & 7 == 0:
            value, at = varint(content, at)
        elif key & 7 == 2:
            size, at = varint(content, at)
            value, at = content[at : at + size], at + size
        else:
            width = {1: 8, 5: 4}[key & 7]
            value, at = content[at : at + width], at + width
        yield key >> 3, value


def value_of(message):
    """Return one value of a layer's table."""
    number, value = next(fields(message))
    readers = {1: lambda v: v.decode(), 3: lambda v: struct.unpack("<d", v)[0]}
    return readers.get(number, lambda v: v >> 1 if number == 6 else v)(value)


def decode(content):
    """Return {layer: [(id, properties)]} of a vector tile (version 2 of the specification)."""
    layers = {}
    for _, layer in fields(content):
        parts = list(fields(layer))
        name = next(value.decode() for number, value in parts if number == 1)
        keys = [value.decode() for number, value in parts if number == 3]
        values = [value_of(value) for number, value in parts if number == 4]
        layers[name] = []
        for feature in (value for number, value in parts if number == 2):
            own = dict(fields(feature))
            tags, at = [], 0
            while at < len(own.get(2, b"")):
                tag, at = varint(own[2], at)
                tags.append(tag)
            properties = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}
            layers[name].append((own.get(1), properties))
    return layers


def read(served, layer, zoom, **params):
    """Return {id or code: properties} of a layer over the city at one zoom."""
    found = {}
    for x, y in around(zoom, 1 if zoom < 12 else 3):
        answer = served.client.get(f"{RUN}/{layer}/{zoom}/{x}/{y}.mvt", params=params)
        assert answer.status_code in {200, 204}
        for key, properties in decode(answer.content).get(layer, []):
            found[properties.get("code", key)] = properties
    return found


@pytest.mark.parametrize("params", [
    {}, {"category": "S01"}, {"source": "wechat"}, {"district": "990901"},
    {"category": "Litter", "district": "9909Z1"},
])  # fmt: skip
@pytest.mark.parametrize(("zoom", "level"), [
    (9, "block1000"), (10, "block500"), (11, "block500"), (12, "cell"), (14, "cell"),
])  # fmt: skip
def test_tiles_hold_what_the_legend_says(served, zoom, level, params):
    """Places and cases of all tiles of a zoom are those of its legend, for any filter (W3)."""
    legend = served.get("/api/v1/density/legend", level=level, month="2024-03", **params)
    tiles = read(served, "cells", zoom, **params)
    assert sum(entry["n"] for entry in tiles.values()) == sum(c["cases"] for c in legend["classes"])
    zero = [entry for entry in tiles.values() if entry["n"] == 0]
    assert len(zero) == legend["zero"]["places"]
    for entry in legend["classes"]:
        mine = [t for t in tiles.values() if entry["lo"] < t["n"] <= entry["hi"]]
        assert len(mine) == entry["places"]


@pytest.mark.parametrize("params", [{}, {"category": "B"}, {"district": "990902"}])
@pytest.mark.parametrize(("layer", "level"), [("streets", "street"), ("districts", "district")])
def test_areas_have_the_values_of_the_density(served, layer, level, params):
    """`n` and `v` of a drawn area are numerator and value of its row, to the last digit."""
    rows = served.get("/api/v1/density", level=level, month="2024-03", **params)["rows"]
    rows = {row["code"]: row for row in rows if row["kind"] != "rest"}
    tiles = read(served, layer, 11, **params)
    assert {code: (t["n"], t["v"]) for code, t in tiles.items()} == {
        code: (row["numerator"], row["value"]) for code, row in rows.items()
    }


def test_cell_ids_are_their_codes(served):
    """The feature id leads straight to the cell."""
    tiles = read(served, "cells", 13)
    code = max(tiles, key=lambda key: tiles[key]["n"])
    cell = served.get(f"/api/v1/cells/{code}")
    assert cell["cell_code"] == str(code)
    assert cell["counts"]["cases"] == tiles[code]["n"]


def test_base_names_regions_and_streets(served):
    """The base layer has names with their kind; streets from zoom 11 on."""
    for zoom, kinds in (
        (9, {"district", "zone", "water"}),
        (12, {"district", "zone", "street", "water"}),
    ):
        x, y = address(zoom)
        found = set()
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1), (-1, 0), (0, -1)):
            content = served.client.get(f"{RUN}/base/{zoom}/{x + dx}/{y + dy}.mvt").content
            found |= {p["kind"] for _, p in decode(content).get("names", [])}
        assert found == kinds


def test_tile_is_kept_for_good(served):
    """A run never changes: immutable, with a tag that answers 304."""
    x, y = address(12)
    path = f"{RUN}/cells/12/{x}/{y}.mvt"
    first = served.client.get(path)
    assert "immutable" in first.headers["cache-control"]
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    again = served.client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" in again.headers["cache-control"]


def test_changed_areas_change_the_address_of_every_tile(own):
    """Borders are today's: after they move, tiles have another address and another tag."""
    x, y = address(12)
    path = own.get(f"{RUN}/base/tilejson.json")["tiles"][0].format(z=12, x=x, y=y)
    before = own.client.get(path)
    with begin(own.context.engine) as tx:
        tx.execute(text("UPDATE core.region SET name = name || ' 2'"))
        place_stored(tx)
    after = own.client.get(path, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.content != before.content
    assert own.get(f"{RUN}/base/tilejson.json")["tiles"][0].format(z=12, x=x, y=y) != path


def test_tile_is_unpacked_for_those_who_cannot(served):
    """Without gzip in Accept-Encoding the tile comes plain."""
    x, y = address(12)
    path = f"{RUN}/cells/12/{x}/{y}.mvt"
    plain = served.client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == served.client.get(path).content
    assert plain.headers["vary"] == "Accept-Encoding"


def test_empty_tile_has_no_content(served):
    """204 where nothing lies, and below the zoom ladder of cells."""
    assert served.client.get(f"{RUN}/cells/12/0/0.mvt").status_code == 204
    x, y = address(8)
    assert served.client.get(f"{RUN}/cells/8/{x}/{y}.mvt").status_code == 204


def test_latest_leads_to_the_newest_run(own):
    """307 to the number of the run, filters kept; another run moves it."""
    path = "/tiles/latest/cells/12/2332/1186.mvt"
    params = {"month": "2024-03", "category": "Litter"}
    first = own.client.get(path, params=params)
    assert first.status_code == 307
    assert first.headers["location"] == "/tiles/1/cells/12/2332/1186.mvt?category=Litter"
    measure_density(own.context, period=Period.month("2024-03", "Europe/Helsinki"))
    assert own.client.get(path, params=params).headers["location"].startswith("/tiles/2/")
    followed = own.client.get(path, params=params, follow_redirects=True)
    assert followed.status_code in {200, 204}


def test_tilejson_says_where_tiles_are(served):
    """The template gives tiles, and a mark that no other run or database shares."""
    found = served.get(f"{RUN}/cells/tilejson.json", category="S")
    template = found["tiles"][0]
    assert "category=S" in template
    x, y = address(12)
    answer = served.client.get(template.format(z=12, x=x, y=y))
    assert answer.status_code == 200
    west, south, east, north = found["bounds"]
    assert west < ORIGIN[0] < east
    assert south < ORIGIN[1] < north
    assert found["vector_layers"] == [{"id": "cells", "fields": {"n": "cases"}}]


@pytest.mark.parametrize("path", ["23/0/0", "-1/0/0", "12/4096/0", "12/0/4096", "12/-1/0", "x/0/0"])
def test_addresses_off_the_world_are_bad_values(served, path):
    """Zoom is 0 to 22, x and y lie below 2^z."""
    assert served.client.get(f"{RUN}/cells/{path}.mvt").status_code == 400


def test_every_tile_of_the_city_is_small(served):
    """At most 100 KB gzipped (the toy city is small; the budget is the contract)."""
    for zoom in (9, 10, 12):
        x, y = address(zoom)
        with served.client.stream("GET", f"{RUN}/cells/{zoom}/{x}/{y}.mvt") as answer:
            packed = b"".join(answer.iter_raw())
        assert len(packed) <= 100_000
        assert decode(gzip.decompress(packed))["cells"]
