// The panel with the cases of one cell: paged, closed by Esc, focus goes back to where it was.
import { byId, el, number, request, text } from "./dom.js";

const PAGE = 50;

export class CasePanel {
  /** `onselect(code | null)` when a cell opens or closes, `onpoints(list)` when cases are listed. */
  constructor({ onselect, onpoints }) {
    this.onselect = onselect;
    this.onpoints = onpoints;
    byId("cases-close").addEventListener("click", () => this.close());
    byId("cases-more").addEventListener("click", () => this.load());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !byId("cases").hidden) this.close();
    });
  }

  open(view, code) {
    const opening = byId("cases").hidden;
    if (opening) this.opener = document.activeElement;
    this.abort?.abort();
    this.abort = new AbortController();
    Object.assign(this, { view, code, cursor: null, points: [], shown: 0 });
    byId("cases-title").textContent = text(view, "cell", { code });
    byId("cases-place").textContent = "";
    byId("cases-list").replaceChildren();
    byId("cases").hidden = false;
    byId("cases").scrollTop = 0;
    if (opening || document.activeElement?.closest("#map")) byId("cases-title").focus();
    this.onselect(code);
    this.onpoints([]);
    return Promise.all([this.load(), this.describe()]);
  }

  close() {
    this.abort?.abort();
    byId("cases").hidden = true;
    this.code = null;
    this.onselect(null);
    const back = this.opener?.isConnected ? this.opener : document.querySelector("#map canvas");
    back?.focus();
  }

  /** Say where the cell lies; the list does not wait for it. */
  async describe() {
    const { signal } = this.abort;
    try {
      const answer = await request(this.view, `/api/v1/cells/${this.code}`, { signal });
      const cell = await answer.json();
      const place = [cell.region_name, cell.street_name].filter(Boolean).join(" · ");
      const area = text(this.view, "area", { n: number(this.view, Math.round(cell.area_m2)) });
      if (!signal.aborted) byId("cases-place").textContent = [place, area].filter(Boolean).join(" · ");
    } catch (error) {
      if (!signal.aborted) window.gridgis.errors.push(error.message);
    }
  }

  async load() {
    const { view, code } = this;
    const { signal } = this.abort;
    byId("cases-more").hidden = true;
    byId("cases").querySelector(".notice")?.remove();
    if (!this.shown) byId("cases-count").textContent = text(view, "loading");
    const query = new URLSearchParams({ cell: code, month: view.month, ...view.filters, limit: PAGE });
    if (this.cursor) query.set("cursor", this.cursor);
    try {
      const page = await (await request(view, `/api/v1/cases?${query}`, { signal })).json();
      if (!signal.aborted) this.show(page);
    } catch (error) {
      if (!signal.aborted) this.fail(error);
    }
  }

  show({ cases, total, cursor }) {
    const { view } = this;
    byId("cases-list").append(...cases.map((entry) => caseItem(view, entry)));
    this.shown += cases.length;
    this.cursor = cursor;
    const values = { n: number(view, total), shown: number(view, this.shown) };
    byId("cases-count").textContent = text(view, total ? "list_total" : "list_empty", values);
    byId("cases-more").hidden = !cursor;
    this.points.push(...cases.filter((c) => c.lon !== null).map((c) => [c.lon, c.lat]));
    this.onpoints(this.points);
  }

  fail(error) {
    if (!this.shown) byId("cases-count").textContent = "";
    const retry = el("button", { type: "button", onclick: () => this.load() }, text(this.view, "retry"));
    const message = text(this.view, "list_failed", { reason: error.message });
    byId("cases-list").after(el("p", { class: "notice failed", role: "alert" }, message, retry));
  }
}

function caseItem(view, entry) {
  const named = [entry.subcategory_name, entry.subcategory_code].filter(Boolean).join(" ");
  const marks = [text(view, "case_no", { no: entry.case_no }), localTime(view, entry.counted_at)];
  if (entry.self_handled) marks.push(text(view, "self_handled"));
  const item = el("li", {},
    el("div", { class: "line" }, el("b", {}, named),
      el("span", { class: `status ${entry.status}` }, text(view, `status.${entry.status}`))),
    el("div", { class: "quiet" }, marks.filter(Boolean).join(" · ")),
    el("div", {}, entry.address_text || text(view, "no_address")));
  if (entry.description) item.append(el("div", {}, entry.description));
  return item;
}

function localTime(view, moment) {
  if (!moment) return "";
  return new Intl.DateTimeFormat(view.lang, {
    dateStyle: "medium", timeStyle: "short", timeZone: view.timeZone,
  }).format(new Date(moment));
}
