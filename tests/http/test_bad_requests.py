"""Whatever is sent: a problem document with a stable code, never driver text."""

import json
from urllib.parse import quote

import pytest

CASES, SEARCH = "/api/v1/cases", "/api/v1/cases/search"
DENSITY, LEGEND, LOCATE = "/api/v1/density", "/api/v1/density/legend", "/api/v1/locate"
HOSTILE = [
    "'; DROP TABLE core.case_record; --", "' OR '1'='1", "\x00", "a\x00b", "%", "_", "\\", "{}",
    "$1", "%(x)s", ":x", "NaN", "Infinity", "-1", "0", "9" * 400, "1e400", "é" * 300, "\ud800",
    "\uff12024-11", "<script>alert(1)</script>", "../../etc/passwd", "null", "[]", "1,2", "1,2,3,4",
    "0001-01", "9" * 5000, "nan,nan", "inf,inf", "1e308,1e308,1e308,1e308",
    "-1e308,-1e308,1e308,1e308", "999,999",
]  # fmt: skip
PARAMETERS = {
    CASES: ["bbox", "near", "crs", "cell", "district", "street", "month", "from", "to",
            "updated_since", "category", "source", "status", "limit", "cursor", "f", "radius_m"],
    DENSITY: ["level", "month", "run", "category", "source", "district", "per"],
    LEGEND: ["level", "month", "run", "category", "source", "district", "k"],
    "/tiles/1/cells/12/2333/1187.mvt": ["category", "source", "district", "month"],
}  # fmt: skip
LEAKS = ("psycopg", "sqlalchemy", "SELECT", "Traceback", "relation", "SQLSTATE", "XX000")


def is_problem(answer, *statuses):
    """Check one problem document."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    body = json.loads(answer.content)
    assert body["status"] == answer.status_code
    assert body["code"]
    assert body["detail"]
    assert not any(leak in answer.text for leak in LEAKS), answer.text
    return body


@pytest.mark.parametrize(
    ("path", "name"), [(p, n) for p, names in PARAMETERS.items() for n in names]
)
def test_hostile_values_are_bound_or_refused(served, path, name):
    """No value of any parameter breaks a query: it is answered, or refused as a bad value."""
    extra = {"near": {"radius_m": "100"}, "radius_m": {"near": "24.9,60.3"}}.get(name, {})
    for value in HOSTILE:
        params = {name: value.encode("utf-8", "surrogatepass"), **extra}
        answer = served.client.get(path, params=params, follow_redirects=False)
        if answer.status_code not in {200, 204}:
            is_problem(answer, 400, 404, 422)
    assert served.scalar("SELECT count(*) FROM core.case_record") == 277


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_paths_are_not_found_or_refused(served, value):
    """No code in a path breaks a query."""
    text = quote(value.encode("utf-8", "surrogatepass"), safe="")
    for path in (f"/api/v1/cases/{text}", f"/api/v1/cells/{text}", f"/api/v1/districts/{text}",
                 f"/tiles/{text}/cells/1/0/0.mvt", f"/tiles/1/{text}/1/0/0.mvt",
                 f"/tiles/1/cells/{text}/0/0.mvt", f"/tiles/1/cells/1/{text}/0.mvt",
                 f"/tiles/1/cells/1/0/{text}.mvt"):  # fmt: skip
        answer = served.client.get(path)
        if answer.status_code not in {200, 204}:
            is_problem(answer, 400, 404)


@pytest.mark.parametrize("name", PARAMETERS[CASES])
def test_hostile_documents_are_bound_or_refused(served, name):
    """The same through the body of a search, where half surrogates and any type may arrive."""
    values = [*HOSTILE, None, 1, -1, True, [], {}, [[]], {"a": 1}, [1, 2], [1, 2, 3, 4], "\ud800x"]
    for value in values:
        content = json.dumps({name: value})
        answer = served.client.post(
            SEARCH, content=content, headers={"content-type": "application/json"}
        )
        if answer.status_code != 200:
            is_problem(answer, 400, 422)


@pytest.mark.parametrize("shape", [
    {"type": "Point", "coordinates": [24.9, 60.3]},
    {"type": "Polygon", "coordinates": []},
    {"type": "Polygon", "coordinates": [[]]},
    {"type": "Polygon", "coordinates": ["x"]},
    {"type": "Polygon", "coordinates": [[["a", "b"], [1, 2], [3, 4], ["a", "b"]]]},
    {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]},
    {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
    {"type": "MultiPolygon", "coordinates": [[1]]},
    {"type": "MultiPolygon", "coordinates": [1]},
    {"type": "Polygon"},
    {"coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
    {"type": "GeometryCollection", "geometries": []},
    {"type": "Polygon", "coordinates": {"a": 1}},
    {"type": {"$gt": ""}, "coordinates": [[0]]},
])  # fmt: skip
def test_broken_polygons_are_named(served, shape):
    """A polygon that cannot be used is well-formed but impossible."""
    body = is_problem(served.client.post(SEARCH, json={"within": shape}), 400, 422)
    assert body["detail"].startswith("within:")


def test_polygon_with_infinite_corners_is_refused(served):
    """JSON as Python reads it may hold NaN."""
    content = (
        '{"within": {"type": "Polygon", "coordinates": [[[NaN, 1], [2, 3], [4, 5], [NaN, 1]]]}}'
    )
    answer = served.client.post(
        SEARCH, content=content, headers={"content-type": "application/json"}
    )
    is_problem(answer, 400, 422)


def test_polygon_has_at_most_ten_thousand_corners(served):
    """A larger polygon is refused by its number of corners, not by time."""
    ring = [[24 + n / 1e5, 60] for n in range(10_001)]
    answer = served.client.post(SEARCH, json={"within": {"type": "Polygon", "coordinates": [ring]}})
    assert is_problem(answer, 422)["code"] == "limit_exceeded"


def test_body_is_at_most_five_megabytes(served):
    """A larger body is not read."""
    content = b'{"category": "' + b"x" * 5_100_000 + b'"}'
    parts = (content[start : start + 100_000] for start in range(0, len(content), 100_000))
    for body in (content, parts):  # with Content-Length, and chunked
        answer = served.client.post(
            SEARCH, content=body, headers={"content-type": "application/json"}
        )
        is_problem(answer, 413)


@pytest.mark.parametrize("content", ["", "{", "[]", "1", "null", "[" * 100_000, '"x"', "\xff"])
def test_unreadable_bodies_are_bad_values(served, content):
    """What is not a JSON object is 400."""
    answer = served.client.post(
        SEARCH, content=content.encode("latin-1"), headers={"content-type": "application/json"}
    )
    is_problem(answer, 400)


def test_body_must_be_json(served):
    """A form that another site's page may send is not read as a search."""
    answer = served.client.post(SEARCH, content=b"{}", headers={"content-type": "text/plain"})
    is_problem(answer, 400, 415)


@pytest.mark.parametrize("path", [
    CASES, DENSITY, LEGEND, "/api/v1/meta/regions", "/api/v1/cells/990901001600124",
    "/tiles/1/cells/tilejson.json", "/tiles/1/cells/12/2333/1187.mvt",
])  # fmt: skip
def test_unknown_parameter_is_named(served, path):
    """A misspelt filter is refused with what there is, not ignored."""
    body = is_problem(served.client.get(path, params={"categry": "S", "x": "1"}), 400)
    assert "'categry', 'x'" in body["detail"]


def test_unknown_member_of_a_search_is_named(served):
    """The same for a document."""
    body = is_problem(served.client.post(SEARCH, json={"categry": "S"}), 400)
    assert body["detail"] == "categry: unknown parameter"


def test_repeated_parameter_is_refused(served):
    """Two values of one filter mean nothing here; neither is dropped quietly."""
    body = is_problem(served.client.get(f"{CASES}?category=S&category=B"), 400)
    assert "'category'" in body["detail"]


@pytest.mark.parametrize(("params", "code", "words"), [
    ({"month": "2024-13"}, "period_error", "YYYY-MM"),
    ({"month": "2024-03", "from": "2024-03-01"}, "period_error", "one or the other"),
    ({"from": "yesterday"}, "period_error", "%2B"),
    ({"from": "2024-03-02", "to": "2024-03-01"}, "input_error", "half open"),
    ({"category": "parkng"}, "code_error", "S0501 Illegal parking"),
    ({"category": "S9"}, "code_error", "/api/v1/meta/categories"),
    ({"source": "carrier pigeon"}, "code_error", "/api/v1/meta/sources"),
    ({"district": "990999"}, "code_error", "/api/v1/meta/regions"),
    ({"street": "No Street"}, "code_error", "/api/v1/meta/streets"),
    ({"status": "done"}, "input_error", "suspended"),
    ({"cell": "5.3E+14"}, "code_error", "spreadsheet"),
    ({"near": "60.3,24.9"}, "input_error", "belong together"),
    ({"near": "24.9,160.3", "radius_m": 5}, "input_error", "longitude"),
    ({"near": "24.9,60.3", "radius_m": 0}, "input_error", "more than 0"),
    ({"bbox": "25,60,24,61"}, "input_error", "west"),
    ({"crs": "mars"}, "crs_error", "mars"),
    ({"limit": 1001}, "input_error", "1000"),
    ({"limit": 0}, "input_error", "limit"),
    ({"f": "xml"}, "input_error", "geojson"),
])  # fmt: skip
def test_bad_value_says_value_rule_and_remedy(served, params, code, words):
    """A person reads what to change."""
    body = is_problem(served.client.get(CASES, params=params), 400)
    assert body["code"] == code
    assert words in body["detail"]


def test_point_far_away_is_near_nothing(served):
    """A radius round a point on another continent is a good question with the answer 0."""
    assert served.get(CASES, near="-71,42.3", radius_m=500)["total"] == 0


@pytest.mark.parametrize("point", ["24.9,60.0", "-71.06,42.36", "0,0", "180,90", "60.3,24.94"])
def test_point_outside_the_city_is_unprocessable(served, point):
    """Reverse location answers OutsideCity, also where projecting would fail."""
    lon, lat = point.split(",")
    answer = served.client.get(LOCATE, params={"lon": lon, "lat": lat})
    assert is_problem(answer, 422)["code"] == "outside_city"


@pytest.mark.parametrize(("path", "code"), [
    ("/nope", "http_404"), ("/api/v1/nope", "http_404"), ("/api/v1/cases/none", "case_not_found"),
    ("/api/v1/cells/990901999999999", "cell_not_found"),
    ("/api/v1/districts/990999", "district_not_found"), ("/api/v1/density?run=99", "run_not_found"),
    ("/api/v1/density?month=2031-01", "run_not_found"),
    ("/api/v1/density?month=2031-01&run=1", "run_not_found"),
    ("/tiles/99/cells/12/0/0.mvt", "run_not_found"), ("/tiles/1/nope/12/0/0.mvt", "not_found"),
    ("/tiles/latest/cells/12/0/0.mvt?month=2031-01", "run_not_found"),
    ("/static/nope.js", "http_404"),
])  # fmt: skip
def test_missing_things_are_not_found(served, path, code):
    """404 with a code that says what is missing."""
    assert is_problem(served.client.get(path), 404)["code"] == code


def test_wrong_method_names_the_right_ones(served):
    """405 keeps the Allow header."""
    answer = served.client.delete(CASES)
    is_problem(answer, 405)
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("host", ["example.org", "10.0.0.1", "127.0.0.1.example.org", ""])
def test_foreign_hosts_are_refused(served, host):
    """DNS rebinding: a name of somebody else that resolves to this machine gets nothing."""
    answer = served.client.get("/api/v1/meta/months", headers={"host": host})
    assert answer.status_code in {400, 421}


def test_foreign_origin_cannot_post(served):
    """A page of another site cannot search through a person's browser."""
    answer = served.client.post(SEARCH, json={}, headers={"origin": "https://example.org"})
    is_problem(answer, 403)
    own = str(served.client.base_url).rstrip("/")
    assert served.client.post(SEARCH, json={}, headers={"origin": own}).status_code == 200


def test_security_headers_are_on_every_answer(served):
    """Also on errors."""
    for path in (CASES, "/nope", "/health/live"):
        headers = served.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
