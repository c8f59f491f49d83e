// The state of the page is its address: filters in the query, the view in the hash.

/** Return `{zoom, lat, lon}` of `#zoom/lat/lon`, or null. */
export function readHash(hash = location.hash) {
  const parts = hash.slice(1).split("/").map(Number);
  if (parts.length !== 3 || !parts.every(Number.isFinite)) return null;
  const [zoom, lat, lon] = parts;
  return Math.abs(lat) <= 85 && Math.abs(lon) <= 180 && zoom >= 0 && zoom <= 22
    ? { zoom, lat, lon }
    : null;
}

export function writeHash({ zoom, lat, lon }) {
  const hash = `#${zoom.toFixed(2)}/${lat.toFixed(5)}/${lon.toFixed(5)}`;
  history.replaceState(null, "", location.pathname + location.search + hash);
}

/** Return the address of a filled form: its own order, empty fields left out; a run goes with its month. */
export function formAddress(form) {
  const fields = new FormData(form);
  if (!form.elements.month.selectedOptions[0]?.defaultSelected) fields.delete("run");
  const given = [...fields].filter(([, value]) => value !== "");
  const order = ["month", "source", "category", "district", "lang", "run"];
  given.sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
  return `${form.getAttribute("action")}?${new URLSearchParams(given)}`;
}

/** Return the code of the cell in `sel=cell:CODE`, or null. */
export function readSelection() {
  const [, code] = (new URLSearchParams(location.search).get("sel") ?? "").match(/^cell:(\d{15})$/) ?? [];
  return code ?? null;
}

/** Return an address with or without a selected cell. */
export function withSelection(address, code) {
  const url = new URL(address, location.href);
  url.searchParams.delete("sel");
  const query = url.search + (code ? `${url.search ? "&" : "?"}sel=cell:${code}` : "");
  return url.pathname + query + url.hash;
}

export function readView(root = document) {
  const state = JSON.parse(root.getElementById("state").textContent);
  return Object.keys(state).length ? state : null;
}
