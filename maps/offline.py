"""
One self-contained HTML file out of a folium map: no link leaves it (离线地图文件).

folium refers to half a dozen remote hosts. Here the known links become the vendored files, the
ones our layers do not need are dropped, any other one is an error, and the finished file is
searched for addresses once more.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import folium
from branca.element import CssLink, Element, Figure, JavascriptLink

from gridgis.errors import LimitExceeded
from maps import vendor

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_POLYGONS = 2_000
MAX_POINTS = 5_000
"""Browsers slow down more than linearly beyond these."""

SLOTS = ("<!--head-->", "<!--map-->", "<!--script-->")
"""Where a document takes the parts of a folium map."""

_DROPPED = frozenset({
    "bootstrap", "bootstrap_css", "awesome_markers", "awesome_markers_css", "glyphicons_css",
    "awesome_markers_font_css", "awesome_rotate_css", "meta_http",
})  # fmt: skip
_VIEWPORT = re.compile(r'<meta name="viewport"[^>]*/?>')
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)
_IMAGE = re.compile(r"url\(images/([\w.-]+)\)")
_ADDRESS = re.compile(r"https?://[^\s\"'<>()\\`,;]+")
_NAMED_ONLY = re.compile(
    r"https?://(www\.w3\.org/|leafletjs\.com$|bugs\.chromium\.org/|bugzilla\.mozilla\.org/)"
)
"""Addresses that stand in the vendored files as names or in comments: nothing fetches them."""


class OfflineFigure(Figure):
    """
    A folium figure that renders to one file without remote links.

    Parameters
    ----------
    chart : folium.Map
        The map, without tiles.
    document : str
        Escaped HTML round the map, with every one of `SLOTS`.
    instead : str
        Address of the web map, named when the map is too large for a file.
    """

    def __init__(self, chart: folium.Map, document: str, *, instead: str) -> None:
        super().__init__()
        self._document = document
        self._instead = instead
        self.add_child(chart)

    def render(self, **kwargs: object) -> str:
        """
        Return the document.

        Raises
        ------
        LimitExceeded
            If the map holds more shapes than a file map can show.
        RemoteLink
            If something on the map refers to another host.
        """
        _check_size(self, self._instead)
        for child in self._children.values():
            child.render(**kwargs)
        links = self.header._children  # noqa: SLF001 - links register there by name
        for name, element in list(links.items()):
            if name in _DROPPED:
                del links[name]
            elif isinstance(element, JavascriptLink | CssLink):
                links[name] = _local(name, str(element.url))
        html = self._document.replace("://", "&#58;//")
        for slot, part in zip(SLOTS, (self.header, self.html, self.script), strict=True):
            html = html.replace(slot, _VIEWPORT.sub("", part.render(**kwargs)))
        _check_addresses(html)
        return html


class RemoteLink(ValueError):
    """A file map refers to another host: a fault of the program (外部链接)."""


def _local(name: str, url: str) -> Element:
    """Return a vendored file in place of a known link."""
    if name == "leaflet":
        return _Verbatim(f"<script>{_script('leaflet', 'leaflet.js')}</script>")
    if name == "jquery":
        return _Verbatim(f"<script>{_script('jquery', 'jquery.min.js')}</script>")
    if name == "leaflet_css":
        css = _IMAGE.sub(_data_image, vendor.read_member("leaflet", "leaflet.css"))
        return _Verbatim(f"<style>{css}</style>")
    raise RemoteLink(f"{name}: {url} is not vendored")


def _script(package: str, name: str) -> str:
    source = _SOURCE_MAP.sub("", vendor.read_member(package, name))
    return source.replace("</script", "<\\/script")


def _data_image(match: re.Match[str]) -> str:
    content = vendor.read(f"{vendor.folder('leaflet')}/images/{match[1]}")
    return f"url(data:image/png;base64,{base64.b64encode(content).decode()})"


class _Verbatim(Element):
    """Finished HTML: given as a template it would be rendered again."""

    def __init__(self, html: str) -> None:
        super().__init__("{{ this.html }}")
        self.html = html


def _check_size(figure: Figure, instead: str) -> None:
    kinds = [kind for element in _walk(figure) for kind in _shapes(element)]
    points = sum(kind in {"Point", "MultiPoint"} for kind in kinds)
    for count, limit, what in (
        (len(kinds) - points, MAX_POLYGONS, "polygons"), (points, MAX_POINTS, "points"),
    ):  # fmt: skip
        if count > limit:
            raise LimitExceeded(
                f"{count:,} {what}: a file map holds at most {limit:,}; choose a coarser level, or "
                f"use the web map: {instead}",
                count=count, limit=limit,
            )  # fmt: skip


def _shapes(element: Element) -> Iterator[str]:
    if isinstance(element, folium.GeoJson):
        for feature in element.data["features"]:
            yield feature["geometry"]["type"]
    elif isinstance(element, folium.Marker | folium.CircleMarker):
        yield "Point"


def _walk(element: Element) -> Iterator[Element]:
    for child in element._children.values():  # noqa: SLF001 - branca has no public way
        yield child
        yield from _walk(child)


def _check_addresses(html: str) -> None:
    foreign = [found for found in _ADDRESS.findall(html) if not _NAMED_ONLY.match(found)]
    if foreign:
        raise RemoteLink(f"the file map refers to {', '.join(sorted(set(foreign)))}")
