// Calculate a risk: choose a model, enter a patient, read the risk and what it is worth.

import { ask, bytes, download, element } from "../shared/api.js";
import { act as attempt, byId, field, percent, short, two } from "../shared/forms.js";

/** @typedef {{name: string, label: string, unit: string, group: string, kind: "number" | "choice" | "text", choices: string[], usual: number[], low: number | null, high: number | null, possible: [number, number] | null, used: boolean}} Input */
/** @typedef {{key: string, title: string, name: string, use: string, event: string, task: string, classes: string[], horizon: number | null, threshold: number | null, training: {patients: number, events: number, centres: string[]}, include: string[], exclude: string[], performance: {split: string, metric: string, estimate: number | null, lower: number | null, upper: number | null}[], interval: boolean, card: string, form: {inputs: Input[], images: string[], masks: string[], refused: string}}} Model */

/** @type {Model | null} */
let model = null;

async function list() {
  const found = (await ask("calculator/models")).models;
  const place = byId("models");
  place.replaceChildren(
    ...found.map((/** @type {{path: string, shown: string}} */ one) => {
      const button = element("button", { type: "button" }, one.shown);
      button.addEventListener("click", () => act(async () => show(await ask("calculator/open", { json: { path: one.path } }))));
      return element("li", {}, button);
    })
  );
  if (!found.length) place.replaceChildren(element("li", { class: "soft" }, "No model file lies in the folders of this application. Choose a file."));
}

/** @param {() => Promise<void>} what */
function act(what) {
  return attempt(what, "nearest");
}

/** @param {Model} opened */
function show(opened) {
  model = opened;
  byId("choose").hidden = true;
  byId("model").hidden = false;
  byId("answer").hidden = true;
  byId("title").textContent = opened.title;
  byId("use").textContent = opened.use;
  byId("card").textContent = opened.card;
  byId("scope").replaceChildren(scope(opened));
  byId("fields").replaceChildren(...(opened.form.refused ? [element("p", { class: "trouble" }, opened.form.refused)] : fields(opened)));
  byId("calculate").toggleAttribute("disabled", opened.form.refused !== "");
  /** @type {HTMLElement | null} */ (byId("fields").querySelector("input, select"))?.focus();
}

/** @param {Model} one */
function scope(one) {
  const centres = one.training.centres.length ? ` from ${one.training.centres.join(", ")}` : "";
  const by = one.horizon === null ? "" : ` by ${short(one.horizon)} (the study's unit of time)`;
  const rows = [
    ["Predicts", `${one.event}${by}`],
    ["Trained on", `${one.training.patients} patients${centres}, ${one.training.events} with the event`],
    ...one.include.map(rule => ["Only for", rule]),
    ...one.exclude.map(rule => ["Not for", rule]),
    ...one.performance
      .filter(row => row.estimate !== null)
      .map(row => [`${row.metric}, ${row.split.toLowerCase()}`, `${two(row.estimate)}${row.lower === null ? "" : ` (95 % CI ${two(row.lower)} to ${two(row.upper)})`}`]),
  ];
  const body = element("tbody", {}, ...rows.map(([name, text]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, text))));
  return element("div", { class: "panel" }, element("table", {}, body));
}

/** @param {Model} one */
function fields(one) {
  const made = [];
  const used = one.form.inputs.filter(input => input.used);
  const idle = one.form.inputs.filter(input => !input.used);
  for (const group of new Set(used.map(input => input.group))) {
    const inner = used.filter(input => input.group === group).map(entry);
    made.push(element("fieldset", {}, element("legend", {}, group || "Values"), element("div", { class: "fields" }, ...inner)));
  }
  const parts = [...one.form.images.map(name => `image:${name}`), ...one.form.masks.map(name => `mask:${name}`)];
  if (parts.length) {
    const chosen = parts.map(part => {
      const [kind, name] = part.split(":");
      const input = element("input", { type: "file", "data-part": part, multiple: true, required: true });
      return field(`${kind === "mask" ? "Mask of the lesion on" : "Image"} ${name}`, input, "NIfTI, NRRD, MHA or a picture; a DICOM series: choose all its .dcm files. Deleted as soon as the risk is there.");
    });
    const label = field("Label of the lesion", element("input", { id: "label", inputmode: "numeric" }), "Only where a mask holds several.");
    made.push(element("fieldset", {}, element("legend", {}, "Scan"), element("div", { class: "fields" }, ...chosen, label)));
  }
  if (used.length > 6) made.push(paste(one));
  if (idle.length) {
    const names = idle.map(input => input.label).join(", ");
    made.push(element("details", {}, element("summary", {}, `${idle.length} values the model was offered and does not use`), element("p", { class: "soft" }, names)));
  }
  made.push(field("Note for the sheet (not used in the calculation)", element("input", { id: "note", maxlength: 2000 })));
  return made;
}

/** @param {Input} input */
function entry(input) {
  const label = input.unit ? `${input.label} (${input.unit})` : input.label;
  if (input.kind === "choice") {
    const options = ["", ...input.choices].map(text => element("option", { value: text }, text || "not known"));
    return field(label, element("select", { "data-name": input.name }, ...options));
  }
  const box = element("input", { "data-name": input.name, autocomplete: "off", inputmode: input.kind === "number" ? "decimal" : undefined });
  if (input.low === null || input.high === null) return field(label, box);
  const usual = `Training patients: ${short(input.usual[0])} to ${short(input.usual[4])} (5 to 95 %), middle ${short(input.usual[2])}`;
  const made = field(label, box, usual);
  const hint = /** @type {HTMLElement} */ (made.querySelector(".hint"));
  box.addEventListener("input", () => {
    const value = Number(box.value.replace(",", "."));
    const wrong = box.value.trim() !== "" && !Number.isFinite(value);
    const off = !wrong && box.value.trim() !== "" && (value < Number(input.low) || value > Number(input.high));
    hint.className = wrong ? "hint wrong" : off ? "hint off" : "hint";
    hint.textContent = wrong ? "A number is expected" : off ? `Outside what the model was trained on: ${short(input.low)} to ${short(input.high)}` : usual;
  });
  return made;
}

/** @param {Model} one */
function paste(one) {
  const box = element("textarea", { rows: 3, spellcheck: "false" });
  const said = element("span", { role: "status", class: "soft" });
  const take = element("button", { type: "button" }, "Fill in");
  take.addEventListener("click", () => {
    const lines = box.value.split(/\r?\n/).filter(line => line.trim());
    const cut = lines[0]?.includes("\t") ? "\t" : lines[0]?.includes(";") ? ";" : ",";
    const [names, cells] = [lines[0] ?? "", lines[1] ?? ""].map(line => line.split(cut).map(cell => cell.trim().replace(/^"(.*)"$/, "$1")));
    let filled = 0;
    for (const input of one.form.inputs) {
      const place = names.indexOf(input.name);
      const target = /** @type {HTMLInputElement | HTMLSelectElement | null} */ (document.querySelector(`[data-name="${CSS.escape(input.name)}"]`));
      if (place < 0 || !target || cells[place] === undefined) continue;
      target.value = cells[place];
      target.dispatchEvent(new Event("input"));
      filled += 1;
    }
    said.textContent = `${filled} of ${one.form.inputs.filter(input => input.used).length} values filled in`;
  });
  return element("details", {}, element("summary", {}, "Paste a row of a table"), field("Header and one line, as in the table of features", box), element("div", { class: "actions" }, take, said));
}

byId("form").addEventListener("submit", event => {
  event.preventDefault();
  void act(calculate);
});
byId("form").addEventListener("reset", () => {
  byId("answer").hidden = true;
});

async function calculate() {
  if (!model) return;
  const button = /** @type {HTMLButtonElement} */ (byId("calculate"));
  button.disabled = true;
  byId("answer").hidden = true;
  try {
    /** @type {Record<string, string>} */
    const values = {};
    for (const box of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-name]"))) values[/** @type {string} */ (box.dataset.name)] = box.value;
    let upload = "";
    for (const box of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-part]"))) {
      for (const file of box.files ?? []) {
        byId("busy").textContent = `Reading ${file.name} …`;
        const query = new URLSearchParams({ part: /** @type {string} */ (box.dataset.part), name: file.name, key: upload });
        upload = (await ask(`calculator/upload?${query}`, { bytes: file })).upload;
      }
    }
    byId("busy").textContent = upload ? "Measuring the scan …" : "";
    const note = /** @type {HTMLInputElement} */ (byId("note")).value;
    const label = /** @type {HTMLInputElement | null} */ (document.getElementById("label"))?.value ?? "";
    answer(await ask("calculator/risk", { json: { model: model.key, values, upload, note, label } }));
  } finally {
    button.disabled = false;
    byId("busy").textContent = "";
  }
}

/** @param {any} risk */
function answer(risk) {
  const one = /** @type {Model} */ (model);
  const place = byId("answer");
  const parts = [];
  if (risk.probability === null) {
    parts.push(element("p", { class: "big" }, "No risk"), element("p", {}, risk.reason));
  } else {
    const by = one.horizon === null ? "" : ` by ${short(one.horizon)}`;
    parts.push(element("p", { class: "big" }, percent(risk.probability, 1)), element("p", {}, `predicted risk of ${one.event}${by}`));
    if (risk.observed) {
      const seen = risk.observed;
      parts.push(element("p", {}, element("strong", {}, `${percent(seen.estimate)} (95 % CI ${percent(seen.lower)} to ${percent(seen.upper)})`), " of the training patients given this risk, while they were left out of the training, had the event."));
      if (risk.probability < seen.lower || risk.probability > seen.upper) parts.push(element("p", { class: "note" }, "The predicted risk lies outside this interval: at this risk the model was wrong about patients it had not seen."));
    } else {
      parts.push(element("p", { class: "soft" }, "This model file holds no interval for a single risk; how good the model is stands above."));
    }
    if (risk.called) parts.push(element("p", {}, "Called: ", element("strong", {}, risk.called), risk.threshold === null ? "" : ` (positive from ${percent(risk.threshold, 1)} on, fixed on training patients)`));
    const classes = Object.entries(risk.classes);
    if (classes.length) parts.push(element("table", {}, ...classes.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value === null ? "" : percent(/** @type {number} */ (value), 1))))));
  }
  if (risk.unlike) parts.push(element("p", { class: "note" }, `Unusual patient: ${risk.unlike}`));
  for (const note of risk.notes) parts.push(element("p", { class: "note" }, note));
  if (risk.effects.length) parts.push(element("h2", {}, "What moves this risk"), bars(risk.effects));
  if (risk.points.length) parts.push(element("h2", {}, "Points of the nomogram"), points(risk));
  const keep = element("button", { type: "button" }, "Save as one page");
  keep.addEventListener("click", () => act(async () => download(await bytes(`calculator/sheet/${risk.key}`), "risk.html")));
  parts.push(element("p", { class: "caution" }, one.use), element("div", { class: "actions" }, keep));
  place.replaceChildren(element("h2", {}, "Result"), element("div", { class: "panel" }, ...parts));
  place.hidden = false;
  place.focus();
  place.scrollIntoView({ block: "start", behavior: "instant" });
}

/** @param {{name: string, change: number}[]} effects */
function bars(effects) {
  const most = Math.max(...effects.map(one => Math.abs(one.change)), 1e-12);
  const rows = effects.slice(0, 12).flatMap(one => {
    const bar = element("i", { class: one.change > 0 ? "up" : "down", style: `width: ${(50 * Math.abs(one.change)) / most}%` });
    const label = /** @type {Model} */ (model).form.inputs.find(input => input.name === one.name)?.label ?? one.name;
    return [element("span", {}, label), element("span", { class: "bar", "aria-hidden": true }, bar), element("span", {}, `${one.change > 0 ? "+" : one.change < 0 ? "−" : ""}${short(Math.abs(one.change))}`)];
  });
  return element("div", {}, element("div", { class: "bars" }, ...rows), element("p", { class: "soft" }, "Change of the log odds, compared with the middle training patient: right raises the risk, left lowers it."));
}

/** @param {{points: {name: string, value: string, points: number}[], total: number}} risk */
function points(risk) {
  const rows = risk.points.map(one => {
    const input = /** @type {Model} */ (model).form.inputs.find(known => known.name === one.name);
    const value = one.value === "" ? "not known" : input?.unit ? `${one.value} ${input.unit}` : one.value;
    return element("tr", {}, element("th", { scope: "row" }, input?.label ?? one.name), element("td", {}, value), element("td", { class: "number" }, one.points.toFixed(1)));
  });
  const total = element("tr", {}, element("th", { scope: "row" }, "Total"), element("td", {}), element("td", { class: "number" }, element("strong", {}, risk.total.toFixed(1))));
  const head = element("thead", {}, element("tr", {}, ...["Input", "Value", "Points"].map(text => element("th", { scope: "col" }, text))));
  return element("table", { id: "points" }, head, element("tbody", {}, ...rows, total));
}

byId("other").addEventListener("click", () => {
  model = null;
  byId("model").hidden = true;
  byId("choose").hidden = false;
});
byId("model-file").addEventListener("change", event => {
  const file = /** @type {HTMLInputElement} */ (event.target).files?.[0];
  if (file) void act(async () => show(await ask(`calculator/upload-model?${new URLSearchParams({ name: file.name })}`, { bytes: file })));
});

const asked = new URLSearchParams(location.search).get("model");
void act(async () => {
  if (asked) show(await ask("calculator/open", { json: { path: asked } }));
  await list();
});
