"""One throw-away PostGIS cluster a run; every test that writes gets a clone of its own."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from gridgis.cli.layers import load_layers, make_profile_cells
from gridgis.config import Settings
from gridgis.model.period import Period
from gridgis.services.context import Context, init_city, open_context
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_cases
from gridgis.services.monitor import measure_density
from gridgis.store.cluster import BOOTSTRAP_ROLE, Cluster
from gridgis.store.engine import connect
from gridgis.store.migrate import WRITER_ROLE

TOY = Path(__file__).parent / "data" / "toy"
SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_configure():
    """Scrub the environment: no setting of the person who runs the tests leaks in."""
    for name in [name for name in os.environ if name.startswith("GRIDGIS_")]:
        del os.environ[name]


@dataclass(frozen=True)
class TestCluster:
    """The cluster of this run and a way to make databases in it."""

    __test__ = False
    cluster: Cluster
    state_dir: Path

    def settings(self, database: str) -> Settings:
        """Return settings that use one database as the services' role."""
        return Settings(database_url=SecretStr(self.cluster.url(database, role=WRITER_ROLE)))

    def clone(self, template: str) -> str:
        """Copy a database and return the name of the copy."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        self.admin(f"CREATE DATABASE {name} TEMPLATE {template} OWNER gridgis_owner")
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected."""
        self.admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def admin(self, statement: str) -> None:
        """Run one statement as the bootstrap role, outside a transaction."""
        engine = connect(self.cluster.url("postgres", role=BOOTSTRAP_ROLE))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
            session.execute(text(statement))
        engine.dispose()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory) -> Iterator[TestCluster]:
    """Start a private PostGIS for the whole run; a missing one fails, it does not skip."""
    state = tmp_path_factory.mktemp("gridgis")
    own = Cluster(state, durable=False)
    own.start()
    yield TestCluster(own, state)
    own.remove()


@pytest.fixture(scope="session")
def toy_template(cluster) -> str:
    """Return a database with the toy city's areas and unit grids, and no case."""
    settings = Settings(data_dir=cluster.state_dir)
    context = init_city(settings, str(TOY / "profile"), database="toy_template")
    profile = context.profile()
    load_layers(context, profile)
    make_profile_cells(context, profile)
    context.engine.dispose()
    return "toy_template"


@pytest.fixture(scope="session")
def loaded_template(cluster, toy_template, tmp_path_factory) -> str:
    """Return a database with the toy cases, marked synthetic, and one density run of March."""
    name = cluster.clone(toy_template)
    context = open_context(cluster.settings(name))
    rejects = tmp_path_factory.mktemp("rejects") / "rejects.csv"
    import_cases(
        context, TOY / "cases.csv", ImportRequest(crs="wgs84", synthetic=True, rejects=rejects)
    )
    measure_density(context, period=Period.month("2024-03", context.city.time_zone))
    context.engine.dispose()
    return name


@pytest.fixture(scope="module")
def loaded(cluster, loaded_template) -> Iterator[Context]:
    """Yield a toy city with cases and a run, that the tests of a module share and only read."""
    name = cluster.clone(loaded_template)
    context = open_context(cluster.settings(name))
    yield context
    context.engine.dispose()
    cluster.drop(name)


@pytest.fixture
def toy(cluster, toy_template) -> Iterator[Context]:
    """Yield an empty toy city of this test's own."""
    name = cluster.clone(toy_template)
    context = open_context(cluster.settings(name))
    yield context
    context.engine.dispose()
    cluster.drop(name)
