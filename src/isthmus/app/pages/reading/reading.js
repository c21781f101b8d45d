// The reading room: who reads, the list of cases, the form beside the scan, the comparison, the agreement.

import { ask, element, trouble } from "../shared/api.js";
import { act, byId, field } from "../shared/forms.js";
import { questions } from "./questions.js";
import { viewer } from "./viewer.js";

const WHO = "isthmus-reader";
const WORDS = /** @type {Record<string, string>} */ ({ new: "not read", draft: "draft", signed: "signed" });

let reader = localStorage.getItem(WHO) ?? "";
/** @type {{fields: import("./questions.js").Field[], cannot: string, readers: string[]}} */
let form = { fields: [], cannot: "", readers: [] };
let filter = "all";

/** @param {string} text @param {() => Promise<void> | void} what @param {boolean} [main] */
function button(text, what, main = false) {
  const made = element("button", { type: "button", class: main ? "main" : undefined }, text);
  made.addEventListener("click", () => act(async () => what()));
  return made;
}

/** @param {...(Node | string)} parts */
function place(...parts) {
  byId("place").replaceChildren(...parts);
  window.scrollTo(0, 0);
}

function who() {
  const input = element("input", { value: reader, maxlength: 60, autocomplete: "off", list: "known" });
  const known = element("datalist", { id: "known" }, ...form.readers.map(name => element("option", { value: name })));
  const made = element("form", { class: "who" }, field("Name or initials", input, "It stands beside your answers. You see nobody else's until two have signed a case."), known, element("button", { class: "main" }, "Begin"));
  made.addEventListener("submit", event => {
    event.preventDefault();
    void act(async () => {
      if (!input.value.trim()) throw new Error("Say who reads.");
      reader = input.value.trim();
      await ask("reading/list", { json: { reader } });
      localStorage.setItem(WHO, reader);
      await list();
    });
  });
  byId("who").textContent = "";
  place(element("h1", {}, "Who is reading?"), made);
  input.focus();
}

async function list() {
  byId("who").replaceChildren(reader, " ", button("change", who));
  const { cases } = await ask("reading/list", { json: { reader } });
  const kinds = /** @type {[string, string, (one: any) => boolean][]} */ ([["all", "All", () => true], ["open", "To read", one => one.state !== "signed"], ["signed", "Signed", one => one.state === "signed"], ["compare", "To compare", one => one.compare && !one.settled], ["settled", "Agreed", one => one.settled]]);
  const chosen = kinds.find(([key]) => key === filter) ?? kinds[0];
  const buttons = kinds.map(([key, text, fits]) => {
    const made = button(`${text} ${cases.filter(fits).length}`, async () => {
      filter = key;
      await list();
    });
    made.setAttribute("aria-pressed", String(key === filter));
    return made;
  });
  const rows = cases.filter(chosen[2]).map((/** @type {any} */ one) => {
    const words = [WORDS[one.state], one.settled ? "agreed" : one.opened ? "being compared" : one.compare ? "can be compared" : ""].filter(Boolean);
    const made = button("", () => (one.compare ? compare(one.case, one.opened) : read(one.case)));
    made.append(element("strong", {}, one.case), element("span", { class: one.state === "signed" ? "more good" : "more" }, words.join(" · ")));
    return element("li", {}, made);
  });
  const next = cases.find((/** @type {any} */ one) => one.state !== "signed");
  place(
    element("h1", {}, "Cases"),
    element("div", { class: "filter" }, ...buttons),
    element("div", { class: "actions" }, ...(next ? [button("Read the next one", () => read(next.case), true)] : []), button("Agreement of readers", agreement), button("Export as a table", exported)),
    element("ul", { class: "list" }, ...rows)
  );
}

// ---------------------------------------------------------------------- one case

/** @param {string} name */
async function read(name) {
  const found = await ask("reading/case", { json: { reader, case: name } });
  let version = found.version;
  let since = Date.now();
  let timer = 0;
  let saving = Promise.resolve();
  const status = element("span", { role: "status", class: "soft" }, found.signed ? "signed" : found.version ? "draft" : "");
  const offers = /** @type {Map<string, HTMLElement>} */ (new Map());
  const save = (/** @type {boolean} */ signed) => {
    clearTimeout(timer);
    saving = saving.then(async () => {
      const now = Date.now();
      const seconds = Math.min((now - since) / 1000, 600); // a coffee is no reading
      const saved = await ask("reading/save", { json: { reader, case: name, answers: made.answers(), signed, seconds, version }, keepalive: true });
      since = now;
      version = saved.version;
      status.textContent = signed ? "signed" : "saved as draft";
    });
    return saving;
  };
  const made = questions(form.fields, found.answers, {
    cannot: form.cannot,
    off: found.closed,
    changed: () => {
      clearTimeout(timer);
      status.textContent = "not saved yet";
      timer = window.setTimeout(() => {
        const before = saving;
        saving = before.catch(() => undefined);
        save(false).catch(error => {
          saving = Promise.resolve();
          status.textContent = "not saved";
          trouble(error);
        });
      }, 600);
    },
    below: one => {
      const spot = element("span", {});
      offers.set(one.name, spot);
      return [spot];
    },
  });
  const leave = async () => {
    if (status.textContent === "not saved yet") await save(false);
    await list();
  };
  const sign = button(found.signed ? "Sign again" : "Sign", async () => {
    saving = saving.catch(() => undefined);
    try {
      await save(true);
    } catch (error) {
      saving = Promise.resolve();
      throw error;
    }
    const { cases } = await ask("reading/list", { json: { reader } });
    const next = cases.find((/** @type {any} */ other) => other.state !== "signed");
    await (next ? read(next.case) : list());
  }, true);
  const ends = found.closed ? [element("p", { class: "caution" }, "This case was compared; its readings are closed."), button("Compare", () => compare(name, true))] : [sign, status];
  place(
    element("p", { class: "back" }, button("All cases", leave)),
    element("h1", {}, name),
    element("div", { class: "desk" }, viewer(name, found.scans), element("div", {}, made.element, element("div", { class: "actions" }, ...ends)))
  );
  if (found.closed) return;
  const { offered, measures } = await ask("reading/measure", { json: { case: name } });
  for (const [question, one] of Object.entries(/** @type {Record<string, {value: number, answer: any}>} */ (offered))) {
    const spot = offers.get(question);
    if (!spot) continue;
    const take = element("button", { type: "button", class: "offer" }, `Measured ${one.value}: take ${one.answer}`);
    take.addEventListener("click", () => made.set(question, one.answer));
    spot.replaceChildren(take);
  }
  for (const [measure, why] of Object.entries(/** @type {Record<string, string>} */ (measures.reasons ?? {}))) {
    for (const one of form.fields) if ("measured" in one && (one.measured === measure || `contact_degrees:${/** @type {any} */ (one).organ}` === measure)) offers.get(one.name)?.replaceChildren(element("span", { class: "said" }, `Not measured: ${why}`));
  }
}

// ---------------------------------------------------------------------- comparison and consensus

/** @param {string} name @param {boolean} opened */
async function compare(name, opened) {
  if (!opened && !confirm(`Open the comparison of ${name}? The readings of this case are closed by it.`)) {
    await read(name);
    return;
  }
  const found = await ask("reading/compare", { json: { reader, case: name } });
  /** @type {Record<string, any>} */
  const start = { ...found.consensus.answers };
  for (const one of form.fields) {
    if (start[one.name] !== undefined || found.differ.includes(one.name)) continue;
    const given = found.readers.map((/** @type {any} */ other) => other.answers[one.name]).filter((/** @type {any} */ value) => value !== undefined);
    if (!given.length) continue;
    start[one.name] = one.kind === "number" ? Number((given.reduce((/** @type {number} */ sum, /** @type {number} */ value) => sum + value, 0) / given.length).toFixed(2)) : one.kind === "text" ? given.join(" / ") : given[0];
  }
  const made = questions(form.fields, start, {
    cannot: form.cannot,
    differ: found.differ,
    below: one => found.readers.map((/** @type {any} */ other) => {
      const value = other.answers[one.name];
      return element("span", { class: "said" }, `${other.reader}: ${value === undefined ? "no answer" : Array.isArray(value) ? value.join(", ") || "none" : value}`);
    }),
  });
  const names = found.readers.map((/** @type {any} */ one) => one.reader);
  const done = found.consensus.signed ? `Agreed by ${found.consensus.by.join(", ")}.` : "";
  const count = found.differ.length;
  place(
    element("p", { class: "back" }, button("All cases", list)),
    element("h1", {}, `${name}: consensus`),
    element("p", {}, count ? `${names.join(" and ")} differ in ${count} of ${form.fields.length} questions; they are marked. ` : `${names.join(" and ")} chose the same everywhere. `, element("span", { class: "good" }, done)),
    element("div", { class: "desk" }, viewer(name, found.scans), element("div", {}, made.element, element("div", { class: "actions" }, button("Agreed", async () => {
      await ask("reading/agree", { json: { case: name, answers: made.answers(), by: names } });
      await list();
    }, true))))
  );
}

async function agreement() {
  const { rows } = await ask("reading/agreement");
  const words = /** @type {Record<string, string>} */ ({ icc: "ICC(2,1)", kappa: "kappa", "weighted kappa": "weighted kappa" });
  const body = rows.map((/** @type {any} */ row) => {
    const question = form.fields.find(one => one.name === row.field)?.question ?? row.field;
    const value = row.estimate === null ? "not computed" : `${row.estimate.toFixed(2)} (${row.lower.toFixed(2)} to ${row.upper.toFixed(2)})`;
    const cells = [`${row.reader_a} and ${row.reader_b}`, String(row.n), words[row.measure], value, row.observed === null ? "" : `${Math.round(100 * row.observed)} %`];
    return element("tr", { title: row.method }, element("th", { scope: "row" }, row.choice ? `${question} ${row.choice}` : question), ...cells.map(cell => element("td", {}, cell)));
  });
  const head = element("tr", {}, ...["Question", "Readers", "Cases", "Measure", "Estimate (95 % CI)", "Same answer"].map(text => element("th", { scope: "col" }, text)));
  place(
    element("p", { class: "back" }, button("All cases", list)),
    element("h1", {}, "Agreement of readers"),
    body.length ? element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...body))) : element("p", {}, "Two readers must have signed the same cases first.")
  );
}

async function exported() {
  const { lines } = await ask("reading/export", { json: {} });
  place(element("p", { class: "back" }, button("All cases", list)), element("h1", {}, "Exported"), element("ul", {}, ...lines.map((/** @type {string} */ line) => element("li", {}, line))));
}

void act(async () => {
  form = await ask("reading/form");
  await (reader ? list() : who());
});
