"""A database of an earlier revision comes up to date by `gridgis db upgrade`, and loses nothing."""

import uuid
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from gridgis.config import Settings
from gridgis.intake.profile import load_profile
from gridgis.services.context import open_context, upgrade_database
from gridgis.store.cluster import BOOTSTRAP_ROLE
from gridgis.store.engine import begin, briefly
from gridgis.store.migrate import FixedFacts, create_database, upgrade

TOY = Path(__file__).resolve().parents[1] / "data" / "toy" / "profile"

CITY = """
INSERT INTO core.city (city_code, slug, name, name_en, language, time_zone, measuring_srid,
    cell_size_m, extent, profile_folder, profile_version)
VALUES ('990900', 'toyville', 'Toyville', 'Toyville', 'en', 'Europe/Helsinki', 3067, 100,
    '{24.85,60.25,25.1,60.38}', :folder, 'old')
"""
CASE = """
INSERT INTO core.import_file (kind, name, sha256, crs, mapping, synthetic, rows_in, accepted,
    rejected, inserted, updated, unchanged, started_at, ended_at)
VALUES ('cases', 'a.csv', 'x', 'wgs84', '{}', false, 1, 1, 0, 1, 0, 0, now(), now());
INSERT INTO core.case_record (case_no, case_kind, category_code, subcategory_code, source,
    self_handled, reported_at, accepted_at, due_at, no_cell_reason, region_method, file_id, row_no,
    row_hash)
SELECT 'OLD-1', 'event', 'S01', 'S0101', 'wechat', false, now(), now(), '2024-03-05 10:00+02',
    'no_point', 'none', file_id, 1, gen_random_uuid() FROM core.import_file
"""


@pytest.fixture
def old(cluster):
    """Return the settings of a database as revision 0003 left it, with a city and a case."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    with briefly(cluster.cluster.url("postgres", role=BOOTSTRAP_ROLE)) as admin:
        create_database(admin, name)
    url = cluster.cluster.url(name, role=BOOTSTRAP_ROLE)
    with briefly(url) as owner:
        upgrade(owner, facts=FixedFacts(3067, "Europe/Helsinki"), revision="0003")
        with begin(owner) as tx:
            tx.execute(text(CITY), {"folder": str(TOY)})
            for statement in CASE.split(";"):
                tx.execute(text(statement))
    yield Settings(database_url=SecretStr(url))
    cluster.drop(name)


def test_an_earlier_database_comes_up_to_date(old):
    """The case keeps its deadline, and the tables that a profile fills are filled."""
    assert upgrade_database(old) >= "0004"
    context = open_context(old)
    with begin(context.engine) as tx:
        row = tx.execute(text("SELECT due_at, due_stated_at FROM core.case_record")).one()
        classes = tx.scalar(text("SELECT count(*) FROM core.category"))
    assert row.due_at == row.due_stated_at is not None
    assert classes == len(load_profile(TOY).categories)
    context.engine.dispose()
