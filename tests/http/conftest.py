"""A served toy city: its cases imported, its month counted."""

import socket
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import httpx
import pytest
import uvicorn
from sqlalchemy import text

from api.app import create_app
from gridgis.config import Settings
from gridgis.model.period import Period
from gridgis.services.context import Context, open_context
from gridgis.services.ingest import ImportRequest, import_cases
from gridgis.services.monitor import measure_density

TOY = Path(__file__).resolve().parents[1] / "data" / "toy"


@dataclass(frozen=True)
class Served:
    """A city and the service over it."""

    context: Context
    settings: Settings
    client: httpx.Client

    def get(self, path, **params):
        """Return the JSON of a page that must be there; `from_` stands for `from`."""
        named = {name.rstrip("_"): value for name, value in params.items()}
        answer = self.client.get(path, params=named)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def scalar(self, statement, **values):
        """Return one value of the database, by SQL of the test's own."""
        with self.context.engine.connect() as session:
            return session.scalar(text(statement), values)


def load(context, rejects):
    """Import the toy cases as synthetic ones and count their month."""
    import_cases(
        context, TOY / "cases.csv", ImportRequest(crs="wgs84", synthetic=True, rejects=rejects)
    )
    return measure_density(context, period=Period.month("2024-03", context.city.time_zone))


@pytest.fixture(scope="session")
def loaded_template(cluster, toy_template, tmp_path_factory) -> str:
    """Return a database with the toy cases and one density run."""
    name = cluster.clone(toy_template)
    context = open_context(cluster.settings(name))
    load(context, tmp_path_factory.mktemp("rejects") / "rejects.csv")
    context.engine.dispose()
    return name


@pytest.fixture(scope="module")
def served(cluster, loaded_template):
    """Yield a served toy city that the tests of a module share and do not change."""
    yield from _serve(cluster, loaded_template)


@pytest.fixture
def own(cluster, loaded_template):
    """Yield a served toy city that a test may change."""
    yield from _serve(cluster, loaded_template)


@contextmanager
def running(settings):
    """Serve a city by a real server on a loopback port; yield a client of it."""
    app = create_app(settings)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", lifespan="off"))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with httpx.Client(base_url=base, timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        if app.state.city._context is not None:
            app.state.city._context.engine.dispose()


def _serve(cluster, template):
    name = cluster.clone(template)
    settings = cluster.settings(name)
    context = open_context(settings)
    with running(settings) as client:
        yield Served(context, settings, client)
    context.engine.dispose()
    cluster.drop(name)
