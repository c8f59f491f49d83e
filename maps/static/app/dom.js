// Elements, texts and requests. Data reach the page as text nodes only.

export const byId = (id) => document.getElementById(id);

/** Make an element; `children` are nodes or strings. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Fill the placeholders of one of the page's texts. */
export function text(view, key, values = {}) {
  return (view.texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const number = (view, value) => value.toLocaleString(view.lang);

/** Show an alert with its way on; a second one of the same kind takes its place. */
export function alert(kind, message, action, onclick) {
  clearAlert(kind);
  const button = action ? [el("button", { type: "button", onclick }, action)] : [];
  byId("alerts").append(el("p", { class: "notice failed", "data-kind": kind }, message, ...button));
}

export function clearAlert(kind) {
  document.querySelector(`#alerts [data-kind="${kind}"]`)?.remove();
}

export function announce(message) {
  byId("live").textContent = message;
}

export const TIMEOUT_MS = 10_000;

/** Fetch with a limit of time; what went wrong is said in the reader's language. */
export async function request(view, url, { signal, accept = "application/json" } = {}) {
  const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
  let answer;
  try {
    answer = await fetch(url, { headers: { Accept: accept }, signal: AbortSignal.any(signals) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Error(text(view, error.name === "TimeoutError" ? "timeout" : "offline"));
  }
  if (answer.ok || accept === "text/html") return answer;
  const problem = await answer.json().catch(() => ({}));
  const number = problem.request_id ? ` · ${text(view, "request", { id: problem.request_id })}` : "";
  throw new Error(text(view, "status", { status: answer.status }) + number);
}
