// The style of the map: our own vector tiles and nothing else. Colours come from the legends.

export const LEVELS = [
  { level: "cell", layer: "cells", minzoom: 12, maxzoom: 24, tiles: [12, 14] },
  { level: "block500", layer: "blocks500", minzoom: 10, maxzoom: 12, tiles: [10, 11] },
  { level: "block1000", layer: "blocks1000", minzoom: 9, maxzoom: 10, tiles: [9, 9] },
  { level: "district", layer: "regions", minzoom: 0, maxzoom: 9, tiles: null },
];
const FONT = ["Noto Sans CJK SC"];
const INK = "#17222d";
const EDGE = "#4a5a68";
/** Kind and whether it is approximate; the strongest lines come last. */
const BORDERS = [["street", 1], ["street", 0], ["region", 1], ["region", 0]];

export const levelAt = (zoom) => LEVELS.find((entry) => zoom >= entry.minzoom);

/** Colour by number of cases: class i is the interval (bound[i-1], bound[i]] of whole numbers. */
function countColour(view, level) {
  const { bounds, colours } = view.levels[level];
  if (!bounds.length) return view.colours[0];
  const steps = bounds.flatMap((_, i) => [(bounds[i - 1] ?? 0) + 1, view.colours[colours[i]]]);
  return ["step", ["get", "n"], view.colours[0], ...steps];
}

/** Colour by region, as the table says it. */
function regionColour(view) {
  const pairs = Object.entries(view.regions).filter(([, region]) => region.colour !== null);
  if (!pairs.length) return "#fbfaf8";
  const cases = pairs.flatMap(([code, region]) => [code, view.colours[region.colour]]);
  return ["match", ["get", "code"], ...cases, "#fbfaf8"];
}

function tileAddress(view, layer, attempt) {
  const kind = layer === "cells" ? "counts" : "plain";
  return location.origin + view.tiles[kind].replace("{layer}", layer) + (attempt ? `-${attempt}` : "");
}

/** Return the style of a view; another `attempt` asks for its tiles by other addresses. */
export function mapStyle(view, attempt) {
  const vector = (layer, minzoom, maxzoom) => ({
    type: "vector", tiles: [tileAddress(view, layer, attempt)], minzoom, maxzoom,
  });
  const sources = {
    districts: vector("districts", 0, 12),
    base: vector("base", 0, 13),
    points: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
  };
  for (const { layer, tiles } of LEVELS) {
    if (tiles) sources[layer] = vector("cells", ...tiles);
  }
  return { version: 8, sources, layers: layers(view) };
}

function layers(view) {
  const counts = LEVELS.filter((entry) => entry.tiles).map(({ level, layer, minzoom, maxzoom }) => ({
    id: layer, type: "fill", source: layer, "source-layer": "cells", minzoom, maxzoom,
    paint: { "fill-color": countColour(view, level), "fill-antialias": false },
  }));
  const wide = ["interpolate", ["linear"], ["zoom"], 8, 0.8, 12, 1.8];
  const thin = ["interpolate", ["linear"], ["zoom"], 10, 0.4, 14, 1.2];
  return [
    { id: "ground", type: "background", paint: { "background-color": "#e9eef0" } },
    { id: "land", type: "fill", source: "districts", "source-layer": "districts", minzoom: 9,
      paint: { "fill-color": "#fbfaf8" } },
    { id: "regions", type: "fill", source: "districts", "source-layer": "districts", maxzoom: 9,
      paint: { "fill-color": regionColour(view), "fill-antialias": false } },
    ...counts,
    { id: "cell-edges", type: "line", source: "cells", "source-layer": "cells", minzoom: 13.5,
      paint: { "line-color": "#ffffff", "line-opacity": 0.7,
        "line-width": ["interpolate", ["linear"], ["zoom"], 13.5, 0.4, 17, 1.5] } },
    ...BORDERS.map(([kind, a]) => ({
      id: `border-${kind}-${a}`, type: "line", source: "base", "source-layer": "borders",
      filter: ["all", ["==", ["get", "kind"], kind], ["==", ["get", "a"], a]],
      ...(kind === "street" ? { minzoom: 10.5 } : {}),
      layout: { "line-join": "round" },
      paint: { "line-color": EDGE, "line-width": kind === "street" ? thin : wide,
        ...(a ? { "line-dasharray": [4, 3] } : {}) },
    })),
    { id: "water", type: "fill", source: "base", "source-layer": "water",
      paint: { "fill-color": "#b9d5e8" } },
    { id: "region-focus", type: "line", source: "districts", "source-layer": "districts",
      filter: ["==", ["get", "code"], ""], paint: { "line-color": "#0b57d0", "line-width": 3 } },
    ...["hover", "selected"].map((id) => ({
      id: `cell-${id}`, type: "line", source: "cells", "source-layer": "cells", minzoom: 12,
      filter: ["==", ["id"], -1],
      paint: { "line-color": id === "hover" ? "#595959" : "#0b57d0",
        "line-width": id === "hover" ? 1.5 : 3 },
    })),
    { id: "points", type: "circle", source: "points",
      paint: { "circle-radius": 4, "circle-color": "#0b57d0", "circle-stroke-color": "#fff",
        "circle-stroke-width": 1.5 } },
    ...labels(),
  ];
}

function labels() {
  const label = (id, kinds, size, paint, more = {}) => ({
    id, type: "symbol", source: "base", "source-layer": "names",
    filter: ["in", ["get", "kind"], ["literal", kinds]],
    layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": size,
      "text-max-width": 8, "text-padding": 4 },
    paint: { "text-halo-color": "rgba(255,255,255,0.95)", "text-halo-width": 1.6, ...paint },
    ...more,
  });
  return [
    label("street-names", ["street"], ["interpolate", ["linear"], ["zoom"], 11, 11, 15, 14],
      { "text-color": "#3d4b57" }, { minzoom: 11.5 }),
    label("water-names", ["water"], 13,
      { "text-color": "#1f5c86", "text-halo-color": "rgba(214,232,244,0.9)" }),
    label("district-names", ["district", "zone"],
      ["interpolate", ["linear"], ["zoom"], 7, 11, 10, 14, 14, 17], { "text-color": INK },
      { maxzoom: 14.5 }),
  ];
}
