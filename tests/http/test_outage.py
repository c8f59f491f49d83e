"""The database goes away and comes back while the service runs."""

import time

import pytest
from pydantic import SecretStr

from gridgis.config import Settings
from gridgis.services.context import init_city
from gridgis.store.cluster import BOOTSTRAP_ROLE, Cluster
from gridgis.store.engine import briefly
from gridgis.store.migrate import WRITER_ROLE

PATHS = ("/api/v1/cases", "/api/v1/meta/regions", "/health/ready", "/tiles/1/cells/12/0/0.mvt")


@pytest.fixture
def lone(tmp_path):
    """Yield a cluster of this test's own with an initialised city, running."""
    cluster = Cluster(tmp_path, durable=False)
    settings = Settings(data_dir=tmp_path)
    context = init_city(settings, "kunming", database="lone")
    context.engine.dispose()
    yield cluster
    cluster.remove()


def outside(cluster):
    """Return settings that never start the cluster, as for an outside database."""
    return Settings(database_url=SecretStr(cluster.url("lone", role=WRITER_ROLE)))


def assert_away(client):
    """Check that every route says that the database is away, and when to try again."""
    for path in PATHS:
        answer = client.get(path)
        assert answer.status_code == 503, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["code"] == "store_unavailable"
        assert "psycopg" not in answer.text
    assert client.get("/health/live").status_code == 200


def test_service_recovers_when_the_database_returns(lone, serving):
    """503 with Retry-After while it is away, the right answer as soon as it is back."""
    with serving(outside(lone)) as client:
        assert client.get("/api/v1/cases").json()["total"] == 0
        lone.stop()
        assert_away(client)
        lone.start()
        assert client.get("/api/v1/cases").json()["total"] == 0
        assert client.get("/api/v1/meta/sources").status_code == 200


def test_service_starts_without_its_database(lone, serving):
    """The process comes up, says 503, and needs no restart."""
    lone.stop()
    with serving(outside(lone)) as client:
        assert_away(client)
        lone.start()
        deadline = time.monotonic() + 10
        while client.get("/api/v1/cases").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_city_without_a_run_is_not_ready(lone, serving):
    """Ready needs a finished run; before, the problem says which command makes one."""
    with serving(outside(lone)) as client:
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert "gridgis analyse density" in answer.json()["detail"]


def test_old_schema_names_the_remedy(lone, serving):
    """A database of another version is 503 with the command that upgrades it."""
    with briefly(lone.url("lone", role=BOOTSTRAP_ROLE)) as admin, admin.begin() as session:
        session.exec_driver_sql("UPDATE core.schema_version SET version_num = '0000'")
    with serving(outside(lone)) as client:
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["code"]) == (503, "migration_required")
        assert "gridgis db upgrade" in answer.json()["detail"]


def test_readers_who_leave_give_their_connection_back(own):
    """Exports that clients abandon neither hold connections nor block later ones."""
    with own.context.engine.begin() as session:
        session.exec_driver_sql("UPDATE core.case_record SET description = repeat('x', 50000)")
    for _ in range(12):
        with own.client.stream("GET", "/api/v1/cases", params={"f": "csv"}) as answer:
            assert answer.status_code == 200
            next(answer.iter_raw())
    for _ in range(3):
        whole = own.client.get("/api/v1/cases", params={"f": "csv"})
        assert whole.status_code == 200
        assert len(whole.content) > 277 * 50_000


def test_too_many_exports_at_once_wait(own):
    """A fourth export is told to come back rather than starving the pages."""
    with own.context.engine.begin() as session:
        session.exec_driver_sql("UPDATE core.case_record SET description = repeat('x', 100000)")
    params = {"f": "csv"}
    streams = [own.client.build_request("GET", "/api/v1/cases", params=params) for _ in range(3)]
    open_ones = [own.client.send(request, stream=True) for request in streams]
    try:
        assert own.client.get("/api/v1/cases", params=params).status_code == 503
        assert own.client.get("/api/v1/cases").status_code == 200
    finally:
        for answer in open_ones:
            answer.close()
    deadline = time.monotonic() + 10
    while own.client.get("/api/v1/cases", params=params).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
