// The map page: the server draws filters, legends and table; this adds the map and keeps them in step.
import { CasePanel } from "./cases.js";
import { alert, announce, byId, clearAlert, request, text } from "./dom.js";
import { MapView } from "./mapview.js";
import { formAddress, readHash, readSelection, readView, withSelection } from "./state.js";

const page = { map: null, state: readView(), ready: null, errors: [] };
window.gridgis = page;
window.addEventListener("error", (event) => page.errors.push(event.message));
window.addEventListener("unhandledrejection", (event) => page.errors.push(String(event.reason)));
document.documentElement.classList.add("js");

const address = () => location.pathname + location.search;
let drawn = null; // MapView or FallbackMap
let level = "cell";
let pending = null;
let shownAddress = address();

const panel = new CasePanel({
  onselect: (code) => {
    drawn?.select?.(code);
    history.replaceState(null, "", withSelection(location.href, code));
    shownAddress = address();
  },
  onpoints: (points) => drawn?.showPoints?.(points),
});

function showLevel(next) {
  level = next;
  for (const legend of document.querySelectorAll(".legend")) {
    legend.hidden = legend.dataset.level !== level;
  }
  const unit = text(page.state, "unit", { unit: page.state.levels[level].title });
  byId("unit").textContent = unit;
  byId("unit").hidden = false;
  announce(unit);
}

async function openMap() {
  const hooks = { onlevel: showLevel, oncell: (code) => panel.open(page.state, code), onlost: lost };
  try {
    if (document.createElement("canvas").getContext("webgl2")) {
      const maplibre = await import(page.state.vendor.maplibre);
      drawn = new MapView(maplibre, page.state, hooks);
    } else {
      alert("webgl", text(page.state, "no_webgl"));
      const { FallbackMap } = await import("./fallback.js");
      drawn = await FallbackMap.open(page.state, hooks);
    }
    page.map = drawn.map;
    await drawn.ready;
  } catch (error) {
    page.errors.push(error.message);
    alert("map", text(page.state, "no_map", { reason: error.message }), ...reload());
  }
  const selected = readSelection();
  if (selected) await panel.open(page.state, selected);
}

const reload = () => [text(page.state, "reload"), () => location.reload()];

function lost() {
  alert("lost", text(page.state, "map_lost"), ...reload());
}

/** Take over the parts of another answer of the server, then draw its map. */
async function show(wanted, { push, selected = panel.code }) {
  if (!page.state) {
    // A page without a run has no map to keep in step.
    push ? location.assign(wanted + location.hash) : location.reload();
    return;
  }
  pending?.abort();
  const mine = (pending = new AbortController());
  try {
    const answer = await request(page.state, wanted, { accept: "text/html", signal: mine.signal });
    const other = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine.signal.aborted) return;
    if (!other.getElementById("state")) {
      throw new Error(text(page.state, "status", { status: answer.status }));
    }
    if (!readView(other)) {
      push ? location.assign(wanted + location.hash) : location.reload();
      return;
    }
    clearAlert("page");
    if (push) history.pushState(null, "", wanted + location.hash);
    shownAddress = address();
    await take(other, { stay: !push, selected });
  } catch (error) {
    if (mine.signal.aborted) return;
    page.errors.push(error.message);
    const again = () => show(wanted, { push, selected });
    alert("page", text(page.state, "page_failed", { reason: error.message }), text(page.state, "retry"), again);
  }
}

async function take(other, { stay, selected }) {
  document.title = other.title;
  for (const part of document.querySelectorAll("[data-swap]")) {
    part.replaceWith(document.importNode(other.getElementById(part.id), true));
  }
  for (const select of document.querySelectorAll("#filters select")) {
    const theirs = other.getElementById(select.id);
    select.replaceChildren(...[...theirs.childNodes].map((node) => document.importNode(node, true)));
  }
  const next = readView();
  page.state = next;
  if (!drawn) {
    page.ready = openMap();
    return;
  }
  drawn.update(next, { stay });
  showLevel(level);
  announce(text(next, "updated", { n: byId("total").textContent }));
  if (selected) await panel.open(next, selected);
  else if (panel.code) panel.close();
}

function toggleFilters(open) {
  byId("filters").classList.toggle("open", open);
  byId("filters-open").setAttribute("aria-expanded", String(open));
  (open ? byId("f-month") : byId("filters-open")).focus();
}

function ask(wanted) {
  return show(withSelection(wanted, panel.code), { push: true });
}

byId("filters").addEventListener("change", () => ask(formAddress(byId("filters"))));
byId("filters").addEventListener("submit", (event) => {
  event.preventDefault();
  ask(formAddress(byId("filters")));
});
byId("filters-open").addEventListener("click", () => toggleFilters(true));
byId("filters-close").addEventListener("click", () => toggleFilters(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && byId("filters").classList.contains("open")) toggleFilters(false);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='/map']");
  const focus = event.target.closest?.("[data-focus]");
  if (link?.matches("#reset a, .notice a, .vacant a") && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    ask(link.getAttribute("href"));
  } else if (link) {
    link.href = withSelection(link.href, panel.code).split("#")[0] + location.hash;
  } else if (focus) {
    for (const row of document.querySelectorAll("tr.current")) row.classList.remove("current");
    focus.closest("tr").classList.add("current");
    byId("stage").scrollIntoView({ block: "nearest" });
    drawn?.focusRegion(focus.dataset.focus);
  }
});
window.addEventListener("popstate", async () => {
  const there = { push: false, selected: readSelection() };
  if (address() !== shownAddress) await show(address(), there);
  const at = readHash();
  if (at) drawn?.moveTo(at);
});

if (page.state) page.ready = openMap();
