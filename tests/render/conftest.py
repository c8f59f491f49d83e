"""The toy city served on a loopback port, looked at with a real Chromium."""

import json
import shutil
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

import httpx
import pytest
import uvicorn
from playwright.sync_api import Page, sync_playwright

from api.app import create_app
from gridgis.services.context import Context, open_context
from gridgis.store.cluster import BOOTSTRAP_ROLE
from gridgis.store.engine import connect

FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
IDLE = """async () => {
  while (!window.gridgis?.ready) await new Promise((resolve) => setTimeout(resolve, 20));
  await window.gridgis.ready;
  const map = window.gridgis.map;
  if (!map.loaded() || map.isMoving()) await new Promise((resolve) => map.once('idle', resolve));
}"""
PIXELS = """([points]) => new Promise((resolve) => {
  const map = window.gridgis.map;
  map.once('render', () => {
    const canvas = map.getCanvas();
    const gl = canvas.getContext('webgl2');
    const ratio = canvas.width / canvas.clientWidth;
    const pixel = new Uint8Array(4);
    resolve(points.map(([lon, lat]) => {
      const {x, y} = map.project([lon, lat]);
      gl.readPixels(x * ratio, canvas.height - y * ratio, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
      return Array.from(pixel.slice(0, 3));
    }));
  });
  map.triggerRepaint();
})"""
VARIETY = """() => new Promise((resolve) => {
  const map = window.gridgis.map;
  map.once('render', () => {
    const canvas = map.getCanvas();
    const gl = canvas.getContext('webgl2');
    const pixels = new Uint32Array(canvas.width * canvas.height);
    gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE,
      new Uint8Array(pixels.buffer));
    resolve(new Set(pixels).size);
  });
  map.triggerRepaint();
})"""


@dataclass
class Visit:
    """One browser page that may only talk to its own origin."""

    page: Page
    base: str
    foreign: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def open(self, path):
        """Go to a page and wait until its map is drawn."""
        self.page.goto(self.base + path)
        self.idle()
        return self

    def idle(self):
        """Wait until the map has drawn everything."""
        self.page.wait_for_load_state()
        self.page.evaluate(IDLE)

    def jump(self, lon, lat, zoom):
        """Move the map and wait until it is drawn."""
        self.page.evaluate(
            "([lon, lat, zoom]) => window.gridgis.map.jumpTo({center: [lon, lat], zoom})",
            [lon, lat, zoom],
        )
        self.idle()

    def features(self, *layers):
        """Return the properties of what is drawn in some layers."""
        return self.page.evaluate(
            "(layers) => window.gridgis.map.queryRenderedFeatures({layers})"
            ".map((f) => ({...f.properties, id: f.id}))",
            list(layers),
        )

    def pixels(self, points):
        """Return the RGB colours at places given as (lon, lat)."""
        return self.page.evaluate(PIXELS, [points])

    def variety(self):
        """Return how many colours the map shows."""
        return self.page.evaluate(VARIETY)

    def click(self, lon, lat):
        """Click a place of the map."""
        at = self.page.evaluate(
            "([lon, lat]) => window.gridgis.map.project([lon, lat])", [lon, lat]
        )
        self.page.locator("#map").click(position=at)

    def text(self, selector):
        """Return the text of an element."""
        return self.page.locator(selector).inner_text().strip()

    def wait(self, script):
        """Poll until a script is truthy: the page's own policy forbids playwright's way."""
        for _ in range(100):
            value = self.page.evaluate(script)
            if value:
                return value
            self.page.wait_for_timeout(50)
        raise AssertionError(f"never true: {script}")


@dataclass(frozen=True)
class Served:
    """A city and the service over it."""

    context: Context
    base: str
    client: httpx.Client

    def get(self, path, **params):
        """Return the JSON of an answer that must be there."""
        answer = self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def cells(self, **params):
        """Return cells with cases as `{code: number}`."""
        rows = self.get("/api/v1/density", level="cell", month="2024-03", **params)["rows"]
        return {row["code"]: row["numerator"] for row in rows if row["kind"] == "cell"}

    def centre(self, code):
        """Return longitude, latitude of a cell."""
        return self.get(f"/api/v1/cells/{code}")["centre"]


@contextmanager
def serving(settings):
    """Serve a city by a real server on a loopback port; yield its address."""
    app = create_app(settings)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", lifespan="off"))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        if app.state.city._context is not None:
            app.state.city._context.engine.dispose()


def _served(cluster, template):
    name = cluster.clone(template)
    context = open_context(cluster.settings(name))
    with serving(cluster.settings(name)) as base, httpx.Client(base_url=base, timeout=30) as client:
        yield Served(context, base, client)
    context.engine.dispose()
    cluster.drop(name)


@pytest.fixture(scope="module")
def served(cluster, loaded_template):
    """Yield a served toy city that the tests of a module share and do not change."""
    yield from _served(cluster, loaded_template)


@pytest.fixture
def own(cluster, loaded_template):
    """Yield a served toy city that a test may change."""
    yield from _served(cluster, loaded_template)


@pytest.fixture
def as_owner(cluster):
    """Return a way to change a database behind the program's back."""

    def change(context, statement, **values):
        from sqlalchemy import text  # noqa: PLC0415 - one use

        name = context.engine.url.database
        engine = connect(cluster.cluster.url(name, role=BOOTSTRAP_ROLE))
        with engine.begin() as session:
            session.execute(text(statement), values)
        engine.dispose()

    return change


@pytest.fixture(scope="session")
def serving_at():
    """Return how a test serves settings of its own: `with serving_at(settings) as base`."""
    return serving


@pytest.fixture(scope="session")
def chromium():
    """Return the path of Chromium; a missing one fails, it does not skip."""
    path = shutil.which("chromium")
    assert path, "install Debian's chromium (deploy/apt.txt)"
    return path


@pytest.fixture(scope="session")
def player():
    """Yield playwright."""
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def browser(player, chromium):
    """Yield a Chromium with WebGL2 in software."""
    launched = player.chromium.launch(executable_path=chromium, args=FLAGS)
    yield launched
    launched.close()


@pytest.fixture
def visit(browser):
    """
    Return a way to open pages, and fail the test if one misbehaved.

    No request may leave the origin and the console stays empty, but for messages of Chromium's
    own that a test provokes and names a part of in `console`.
    """
    visits = []

    def start(base, *, viewport=None, context=None, console=(), **options):
        mine = context or browser.new_context(viewport=viewport or DESKTOP, **options)
        seen = Visit(mine.new_page(), base)
        watch(seen)
        visits.append((seen, mine, console))
        return seen

    yield start
    for seen, context, console in visits:
        context.close()
        assert seen.foreign == []
        assert [m for m in seen.console if not any(part in m for part in console)] == []


def watch(seen):
    """Note what a page says, and abort what it asks of others."""

    def judge(route):
        url = route.request.url
        if url.startswith((seen.base + "/", "data:", "blob:")):
            route.fallback()
        else:
            seen.foreign.append(url)
            route.abort()

    def note(message):
        if "ReadPixels" not in message.text:  # Chromium's own, screenshots cause it
            seen.console.append(f"{message.type}: {message.text} {json.dumps(message.location)}")

    seen.page.route("**/*", judge)
    seen.page.on("console", note)
    seen.page.on("pageerror", lambda error: seen.console.append(f"error: {error}"))
