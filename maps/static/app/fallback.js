// Without WebGL2: a Leaflet map of densities by region, with the same colours as the table.
import { alert, byId, el, request, text } from "./dom.js";
import { readHash, writeHash } from "./state.js";

export class FallbackMap {
  static async open(view, { onlevel }) {
    await loadLeaflet(view.vendor.leaflet);
    return new FallbackMap(view, onlevel);
  }

  constructor(view, onlevel) {
    this.map = window.L.map("map", { attributionControl: false, minZoom: 5, maxZoom: 16, zoomSnap: 0.5 });
    this.map.zoomControl.setPosition("topright");
    this.layers = new Map();
    const at = readHash();
    // One zoom level of Leaflet (256 px tiles) is one more than of MapLibre (512 px).
    if (at) this.map.setView([at.lat, at.lon], at.zoom + 1);
    else this.map.fitBounds(box(view.bounds));
    this.map.on("moveend", () => {
      const { lat, lng } = this.map.getCenter();
      writeHash({ zoom: Math.max(0, this.map.getZoom() - 1), lat, lon: lng });
    });
    this.map.on("zoomend", () => requestAnimationFrame(() => this.fitNames()));
    onlevel("district");
    this.ready = this.update(view, { stay: Boolean(at) });
  }

  async update(view, { stay = true } = {}) {
    this.view = view;
    for (const code of this.layers.keys()) this.paint(code);
    const codes = Object.keys(view.regions).filter((code) => view.regions[code].bbox);
    const results = await Promise.allSettled(codes.map((code) => this.draw(code)));
    const failed = results.find((result) => result.status === "rejected");
    if (failed) {
      window.gridgis.errors.push(failed.reason.message);
      alert("tiles", text(view, "tiles_failed", { layers: text(view, "layer.districts") }),
        text(view, "retry"), () => this.update(view));
    }
    this.fitNames();
    if (!stay && this.layers.size) {
      this.map.fitBounds(window.L.featureGroup([...this.layers.values()]).getBounds());
    }
  }

  /** Leave out the names of regions that are too narrow for them. */
  fitNames() {
    for (const layer of this.layers.values()) {
      const bounds = layer.getBounds();
      const [left, right] = [bounds.getNorthWest(), bounds.getSouthEast()]
        .map((corner) => this.map.latLngToLayerPoint(corner).x);
      layer.eachLayer((shape) => {
        const label = shape.getTooltip()?.getElement();
        if (label) label.style.visibility = right - left < label.offsetWidth ? "hidden" : "";
      });
    }
  }

  async draw(code) {
    if (!this.layers.has(code)) {
      const region = await (await request(this.view, `/api/v1/districts/${code}`)).json();
      const layer = window.L.geoJSON(region.geometry);
      layer.eachLayer((shape) => shape.bindTooltip(el("span", {}, this.view.regions[code].label),
        { permanent: true, direction: "center", className: "region-label" }));
      layer.on("mouseover", () => this.describe(code));
      layer.on("mouseout", () => { byId("readout").hidden = true; });
      layer.on("click", () => this.focusRegion(code));
      this.layers.set(code, layer.addTo(this.map));
    }
    this.paint(code);
  }

  /** Fill a region with its class; one that the filter leaves out is not coloured. */
  paint(code) {
    const colour = this.view.regions[code]?.colour ?? null;
    this.layers.get(code).setStyle({
      fillColor: colour === null ? "#fbfaf8" : this.view.colours[colour], fillOpacity: 1,
      color: "#4a5a68", weight: 1.2,
    });
  }

  moveTo({ zoom, lat, lon }) {
    this.map.setView([lat, lon], zoom + 1);
  }

  describe(code) {
    const region = this.view.regions[code];
    if (!region) return;
    const readout = byId("readout");
    readout.hidden = false;
    readout.replaceChildren(el("b", {}, region.label), el("span", {}, text(this.view, "density", region)));
  }

  focusRegion(code) {
    const { bbox } = this.view.regions[code] ?? {};
    if (bbox) this.map.fitBounds(box(bbox));
  }
}

const box = ([west, south, east, north]) => [[south, west], [north, east]];

function loadLeaflet(folder) {
  document.head.prepend(el("link", { rel: "stylesheet", href: `${folder}/leaflet.css` }));
  document.documentElement.classList.add("fallback");
  return new Promise((resolve, reject) => {
    document.head.append(el("script", {
      src: `${folder}/leaflet.js`, onload: resolve, onerror: () => reject(new Error("leaflet.js")),
    }));
  });
}
