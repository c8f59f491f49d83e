"""A served toy city: its cases imported, its month counted."""

import socket
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import httpx
import pytest
import uvicorn
from sqlalchemy import text

from api.app import create_app
from gridgis.config import Settings
from gridgis.services.context import Context, open_context


@dataclass(frozen=True)
class Served:
    """A city and the service over it."""

    context: Context
    settings: Settings
    client: httpx.Client

    def get(self, path, **params):
        """Return the JSON of an answer that must be there; `from_` stands for `from`."""
        named = {name.rstrip("_"): value for name, value in params.items()}
        answer = self.client.get(path, params=named)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def scalar(self, statement, **values):
        """Return one value of the database, by SQL of the test's own."""
        with self.context.engine.connect() as session:
            return session.scalar(text(statement), values)


@pytest.fixture(scope="module")
def served(cluster, loaded_template):
    """Yield a served toy city that the tests of a module share and do not change."""
    yield from _serve(cluster, loaded_template)


@pytest.fixture
def own(cluster, loaded_template):
    """Yield a served toy city that a test may change."""
    yield from _serve(cluster, loaded_template)


@pytest.fixture(scope="session")
def serving():
    """Return how a test serves a database of its own: `with serving(settings) as client`."""
    return running


@contextmanager
def running(settings):
    """Serve a city by a real server on a loopback port; yield a client of it."""
    app = create_app(settings)
    # asyncio sends small answers at once only on a socket whose protocol is named
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
