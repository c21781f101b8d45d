// Start a study: data, columns, plan, check, run. What was chosen survives a reload; the run goes on without the page.

import { ask, element, trouble } from "../shared/api.js";
import { act, byId, field } from "../shared/forms.js";
import { chooser } from "./chooser.js";
import { watch } from "./job.js";

/** @typedef {{name: string, kind: string, role: string, distinct: number, missing: number, shown: string[], may_be_outcome: boolean}} Column */
/** @typedef {{rows: number, columns: Column[], values: Record<string, string[]>}} Table */
/** @typedef {{images: string | null, table: string | null, kind: string, found: any, columns: Table | null, roles: Record<string, string>, positive: string, task: string, external: string[], widths: Record<string, number>, unused: string[], models: string[], folds: number, repeats: number, permutations: number, title: string, name: string, plan: string, step: number, run: string}} Draft */

const KEY = "isthmus-start";
/** @type {Draft} */
const EMPTY = { images: null, table: null, kind: "images", found: null, columns: null, roles: {}, positive: "", task: "binary", external: [], widths: {}, unused: [], models: [], folds: 5, repeats: 5, permutations: 20, title: "", name: "my-study", plan: "", step: 0, run: "first" };
const STEPS = ["1 Data", "2 Columns", "3 Plan", "4 Check", "5 Run"];
const ROLES = [["ignore", "not used"], ["patient", "patient's name"], ["outcome", "outcome"], ["time", "time to event"], ["centre", "centre"], ["clinical", "clinical predictor"]];

/** @type {Draft} */
let draft = { ...EMPTY, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };

function keep() {
  localStorage.setItem(KEY, JSON.stringify(draft));
}

/** @param {number} to */
function go(to) {
  draft.step = to;
  keep();
  trouble();
  draw();
  /** @type {HTMLElement | null} */ (byId("step").querySelector("h1"))?.focus();
  window.scrollTo(0, 0);
}

/** How far one may go: what a step needs was said before. */
function furthest() {
  if (draft.plan) return 4;
  const table = !draft.table || draft.columns;
  return (draft.found?.cases || draft.table) && table ? 2 : 0;
}

function draw() {
  byId("steps").replaceChildren(
    ...STEPS.map((name, place) => {
      const button = element("button", { type: "button", disabled: place > furthest(), "aria-current": place === draft.step ? "step" : undefined }, name);
      button.addEventListener("click", () => go(place));
      return element("li", {}, button);
    })
  );
  const step = [data, columns, plan, check, run][Math.min(draft.step, furthest())];
  byId("step").replaceChildren(...step());
}

/** @param {string} text */
const heading = text => element("h1", { tabindex: "-1" }, text);

/**
 * @param {string} text
 * @param {() => Promise<void> | void} what
 * @param {boolean} [main]
 * @param {boolean} [disabled]
 */
function button(text, what, main = false, disabled = false) {
  const made = element("button", { type: "button", class: main ? "main" : undefined, disabled });
  made.textContent = text;
  made.addEventListener("click", () => {
    made.disabled = true;
    void act(async () => what()).finally(() => {
      made.disabled = disabled;
    });
  });
  return made;
}

// ---------------------------------------------------------------------- 1 data

function data() {
  const kinds = [["images", "Scans with masks, and a table of patients"], ["features", "A ready table of features, no scans"]];
  const which = element("fieldset", {}, element("legend", {}, "What do you have?"),
    ...kinds.map(([value, text]) => {
      const input = element("input", { type: "radio", name: "kind", value, checked: draft.kind === value });
      input.addEventListener("change", () => {
        draft = { ...draft, kind: value, images: null, found: null, table: null, columns: null, roles: {}, plan: "" };
        keep();
        draw();
      });
      return element("label", { class: "tick" }, input, text);
    }));
  /** @type {Node[]} */
  const parts = [heading("Where are your data?"), which];
  if (draft.kind === "images") {
    parts.push(element("h2", {}, "Folder with scans and masks"));
    parts.push(chooser({ want: "folder", chosen: draft.images, choose: path => act(() => look(path)) }));
    if (draft.found) parts.push(...found(draft.found));
  }
  const cases = Boolean(draft.found?.cases);
  if (draft.kind === "features" || cases) {
    parts.push(element("h2", {}, draft.kind === "features" ? "Table of features" : "Table of patients: outcome, centre, clinical columns"));
    if (draft.found?.tables.length) parts.push(near(draft.found.tables));
    parts.push(chooser({ want: "table", chosen: draft.table, choose: path => act(() => table(path)) }));
    if (draft.columns) parts.push(element("p", { class: "good", role: "status" }, `${draft.columns.rows} rows, ${draft.columns.columns.length} columns.`));
  }
  parts.push(element("div", { class: "actions" }, button("Next: columns", () => go(1), true, furthest() < 1 || !draft.columns), button("Start over", over)));
  if (!cases && draft.kind === "images") parts.push(earlier());
  return parts;
}

function over() {
  draft = { ...EMPTY };
  go(0);
}

/** Go on with a plan that is there already. */
function earlier() {
  const place = element("div", {});
  void ask("start/plans").then(said => {
    if (!said.plans.length) return;
    const items = said.plans.map((/** @type {{path: string, shown: string}} */ one) => element("li", {}, button(one.shown, async () => {
      draft = { ...EMPTY, plan: one.path, step: 3 };
      go(3);
    })));
    place.append(element("h2", {}, "Or go on with a plan"), element("ul", { class: "list" }, ...items));
  }, trouble);
  return place;
}

/** @param {{path: string, shown: string}[]} tables */
function near(tables) {
  return element("ul", { class: "list" }, ...tables.map(one => element("li", {}, button(draft.table === one.path ? `✓ ${one.shown}` : one.shown, () => table(one.path)))));
}

/** @param {string} path */
async function look(path) {
  draft.images = path;
  draft.found = await ask("start/look", { json: { path } });
  draft.plan = "";
  if (draft.found.tables.length === 1 && !draft.table) await table(draft.found.tables[0].path);
  keep();
  draw();
}

/** @param {any} said */
function found(said) {
  if (!said.cases) return [element("p", { class: "caution", role: "status" }, said.why)];
  const head = element("tr", {}, ...said.columns.map((/** @type {string} */ name) => element("th", { scope: "col" }, name)));
  const rows = said.rows.map((/** @type {string[]} */ row) => element("tr", {}, ...row.map(cell => element("td", {}, cell))));
  /** @type {Node[]} */
  const parts = [element("p", { class: "good", role: "status" }, `${said.cases} patients with a scan and its mask (${said.images.join(", ")}). The first ones:`), element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)))];
  const lost = said.unplaced.length + said.more_unplaced;
  if (lost) {
    const items = said.unplaced.map((/** @type {string} */ text) => element("li", {}, text));
    parts.push(element("details", {}, element("summary", {}, `${lost} files or folders have no place in it`), element("ul", {}, ...items)));
  }
  return parts;
}

/** @param {string} path */
async function table(path) {
  const said = await ask("start/table", { json: { path } });
  draft = { ...draft, table: path, columns: { rows: said.rows, columns: said.columns, values: said.values }, plan: "", external: [] };
  draft.roles = Object.fromEntries(said.columns.map((/** @type {Column} */ one) => [one.name, one.role === "split" ? "ignore" : one.role]));
  if (draft.task !== "survival") for (const [name, role] of Object.entries(draft.roles)) if (role === "time") draft.roles[name] = "ignore";
  keep();
  draw();
}

// ---------------------------------------------------------------------- 2 columns

/** @param {string} role */
const having = role => Object.keys(draft.roles).filter(name => draft.roles[name] === role);

function columns() {
  const known = /** @type {Table} */ (draft.columns);
  const roles = draft.kind === "features" ? ROLES.filter(([role]) => role !== "clinical") : ROLES;
  const rows = known.columns.filter(one => one.role !== "image").map(one => {
    const select = element("select", { "aria-label": `What ${one.name} is` }, ...roles.map(([value, text]) => element("option", { value, selected: (draft.roles[one.name] ?? "ignore") === value }, draft.kind === "features" && value === "ignore" ? "feature" : text)));
    select.addEventListener("change", () => {
      // one column each, but for predictors
      if (!["ignore", "clinical"].includes(select.value)) for (const other of having(select.value)) draft.roles[other] = "ignore";
      draft.roles[one.name] = select.value;
      changed();
    });
    const missing = one.missing ? `, ${one.missing} missing` : "";
    return element("tr", {}, element("th", { scope: "row" }, one.name), element("td", {}, select), element("td", { class: "soft" }, `${one.shown.join(", ")}${one.distinct > one.shown.length ? " …" : ""}`), element("td", { class: "soft" }, `${one.kind}, ${one.distinct} values${missing}`));
  });
  const head = element("tr", {}, ...["Column", "It is the …", "For example", "Holds"].map(text => element("th", { scope: "col" }, text)));
  const ready = having("outcome").length === 1 && having("patient").length === 1;
  return [
    heading("What are the columns?"),
    element("p", { class: "soft" }, "This is a guess; correct it. Predictors must be known before the outcome: what is measured afterwards would make the model look better than it is."),
    element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows))),
    outcome(known),
    ...centres(known),
    element("div", { class: "actions" }, button("Back", () => go(0)), button("Next: plan", () => go(2), true, !ready), ready ? "" : element("span", { class: "caution" }, "One column must be the patient's name, and one the outcome.")),
  ];
}

function changed() {
  draft.plan = "";
  keep();
  draw();
}

/** @param {Table} known */
function outcome(known) {
  const name = having("outcome")[0];
  const values = name ? known.values[name] ?? [] : [];
  const tasks = [["binary", "yes or no"], ["survival", "time to an event"], ["multiclass", "several classes"], ["ordinal", "ordered classes"]];
  const task = element("select", {}, ...tasks.map(([value, text]) => element("option", { value, selected: draft.task === value }, text)));
  task.addEventListener("change", () => {
    draft.task = task.value;
    changed();
  });
  /** @type {Node[]} */
  const parts = [field("Kind of outcome", task, draft.task === "survival" ? "The outcome column says whether the event came; a column must be the time." : undefined)];
  if (draft.task === "binary" && values.length === 2) {
    const usual = /^(1|1\.0|yes|true|y)$/i;
    const positive = values.includes(draft.positive) ? draft.positive : values.find(value => usual.test(value)) ?? values[1];
    draft.positive = positive;
    const select = element("select", {}, ...values.map(value => element("option", { value, selected: value === positive }, value)));
    select.addEventListener("change", () => {
      draft.positive = select.value;
      changed();
    });
    parts.push(field(`Which value of ${name} is the event?`, select));
  } else if (draft.task === "binary" && name && values.length !== 2) {
    parts.push(element("p", { class: "caution wide" }, `${name} has ${values.length || "many"} values, and a yes-or-no outcome has two. Choose another column or another kind.`));
  }
  return element("fieldset", {}, element("legend", {}, "Outcome"), element("div", { class: "fields" }, ...parts));
}

/** @param {Table} known */
function centres(known) {
  const name = having("centre")[0];
  const values = name ? known.values[name] ?? [] : [];
  if (values.length < 2) return [];
  const ticks = values.map(value => {
    const input = element("input", { type: "checkbox", checked: draft.external.includes(value) });
    input.addEventListener("change", () => {
      draft.external = input.checked ? [...draft.external, value] : draft.external.filter(one => one !== value);
      changed();
    });
    return element("label", { class: "tick" }, input, value);
  });
  return [element("fieldset", {}, element("legend", {}, "Centres set aside"), element("p", { class: "soft" }, "Patients of these centres take no part in building the models; they show how the models do elsewhere."), element("div", { class: "choices" }, ...ticks))];
}

// ---------------------------------------------------------------------- 3 plan

// No model without a penalty: hundreds of features of some dozen patients have no single answer there. A plan written by hand may select first.
const MODELS = { binary: ["lasso", "elastic_net", "random_forest", "lightgbm", "svm"], survival: ["lasso_cox", "random_survival_forest"], multiclass: ["multinomial", "random_forest", "lightgbm"], ordinal: ["proportional_odds", "random_forest", "lightgbm"] };

function choices() {
  const blocks = Object.fromEntries((draft.found?.images ?? []).map((/** @type {string} */ name) => [name, { use: !draft.unused.includes(name), bin_width: draft.widths[name] ?? (/pet|suv/i.test(name) ? 0.25 : 25) }]));
  return {
    kind: draft.kind, images: draft.images, table: draft.table, patient: having("patient")[0] ?? "patient", outcome: having("outcome")[0] ?? "outcome",
    positive: draft.task === "binary" ? draft.positive || null : null, task: draft.task, time: draft.task === "survival" ? having("time")[0] ?? null : null, centre: having("centre")[0] ?? null,
    external: draft.external, clinical: draft.kind === "images" ? having("clinical") : [], blocks, models: draft.models,
    folds: draft.folds, repeats: draft.repeats, permutations: draft.permutations, title: draft.title,
  };
}

function plan() {
  const preview = element("div", { role: "status" });
  let waiting = 0;
  const refresh = () => {
    keep();
    clearTimeout(waiting);
    waiting = window.setTimeout(() => void act(async () => {
      const made = await ask("start/plan", { json: { name: draft.name || "study", choices: choices() } });
      const notes = made.notes.map((/** @type {string} */ note) => element("p", { class: "note" }, note));
      preview.replaceChildren(...notes, element("pre", { tabindex: "0" }, made.plan));
    }), 250);
  };
  /** @param {"folds" | "repeats" | "permutations"} key @param {number} low @param {number} high */
  const whole = (key, low, high) => {
    const input = element("input", { type: "number", min: low, max: high, value: draft[key] });
    input.addEventListener("input", () => {
      draft[key] = Math.min(Math.max(Math.round(Number(input.value)) || low, low), high);
      refresh();
    });
    return input;
  };
  /** @param {"title" | "name"} key @param {Record<string, string>} [more] */
  const text = (key, more = {}) => {
    const input = element("input", { value: draft[key], ...more });
    input.addEventListener("input", () => {
      draft[key] = input.value;
      refresh();
    });
    return input;
  };
  const images = (draft.found?.images ?? []).map((/** @type {string} */ name) => {
    const use = element("input", { type: "checkbox", checked: !draft.unused.includes(name) });
    use.addEventListener("change", () => {
      draft.unused = use.checked ? draft.unused.filter(one => one !== name) : [...draft.unused, name];
      refresh();
    });
    const width = element("input", { type: "number", min: "0", step: "any", value: draft.widths[name] ?? (/pet|suv/i.test(name) ? 0.25 : 25) });
    width.addEventListener("input", () => {
      if (Number(width.value) > 0) draft.widths[name] = Number(width.value);
      refresh();
    });
    return element("div", { class: "fields" }, element("label", { class: "tick" }, use, `measure ${name}`), field(`Bin width of ${name}`, width, "In the scan's own unit: 25 for CT (HU), 0.25 for PET (SUV), about 10 for MR. The check proposes a better one."));
  });
  const known = MODELS[/** @type {keyof typeof MODELS} */ (draft.task)];
  const models = known.map(name => {
    const input = element("input", { type: "checkbox", checked: draft.models.includes(name) });
    input.addEventListener("change", () => {
      draft.models = input.checked ? [...draft.models, name] : draft.models.filter(one => one !== name);
      refresh();
    });
    return element("label", { class: "tick" }, input, name.replaceAll("_", " "));
  });
  refresh();
  return [
    heading("The plan"),
    element("div", { class: "fields" }, field("Title of the report", text("title", { placeholder: "Distant metastasis of thyroid cancer" })), field("Name of the study", text("name", { maxlength: "60", pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]*" }), "A new folder of this name in the study folder.")),
    ...(images.length ? [element("fieldset", {}, element("legend", {}, "Scans"), ...images)] : []),
    element("fieldset", {}, element("legend", {}, "Models"), element("p", { class: "soft" }, "None chosen: LASSO logistic regression, random forest and LightGBM."), element("div", { class: "choices" }, ...models)),
    element("fieldset", {}, element("legend", {}, "Validation"), element("div", { class: "fields" }, field("Folds", whole("folds", 2, 20)), field("Repeats", whole("repeats", 1, 100)), field("Permuted outcomes", whole("permutations", 0, 1000), "The study again on outcomes that mean nothing: what chance alone reaches. 0: none, faster."))),
    element("h2", {}, "What will be written"),
    preview,
    element("div", { class: "actions" }, button("Back", () => go(1)), button("Write the plan", async () => {
      draft.plan = (await ask("start/write", { json: { name: draft.name, choices: choices() } })).plan;
      go(3);
    }, true)),
  ];
}

// ---------------------------------------------------------------------- 4 check, 5 run

function check() {
  const place = element("div", {});
  const start = button("Check the plan", async () => {
    await ask("start/check", { json: { plan: draft.plan } });
    watch(place, "check", draft.plan, trouble);
  }, true);
  watch(place, "check", draft.plan, trouble);
  return [
    heading("Is everything as it should be?"),
    element("p", {}, element("code", {}, draft.plan)),
    element("p", { class: "soft" }, "Every scan and mask is opened and measured once; nothing is learned yet."),
    shown(),
    element("div", { class: "actions" }, start, button("Next: run", () => go(4))),
    place,
  ];
}

/** The plan's text, for those who want to see it. */
function shown() {
  const text = element("pre", {});
  const made = element("details", {}, element("summary", {}, "Show the plan"), text);
  made.addEventListener("toggle", () => void act(async () => {
    text.textContent = (await ask("start/read", { json: { path: draft.plan } })).text;
  }));
  return made;
}

function run() {
  const place = element("div", {});
  const name = element("input", { value: draft.run, maxlength: "60" });
  name.addEventListener("input", () => {
    draft.run = name.value;
    keep();
  });
  /** @param {boolean} resume */
  const start = resume => async () => {
    await ask("start/run", { json: { plan: draft.plan, run: draft.run, resume } });
    watch(place, "run", draft.plan, trouble, start(true));
  };
  watch(place, "run", draft.plan, trouble, start(true));
  return [
    heading("Run the study"),
    element("p", {}, element("code", {}, draft.plan)),
    element("div", { class: "fields" }, field("Name of the run", name, "A new folder runs/<name> beside the plan. Another plan or another try takes another name.")),
    element("div", { class: "actions" }, button("Run", start(false), true), button("Back", () => go(3))),
    place,
  ];
}

draw();
