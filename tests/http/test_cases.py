"""`/api/v1/cases`: filters, pages, formats."""

import csv
import io
import json
from datetime import datetime
from urllib.parse import quote

import pytest

from gridgis.services.context import open_context

CASES = "/api/v1/cases"
EAST_BANK = [[[24.97, 60.285], [25.0, 60.285], [25.0, 60.31], [24.97, 60.31], [24.97, 60.285]]]


@pytest.fixture(scope="module")
def every(served):
    """Return every case, in the order of the list."""
    return walk(served, limit=1000)


def walk(served, path=CASES, **params):
    """Return the cases of all pages, following the Link header; totals must agree."""
    found, address, totals = (
        [],
        str(served.client.build_request("GET", path, params=params).url),
        set(),
    )
    while address:
        answer = served.client.get(address)
        assert answer.status_code == 200, answer.text
        found += answer.json()["cases"]
        totals.add(int(answer.headers["X-Total-Count"]))
        address = answer.links.get("next", {}).get("url")
    assert totals == {len(found)}
    return found


def numbers(cases):
    """Return case numbers in order."""
    return [case["case_no"] for case in cases]


def at(text):
    """Return an instant."""
    return datetime.fromisoformat(text)


FILTERS = {
    "category": ({"category": "S0101"}, lambda c: c["subcategory_code"] == "S0101"),
    "prefix": ({"category": "S"}, lambda c: c["subcategory_code"][0] == "S"),
    "category name": ({"category": "Litter"}, lambda c: c["subcategory_code"] == "S0101"),
    "alias": ({"category": "rubbish"}, lambda c: c["subcategory_code"] == "S0101"),
    "class name": ({"category": "cleanliness"}, lambda c: c["subcategory_code"][:3] == "S01"),
    "source": ({"source": "wechat"}, lambda c: c["source"] == "wechat"),
    "source name": ({"source": "Phone line"}, lambda c: c["source"] == "hotline_12345"),
    "district": ({"district": "990901"}, lambda c: c["region_code"] == "990901"),
    "zone": ({"district": "9909Z1"}, lambda c: c["region_code"] == "9909Z1"),
    "zone name": ({"district": "harbour"}, lambda c: c["region_code"] == "9909Z1"),
    "street": ({"street": "990901001"}, lambda c: c["street_code"] == "990901001"),
    "street name": ({"street": "Mill Street"}, lambda c: c["street_code"] == "990901001"),
    "status": ({"status": "closed"}, lambda c: c["status"] == "closed"),
    "from": (
        {"from_": "2024-03-15"},
        lambda c: c["counted_at"] and c["counted_at"] >= "2024-03-15",
    ),
    "to": ({"to": "2024-03-15"}, lambda c: c["counted_at"] and c["counted_at"] < "2024-03-15"),
    "from and to": (
        {"from_": "2024-03-05T06:00", "to": "2024-03-20T12:00:00+02:00"},
        lambda c: (
            c["counted_at"]
            and at("2024-03-05T06:00+02:00") <= at(c["counted_at"]) < at("2024-03-20T12:00+02:00")
        ),
    ),
    "month": ({"month": "2024-03"}, lambda c: (c["counted_at"] or "")[:7] == "2024-03"),
    "bbox": (
        {"bbox": "24.94,60.295,24.96,60.30"},
        lambda c: c["lon"] and 24.94 <= c["lon"] <= 24.96 and 60.295 <= c["lat"] <= 60.30,
    ),
    "two": (
        {"category": "S0101", "district": "990901"},
        lambda c: c["subcategory_code"] == "S0101" and c["region_code"] == "990901",
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filter_means_the_cases_it_says(served, every, name):
    """A filter gives those cases of the whole list for which it holds, in the same order."""
    params, holds = FILTERS[name]
    params = {key.rstrip("_"): value for key, value in params.items()}
    expected = [case["case_no"] for case in every if holds(case)]
    assert 0 < len(expected) < len(every)
    assert numbers(walk(served, limit=1000, **params)) == expected


def test_cell_filter_gives_the_cases_of_the_cell(served, every):
    """Each cell's cases are those that name it."""
    code = next(case["cell_code"] for case in every if case["cell_code"])
    expected = [case["case_no"] for case in every if case["cell_code"] == code]
    assert numbers(walk(served, cell=code)) == expected


def test_near_counts_metres_on_the_ground(served, every):
    """Cases within a radius are those within that distance of the point in the measuring CRS."""
    lon, lat = 24.945, 60.297
    found = set(numbers(walk(served, near=f"{lon},{lat}", radius_m=400)))
    by_sql = served.scalar(
        "SELECT count(*) FROM core.case_record WHERE ST_Distance(geom::geography, "
        "ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography) <= 400",
        lon=lon, lat=lat,
    )  # fmt: skip
    assert 0 < len(found) == by_sql < len(every)


def test_updated_since_is_inclusive(served, every):
    """All cases were changed at one moment: from it on all, after it none."""
    moment = every[0]["updated_at"]
    assert served.get(CASES, updated_since=moment)["total"] == len(every)
    assert served.get(CASES, updated_since="2199-01-01")["total"] == 0


def test_pages_have_no_gaps_and_no_repeats(served, every):
    """Pages of any size give the whole list, each case once."""
    for limit in (7, 100, 277, 1000):
        assert numbers(walk(served, limit=limit)) == numbers(every)
    assert len(set(numbers(every))) == len(every) == 277


def test_list_is_in_the_order_of_listed_at(every):
    """Cases come by listed_at, then by number."""
    keys = [(at(case["listed_at"]), case["case_no"]) for case in every]
    assert keys == sorted(keys)


def test_times_carry_the_offset_of_the_city(every):
    """Helsinki's offset: +02:00, and +03:00 after the last Sunday of March."""
    assert {case["reported_at"][-6:] for case in every} == {"+02:00", "+03:00"}


def test_pages_survive_rows_that_are_added(own):
    """A row added between two pages neither repeats nor hides another."""
    first = own.get(CASES, limit=100)
    with own.context.engine.begin() as session:
        session.exec_driver_sql(
            "INSERT INTO core.case_record (case_no, case_kind, category_code, subcategory_code, "
            "source, self_handled, reported_at, region_method, no_cell_reason, file_id, row_no, "
            "row_hash) SELECT 'NEW-' || n, 'event', 'S01', 'S0101', 'other', false, "
            "timestamptz '2024-02-01' + n * interval '1 day', 'none', 'no_point', 1, 9000 + n, "
            "md5(n::text)::uuid FROM generate_series(0, 50) AS n"
        )
        session.exec_driver_sql("UPDATE core.data_version SET version = version + 1")
    rest, cursor = [], first["cursor"]
    while cursor:
        page = own.get(CASES, limit=100, cursor=cursor)
        rest += numbers(page["cases"])
        cursor = page["cursor"]
    seen = numbers(first["cases"]) + rest
    assert len(seen) == len(set(seen))
    old = own.scalar("SELECT count(*) FROM core.case_record WHERE case_no NOT LIKE 'NEW-%'")
    assert sum(not number.startswith("NEW-") for number in seen) == old
    assert page["total"] == old + 51


def test_cursor_of_other_filters_is_refused(served):
    """A cursor continues its own list only."""
    cursor = served.get(CASES, limit=5)["cursor"]
    answer = served.client.get(CASES, params={"limit": 5, "cursor": cursor, "category": "S"})
    assert answer.status_code == 400
    assert "other filters" in answer.json()["detail"]


@pytest.mark.parametrize("cursor", [
    "x", "%%%", "bnVsbA", "W10", "WyJhIl0", "eyJhIjoxfQ", "W1tbW1tb" * 500, "é", "1" * 5000,
    "WyIyMDI0LTAzLTExVDIwOjUzOjAwIiwgIkEiLCAiYiIsIDEsIDFd",
    "WyIyMDI0LTAzLTExVDIwOjUzOjAwKzAyOjAwIiwgIlx1MDAwMCIsICJiIiwgMSwgMV0",
    "WyIyMDI0LTAzLTExVDIwOjUzOjAwKzAyOjAwIiwgIlx1ZDgwMCIsICJiIiwgMSwgMV0",
    "WyIyMDI0LTAzLTExVDIwOjUzOjAwKzAyOjAwIiwgIkEiLCAiYiIsIEluZmluaXR5LCAxXQ",
])  # fmt: skip
def test_garbage_cursor_is_a_bad_value(served, cursor):
    """Whatever is sent as a cursor, the answer is 400."""
    answer = served.client.get(CASES, params={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.json()["code"] == "input_error"


def test_geojson_holds_every_case_and_null_geometry(served, every):
    """Features are the cases of the page; an unlocated one has a null geometry."""
    answer = served.client.get(CASES, params={"f": "geojson", "limit": 1000})
    page = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    assert [feature["id"] for feature in page["features"]] == numbers(every)
    nowhere = [f["id"] for f in page["features"] if f["geometry"] is None]
    assert nowhere == [case["case_no"] for case in every if case["lon"] is None]
    assert nowhere
    first = next(f for f in page["features"] if f["geometry"])
    twin = next(case for case in every if case["case_no"] == first["id"])
    assert first["geometry"]["coordinates"] == [twin["lon"], twin["lat"]]


def test_whole_geojson_is_what_its_pages_are(served):
    """Without limit and cursor the file holds every case, feature by feature as pages do."""
    answer = served.client.get(CASES, params={"f": "geojson"})
    whole, paged = answer.json(), served.get(CASES, f="geojson", limit=1000)
    assert "attachment" in answer.headers["content-disposition"]
    assert int(answer.headers["X-Total-Count"]) == whole["returned"] == 277
    assert whole["features"] == paged["features"]
    head = {"synthetic", "notice", "crs", "filters", "total", "returned"}
    assert {name: whole[name] for name in head} == {name: paged[name] for name in head}


def test_csv_is_what_an_office_opens(served, every):
    """A byte order mark, CRLF, one header line, the whole filtered set in order."""
    answer = served.client.get(CASES, params={"f": "csv"})
    content = answer.content
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert int(answer.headers["X-Total-Count"]) == len(every)
    assert content.startswith(b"\xef\xbb\xbfcase_no,")
    assert content.count(b"\n") == content.count(b"\r\n") == len(every) + 1
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [row["case_no"] for row in rows] == numbers(every)
    assert [row["lon"] for row in rows] == [
        "" if c["lon"] is None else str(c["lon"]) for c in every
    ]


def test_csv_defuses_formulas(own):
    """A text cell that starts like a formula gets an apostrophe; numbers keep their sign."""
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "＝1", "a=1"]
    with own.context.engine.begin() as session:
        for number, value in enumerate(hostile):
            session.exec_driver_sql(
                "UPDATE core.case_record SET description = %s, geom = ST_SetSRID(ST_MakePoint("
                "-24.9, 60.3), 4326) WHERE case_no = (SELECT case_no FROM core.case_record "
                "WHERE geom IS NOT NULL ORDER BY case_no OFFSET %s LIMIT 1)", (value, number),
            )  # fmt: skip
    text = own.client.get(CASES, params={"f": "csv"}).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    found = {row["description"]: row["lon"] for row in rows if row["description"]}
    assert set(found) == {f"'{value}" for value in hostile[:-1]} | {"a=1"}
    assert set(found.values()) == {"-24.9"}


def test_csv_is_not_paged(served):
    """A page of a csv is refused rather than half an export sent."""
    for name, value in (("limit", "10"), ("cursor", "x")):
        answer = served.client.get(CASES, params={"f": "csv", name: value})
        assert answer.status_code == 400
        assert name in answer.json()["detail"]


def test_every_format_says_that_data_are_synthetic(served):
    """合成数据: a member of JSON and GeoJSON, a column and the file name of csv, a header."""
    for shape in ("json", "geojson"):
        page = served.get(CASES, f=shape)
        assert page["synthetic"] is True
        assert "合成数据" in page["notice"]
    answer = served.client.get(CASES, params={"f": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))
    assert {row["synthetic"] for row in rows} == {"true"}
    assert "synthetic" in answer.headers["content-disposition"]
    assert answer.headers["X-Gridgis-Synthetic"] == "true"


def test_answer_states_the_filter_and_its_crs(served):
    """Codes stand for names, and the CRS of the numbers given is said."""
    found = served.get(CASES, category="Litter", bbox="24,60,25,61", crs="EPSG:4326")
    assert found["crs"] == "wgs84"
    assert found["filters"]["crs"] == "wgs84"
    assert found["filters"]["category"] == "S0101"
    assert found["filters"]["bbox"] == [24, 60, 25, 61]


def test_empty_parameters_are_not_given(served, every):
    """An unset field of a form filters nothing."""
    found = served.get(CASES, category="", source="", district="", month="", radius_m="", f="")
    assert found["total"] == len(every)


def test_search_takes_a_polygon(served, every):
    """POST gives the cases inside a polygon, page by page."""
    body = {"within": {"type": "Polygon", "coordinates": EAST_BANK}, "limit": 10}
    found = []
    while True:
        answer = served.client.post(f"{CASES}/search", json=body)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += numbers(page["cases"])
        if page["cursor"] is None:
            break
        body["cursor"] = page["cursor"]
    west, east, south, north = 24.97, 25.0, 60.285, 60.31
    expected = [
        case["case_no"] for case in every
        if case["lon"] and west <= case["lon"] <= east and south <= case["lat"] <= north
    ]  # fmt: skip
    assert found == expected
    assert len(found) == page["total"] > 10


def test_search_means_the_same_as_the_list(served):
    """Every filter of GET gives the same in a document, numbers as lists too."""
    document = {"bbox": [24.94, 60.295, 24.96, 60.30], "category": "Litter", "month": "2024-03"}
    params = {"bbox": "24.94,60.295,24.96,60.30", "category": "S0101", "month": "2024-03"}
    posted = served.client.post(f"{CASES}/search", json=document).json()
    assert numbers(posted["cases"]) == numbers(served.get(CASES, **params)["cases"])
    assert posted["next"] is None


def test_search_streams_csv(served):
    """The polygon filter exports too."""
    body = {"within": {"type": "MultiPolygon", "coordinates": [EAST_BANK]}, "f": "csv"}
    answer = served.client.post(f"{CASES}/search", json=body)
    total = int(answer.headers["X-Total-Count"])
    assert answer.text.count("\r\n") == total + 1 > 10


def test_case_is_read_by_its_number(served, every):
    """One case with its original coordinates as given."""
    known = next(case for case in every if case["lon"])
    found = served.get(f"{CASES}/{known['case_no']}")
    assert {name: found[name] for name in known} == known
    assert (found["src_crs"], found["synthetic"]) == ("wgs84", True)
    assert float(found["src_x"]) == known["lon"]


def test_unchanged_answer_is_not_sent_again(own):
    """304 for the same state; any change of the data gives a new tag."""
    first = own.client.get(CASES, params={"limit": 3})
    tag = first.headers["ETag"]
    again = own.client.get(CASES, params={"limit": 3}, headers={"If-None-Match": f'"x", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    with own.context.engine.begin() as session:
        session.exec_driver_sql("UPDATE core.data_version SET version = version + 1")
    later = own.client.get(CASES, params={"limit": 3}, headers={"If-None-Match": tag})
    assert later.status_code == 200
    assert later.headers["ETag"] != tag


def test_two_filters_have_two_tags(served):
    """A tag belongs to one address."""
    tags = {served.client.get(CASES, params={"limit": n}).headers["ETag"] for n in (1, 2, 3)}
    assert len(tags) == 3


def test_a_city_that_turns_synthetic_is_said_at_once(cluster, toy_template, serving):
    """The first import decides the nature of a database, also while the service runs."""
    name = cluster.clone(toy_template)
    with serving(cluster.settings(name)) as client:
        assert client.get(CASES).json()["synthetic"] is False
        context = open_context(cluster.settings(name))
        with context.engine.begin() as session:
            session.exec_driver_sql("UPDATE core.city SET synthetic = true")
        context.engine.dispose()
        assert client.get(CASES).json()["synthetic"] is True
    cluster.drop(name)


def test_case_numbers_of_any_shape_are_found(own):
    """A number with a slash, a space, a quote or Chinese letters has an address of its own."""
    odd = ["A/B 1", "号'1", "100%", "a?b#c"]
    with own.context.engine.begin() as session:
        for number, value in enumerate(odd):
            session.exec_driver_sql(
                "UPDATE core.case_record SET case_no = %s WHERE case_no = (SELECT case_no FROM "
                "core.case_record WHERE case_no LIKE 'TV%%' ORDER BY case_no OFFSET %s LIMIT 1)",
                (value, number),
            )
    for value in odd:
        assert own.get(f"{CASES}/{quote(value, safe='')}")["case_no"] == value
    assert json.loads(own.client.get(f"{CASES}/none").content)["code"] == "case_not_found"


def test_a_search_has_no_entity_tag(served):
    """The address of a POST does not say what was asked: no tag, so never a wrong 304."""
    square = {"type": "Polygon", "coordinates": EAST_BANK}
    tag = served.client.get(CASES).headers["etag"]
    answer = served.client.post(
        f"{CASES}/search", json={"within": square}, headers={"If-None-Match": f"{tag}, *"}
    )
    assert answer.status_code == 200
    assert "etag" not in answer.headers


@pytest.mark.parametrize("path", [CASES, "/map", "/health/live", "/", "/openapi.json"])
def test_head_is_the_get_without_its_body(served, path):
    """Probes ask with HEAD: status and headers of the GET, and no byte of it."""
    full = served.client.get(path, follow_redirects=False)
    answer = served.client.head(path, follow_redirects=False)
    assert (answer.status_code, answer.content) == (full.status_code, b"")
    assert answer.headers.get("content-length") == full.headers.get("content-length")


def test_stated_filters_can_be_asked_again(served):
    """The filters of an answer are parameters by name and value."""
    asked = {"from": "2024-03-05", "to": "2024-03-20", "source": "wechat"}
    first = served.get(CASES, **asked, limit=1)
    again = served.get(CASES, **first["filters"], limit=1)
    assert again["filters"] == first["filters"]
    assert again["total"] == first["total"]


def test_a_code_in_any_digits_has_its_count(served, every):
    """Spaces and full-width digits are the same code, with the same count."""
    code = next(case["cell_code"] for case in every if case["cell_code"])
    wide = code.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
    plain = served.get(f"/api/v1/cells/{code}")
    assert plain["counts"]["cases"] > 0
    for text in (f" {code}", wide):
        assert served.get(f"/api/v1/cells/{quote(text)}")["counts"] == plain["counts"]
