// The interactive map: layers, pointer and keyboard, its part of the address.
import { TIMEOUT_MS, alert, announce, byId, clearAlert, el, text } from "./dom.js";
import { readHash, writeHash } from "./state.js";
import { LEVELS, levelAt, mapStyle } from "./style.js";

const PICKABLE = LEVELS.map((entry) => entry.layer);
const NONE = ["==", ["id"], -1];
const SOURCE_TEXT = (source) => `layer.${source.startsWith("blocks") ? "cells" : source}`;

export class MapView {
  /** `onlevel(level)` when the unit changes; `oncell(code)` opens a cell and promises its list. */
  constructor(maplibre, view, { onlevel, oncell, onlost }) {
    this.view = view;
    this.onlevel = onlevel;
    this.oncell = oncell;
    const at = readHash();
    this.map = new maplibre.Map({
      container: "map",
      style: mapStyle(view),
      ...(at
        ? { center: [at.lon, at.lat], zoom: at.zoom }
        : { bounds: this.home(), fitBoundsOptions: { padding: 16 } }),
      minZoom: 5, maxZoom: 18, dragRotate: false, pitchWithRotate: false, touchPitch: false,
      attributionControl: false, maxPitch: 0, fadeDuration: 0,
      localIdeographFontFamily: '"Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif',
      locale: {
        "Map.Title": text(view, "map_label"),
        "NavigationControl.ZoomIn": text(view, "zoom_in"),
        "NavigationControl.ZoomOut": text(view, "zoom_out"),
      },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
    this.map.addControl(new HomeControl(text(view, "reset_view"), () => this.goHome()), "top-right");
    this.map.addControl(new maplibre.ScaleControl({ maxWidth: 100 }), "bottom-left");
    this.ready = new Promise((resolve) => this.map.once("idle", resolve));
    this.listen(onlost);
  }

  home() {
    const chosen = this.view.regions[this.view.filters.district];
    return chosen?.bbox ?? this.view.bounds;
  }

  goHome() {
    this.map.fitBounds(this.home(), { padding: 16 });
  }

  listen(onlost) {
    const { map } = this;
    map.on("zoom", () => this.showLevel());
    map.on("load", () => {
      this.showLevel();
      this.outline(this.view.filters.district);
    });
    map.on("moveend", () => {
      const { lng, lat } = map.getCenter();
      writeHash({ zoom: map.getZoom(), lat, lon: lng });
    });
    map.on("mousemove", (event) => this.hover(event.point));
    map.on("mouseout", () => this.hover(null));
    map.on("click", (event) => this.open(event.point));
    map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.open(map.project(map.getCenter()));
    });
    map.on("webglcontextlost", onlost);
    map.on("error", (event) => this.failed(event));
    map.on("dataloading", () => {
      this.timer ??= setTimeout(() => this.slow(), TIMEOUT_MS);
    });
    map.on("idle", () => {
      clearTimeout(this.timer);
      this.timer = null;
      clearAlert("slow");
    });
  }

  showLevel() {
    const { level } = levelAt(this.map.getZoom());
    if (level === this.level) return;
    this.level = level;
    this.hover(null);
    this.onlevel(level);
  }

  pick(point) {
    const layers = PICKABLE.filter((layer) => this.map.getLayer(layer));
    return this.map.queryRenderedFeatures(point, { layers })[0] ?? null;
  }

  /** Say what lies under the pointer. */
  hover(point) {
    const found = point && this.pick(point);
    const cell = found?.layer.id === "cells" ? found.id : -1;
    if (this.map.getLayer("cell-hover")) this.map.setFilter("cell-hover", ["==", ["id"], cell]);
    this.map.getCanvas().style.cursor = found ? "pointer" : "";
    const readout = byId("readout");
    readout.hidden = !found;
    if (found) readout.replaceChildren(...this.describe(found));
  }

  describe(feature) {
    const { view } = this;
    const layer = feature.layer.id;
    if (layer === "regions") {
      const region = view.regions[feature.properties.code];
      if (!region) return [feature.properties.code];
      return [el("b", {}, region.label), el("span", {}, text(view, "density", region))];
    }
    const cases = el("b", {}, text(view, "cases", { n: feature.properties.n.toLocaleString(view.lang) }));
    const hint = layer === "cells" ? text(view, "cell", { code: cellCode(feature) }) : text(view, "block_hint");
    return [cases, el("span", {}, hint)];
  }

  /** Open a cell, or go nearer until there are cells. */
  open(point) {
    const found = this.pick(point);
    if (!found) {
      announce(text(this.view, "nothing_here"));
    } else if (found.layer.id === "cells") {
      const place = this.map.unproject(point);
      this.oncell(cellCode(found)).then(() => this.uncover(place));
    } else if (found.layer.id === "regions") {
      this.focusRegion(found.properties.code);
    } else {
      this.map.easeTo({ center: this.map.unproject(point), zoom: found.layer.id === "blocks500" ? 13 : 10.5 });
    }
  }

  /** Where the list is a sheet over the map, move what was picked out from under it. */
  uncover(place) {
    const stage = this.map.getContainer().getBoundingClientRect();
    const free = byId("cases").getBoundingClientRect().top - stage.top;
    if (free < stage.height && getComputedStyle(byId("cases")).position === "fixed" && innerWidth < 700) {
      this.map.easeTo({ center: place, offset: [0, (Math.max(free, 0) - stage.height) / 2] });
    }
  }

  focusRegion(code) {
    const region = this.view.regions[code];
    if (!region?.bbox) return;
    this.outline(code);
    this.map.fitBounds(region.bbox, { padding: 24, maxZoom: 13 });
  }

  outline(code) {
    if (this.map.getLayer("region-focus")) {
      this.map.setFilter("region-focus", ["==", ["get", "code"], code ?? ""]);
    }
  }

  select(code) {
    this.selected = code;
    this.map.setFilter("cell-selected", code ? ["==", ["id"], Number(code)] : NONE);
    if (!code) this.showPoints([]);
  }

  showPoints(lonLats) {
    const features = lonLats.map((coordinates) => ({
      type: "Feature", properties: {}, geometry: { type: "Point", coordinates },
    }));
    this.map.getSource("points")?.setData({ type: "FeatureCollection", features });
  }

  moveTo({ zoom, lat, lon }) {
    this.map.jumpTo({ center: [lon, lat], zoom });
  }

  /**
   * Draw another run or other filters. The style as a whole is exchanged: `setTiles` and
   * `setPaintProperty` in one frame leave the old tiles in the new colours (maplibre-gl 6.17).
   */
  update(view, { stay }) {
    const moved = view.filters.district !== this.view.filters.district;
    this.view = view;
    this.draw();
    if (moved && !stay) this.goHome();
  }

  /** Fetch the tiles again; tiles that failed stay failed under their old address. */
  retry() {
    this.attempt = (this.attempt ?? 0) + 1;
    this.draw();
  }

  draw() {
    clearAlert("tiles");
    this.missing?.clear();
    this.map.setStyle(mapStyle(this.view, this.attempt), { diff: true });
    this.outline(this.view.filters.district);
    if (this.selected) this.select(this.selected);
  }

  failed({ sourceId, error }) {
    window.gridgis.errors.push(String(error?.message ?? error));
    this.missing ??= new Set();
    if (sourceId) this.missing.add(text(this.view, SOURCE_TEXT(sourceId)));
    const layers = [...this.missing].join(this.view.lang === "en" ? ", " : "、");
    alert("tiles", text(this.view, "tiles_failed", { layers }), text(this.view, "retry"), () => this.retry());
  }

  slow() {
    this.timer = null;
    alert("slow", text(this.view, "tiles_slow"), text(this.view, "retry"), () => this.retry());
  }
}

/** The 15-digit code of a cell; tiles carry it as a number. */
export const cellCode = (feature) => String(feature.id).padStart(15, "0");

class HomeControl {
  constructor(title, onclick) {
    const icon = el("span", { class: "maplibregl-ctrl-icon home", "aria-hidden": "true" });
    const button = el("button", { type: "button", title, "aria-label": title, onclick }, icon);
    this.element = el("div", { class: "maplibregl-ctrl maplibregl-ctrl-group" }, button);
  }

  onAdd() {
    return this.element;
  }

  onRemove() {
    this.element.remove();
  }
}
