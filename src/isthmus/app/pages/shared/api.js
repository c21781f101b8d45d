// Talking to the application: every request carries the token that the address of the start handed over (`/#token=...`).

const KEY = "isthmus-token";

/** @returns {string} the token, from the address or from this origin's own storage */
function token() {
  const handed = new URLSearchParams(location.hash.slice(1)).get("token");
  if (handed) {
    localStorage.setItem(KEY, handed);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return localStorage.getItem(KEY) ?? "";
}

const TOKEN = token();

/** What a refused request says: what came, what was expected, what to do. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{what: string, expected?: string, do?: string, [fact: string]: unknown}} said
   */
  constructor(status, said) {
    super(said.what);
    this.status = status;
    this.said = said;
  }

  /** @returns {string} all of it, as sentences */
  get sentence() {
    const { what, expected } = this.said;
    return [what, expected ? `Expected: ${expected}` : "", this.said.do ?? ""].filter(Boolean).map(part => part.replace(/\.?$/, ".")).join(" ");
  }
}

/**
 * One request; a refusal is thrown as `Refused`.
 * @param {string} path below /api/
 * @param {{method?: string, json?: unknown, bytes?: Uint8Array | ArrayBuffer | Blob, headers?: Record<string, string>, signal?: AbortSignal, keepalive?: boolean}} [options]
 * @returns {Promise<Response>}
 */
export async function request(path, { method, json, bytes, headers = {}, signal, keepalive } = {}) {
  /** @type {Record<string, string>} */
  const sent = { "X-Isthmus-Token": TOKEN, ...headers };
  /** @type {BodyInit | undefined} */
  let body;
  if (json !== undefined) {
    sent["Content-Type"] = "application/json";
    body = JSON.stringify(json);
  } else if (bytes !== undefined) {
    sent["Content-Type"] = "application/octet-stream";
    body = /** @type {BodyInit} */ (bytes);
  }
  let answer;
  try {
    answer = await fetch(`/api/${path}`, { method: method ?? (body === undefined ? "GET" : "POST"), headers: sent, body, signal, keepalive });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(0, { what: "The application does not answer", do: "Was it stopped? Start `isthmus app` again and open the address it prints" });
  }
  if (!answer.ok) {
    const said = await answer.json().catch(() => null);
    throw new Refused(answer.status, said?.error ?? { what: `${answer.status} ${answer.statusText}` });
  }
  return answer;
}

/**
 * A request answered in JSON.
 * @param {string} path
 * @param {Parameters<typeof request>[1]} [options]
 * @returns {Promise<any>}
 */
export async function ask(path, options) {
  return (await request(path, options)).json();
}

/**
 * A request answered in bytes.
 * @param {string} path
 * @param {Parameters<typeof request>[1]} [options]
 * @returns {Promise<ArrayBuffer>}
 */
export async function bytes(path, options) {
  return (await request(path, options)).arrayBuffer();
}

/**
 * Hand a file to the user's own download folder.
 * @param {BlobPart} content
 * @param {string} name
 */
export function download(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * Show an error where the page keeps a place for it (`#trouble`); no argument clears it.
 * @param {unknown} [error]
 */
export function trouble(error) {
  const place = document.getElementById("trouble");
  if (!place) return;
  place.hidden = error === undefined;
  place.className = "trouble";
  place.setAttribute("role", "alert");
  const line = document.createElement("p");
  line.textContent = error instanceof Refused ? error.sentence : error instanceof Error ? error.message : String(error ?? "");
  place.replaceChildren(line);
}

/**
 * An element with its attributes and children; text stays text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} kind
 * @param {Record<string, string | boolean | number | undefined>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(kind, attributes = {}, ...children) {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}
