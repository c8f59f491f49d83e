"""Shapes that every map file has: borders with names, water, a box to start with (底图要素)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import folium
import shapely
from folium.utilities import JsCode

from maps.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd

Feature = dict[str, object]
EDGE = "#4a5a68"
WATER = "#b9d5e8"
PLACE_NAME = """
(feature, layer) => {
  layer.bindTooltip(feature.properties.name,
    {permanent: true, direction: "center", className: "place"});
  const fit = () => {
    const box = layer.getBounds(), at = (corner) => layer._map.latLngToLayerPoint(corner);
    const wide = at(box.getSouthEast()).x - at(box.getNorthWest()).x;
    const label = layer.getTooltip().getElement();
    if (label) label.style.visibility = wide < label.offsetWidth ? "hidden" : "";
  };
  layer.on("add", () => layer._map.on("zoomend", () => requestAnimationFrame(fit)));
}
"""
"""Names of regions that are too narrow for them are left out."""


def show(chart: folium.Map, bounds: Iterable[float]) -> None:
    """Start with a box in view: streets are small where most cases are."""
    west, south, east, north = (float(side) for side in bounds)
    chart.fit_bounds([[south, west], [north, east]], padding=(12, 12))


def water(frame: gpd.GeoDataFrame) -> folium.GeoJson:
    """Return lakes."""
    style = {"color": WATER, "weight": 0.5, "fillColor": WATER, "fillOpacity": 1}
    features = (feature(shape, {"style": style}) for shape in frame.geometry)
    return folium.GeoJson(collection(features), interactive=False)


def outlines(frame: gpd.GeoDataFrame) -> folium.GeoJson:
    """Return borders and names of the regions over their streets."""
    style = {"fill": False, "color": EDGE, "weight": 1.8}
    features = (
        feature(shape, {"name": safe(name), "style": style})
        for name, shape in zip(frame["name"], frame.geometry, strict=True)
    )
    return folium.GeoJson(
        collection(features), interactive=False, on_each_feature=JsCode(PLACE_NAME)
    )


def collection(features: Iterable[Feature]) -> Feature:
    """Return a GeoJSON FeatureCollection."""
    return {"type": "FeatureCollection", "features": list(features)}


def feature(shape: shapely.Geometry, properties: Feature) -> Feature:
    """Return a GeoJSON feature, to about a metre."""
    rounded = shapely.set_precision(shape, 1e-5, mode="pointwise")
    geometry = json.loads(shapely.to_geojson(rounded))
    return {"type": "Feature", "geometry": geometry, "properties": properties}
