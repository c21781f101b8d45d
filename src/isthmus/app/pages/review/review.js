// The review page: the work list, one case, its drawing, and what the reader decides.

import { ask, download, element, Refused, request, trouble } from "../shared/api.js";
import { Clock } from "./clock.js";
import { History, merge, pack, unpack } from "./drawing.js";
import { Viewer } from "./viewer.js";

/** @typedef {import("./drawing.js").Box} Box */
/** @typedef {{item: string, number: number, name: string, origin: string, confidence: number | null, status: string, comment: string, dice: number | null, draft: boolean}} Row */
/** @typedef {{name: string, grid: string, shape: number[], spacing: number[], unit: string, quantity: string, windows: [string, number, number][], label: number, labels: Record<string, string>, colours: number[][], origin: string, base: string, draft: {fingerprint: string, seconds: number, time: string, stale: boolean} | null, status: string, notes: string[]}} Facts */

const GRID = "X-Isthmus-Grid";
const BOX = "X-Isthmus-Box";
const AUTOSAVE_MS = 700;
const NAMES = /** @type {Record<string, string>} */ ({ accepted: "accepted", edited: "saved modified", rejected: "rejected", flagged: "for a second reader", undecided: "undecided" });

/** @template {HTMLElement} [T=HTMLElement] @param {string} id @returns {T} */
const at = id => /** @type {T} */ (document.getElementById(id));
/** @param {string} id @returns {HTMLInputElement} */
const input = id => at(id);
/** @param {string} id @returns {HTMLDialogElement} */
const dialog = id => at(id);

const setup = await ask("review/setup").catch(error => { trouble(error); throw error; });
const clock = new Clock(setup.idle_seconds);
/** @type {Viewer} */ let viewer;
try {
  viewer = new Viewer(at("gl"), moved, stroke);
} catch (error) {
  trouble(error);
  throw error;
}

let reader = "";
let role = "reader";
/** @type {Row[]} */ let rows = [];
/** @type {Facts | null} */ let facts = null;
let item = "";
/** @type {History} */ let history;
let tool = "look";
let drawn = ""; // fingerprint of the draft the server holds
let dirty = 0; // strokes the server has not seen
/** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;
/** @type {Promise<void>} */ let saving = Promise.resolve();
let changed = false; // since the mask that was saved last
/** @type {Promise<unknown>} */ let work = Promise.resolve(); // one thing after the other: a key pressed meanwhile waits its turn
/** @type {{inside: number[][], outside: number[][]}} */ let clicks = { inside: [], outside: [] };
let grown = false; // the last change came from clicks, so more clicks replace it

/** Do this when what was asked for before is done. @param {() => unknown} does @returns {Promise<unknown>} */
function queue(does) {
  work = work.then(does).catch(trouble);
  return work;
}

// ------------------------------------------------------------------------------------------------------------------ work list

/** @returns {Promise<void>} */
async function loadList() {
  const answer = await ask(`review/list?reader=${encodeURIComponent(reader)}`);
  rows = answer.items;
  role = answer.role;
  at("against").textContent = role === "adjudicator" ? "the other reader" : "the proposal";
  if (answer.faults.length) trouble(new Error(answer.faults.join(" ")));
  drawList();
}

/** @returns {Row[]} the rows that the filter lets through, in its order */
function shown() {
  const filter = input("filter").value;
  if (filter === "low") return rows.filter(one => one.confidence !== null).sort((a, b) => Number(a.confidence) - Number(b.confidence)).concat(rows.filter(one => one.confidence === null));
  if (filter === "ai") return rows.filter(one => one.origin === "network" || one.origin === "semi-automatic" || one.origin === "ai" || one.origin === "ai_edited");
  if (filter === "draft") return rows.filter(one => one.draft);
  return filter === "all" ? rows : rows.filter(one => one.status === filter);
}

function drawList() {
  const done = rows.filter(one => one.status !== "undecided").length;
  at("progress").textContent = rows.length ? `${done} of ${rows.length} decided · ${reader}` : role === "adjudicator" ? "No case has two readings that stand yet." : "No case in the table.";
  at("list").replaceChildren(...shown().map(row => {
    const more = [row.confidence === null ? "" : `confidence ${row.confidence}`, row.dice === null || row.status === "undecided" ? "" : `Dice ${row.dice.toFixed(3)}`, row.draft ? "unsaved drawing" : "", row.comment].filter(Boolean).join(" · ");
    const button = element("button", { type: "button", "aria-current": row.item === item ? "true" : undefined }, element("span", {}, row.name), element("span", { class: `state ${row.status}` }, NAMES[row.status]), ...(more ? [element("span", { class: "more" }, more)] : []));
    button.addEventListener("click", () => queue(() => go(row.item)));
    return element("li", {}, button);
  }));
  at("list").querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
}

/** The next row in a direction; `undecided`: the next that is. @param {number} step @param {boolean} [undecided] */
async function move(step, undecided = false) {
  const list = shown();
  const here = list.findIndex(one => one.item === item);
  for (let n = 1; n <= list.length; n++) {
    const row = list[(((here < 0 && step < 0 ? 0 : here) + n * step) % list.length + list.length) % list.length];
    if (!undecided || row.status === "undecided") return go(row.item);
  }
  say(undecided ? "Every case shown is decided." : "No case to show.");
  return undefined;
}

// ----------------------------------------------------------------------------------------------------------------------- a case

/** @param {string} which @returns {Promise<Box>} */
async function mask(which) {
  const answer = await request(`review/mask?${query()}&which=${which}`);
  return { header: answer.headers.get(BOX) ?? "0,0,0,0,0,0", bytes: new Uint8Array(await answer.arrayBuffer()) };
}

/** @returns {string} */
const query = () => new URLSearchParams({ reader, item }).toString();

/** @param {string} next the key of a row */
async function go(next) {
  try {
    if (facts) await flush();
    item = next;
    drawList();
    say("opening …");
    trouble();
    const started = performance.now();
    const [about, image] = await Promise.all([/** @type {Promise<Facts>} */ (ask(`review/case?${query()}`)), request(`review/image?${query()}`).then(answer => answer.arrayBuffer())]);
    const draft = about.draft && !about.draft.stale ? about.draft : null;
    const [now, proposal] = await Promise.all([mask(draft ? "draft" : "current"), mask("proposal")]);
    facts = about;
    const [, low, high] = about.windows[0];
    await viewer.open(image, about.shape, [low, high], now, proposal, about.label, about.colours);
    await viewer.showProposal(at("proposal").getAttribute("aria-pressed") === "true");
    history = new History(viewer.bitmap);
    drawn = about.draft?.fingerprint ?? "";
    changed = draft !== null;
    dirty = 0;
    clicks = { inside: [], outside: [] };
    grown = false;
    clock.start(draft?.seconds ?? 0);
    fillPanel(about);
    const took = ((performance.now() - started) / 1000).toFixed(1);
    document.body.dataset.opened = item;
    say(draft ? `Your unsaved drawing of ${new Date(draft.time).toLocaleTimeString()} is back.` : about.draft ? "A draft of an older version is kept; the saved mask is shown." : `opened in ${took} s. ${about.notes.join(" ")}`);
    await measure();
  } catch (error) {
    trouble(error);
  }
}

/** @param {Facts} about */
function fillPanel(about) {
  at("panel").hidden = false;
  at("case-name").textContent = about.name;
  const [z, y, x] = about.shape;
  const [dz, dy, dx] = about.spacing.map(n => n.toFixed(2));
  at("case-facts").textContent = `${x} × ${y} × ${z} · ${dx} × ${dy} × ${dz} ${about.unit} · mask: ${about.origin} · ${NAMES[about.status]}`;
  at("windows").replaceChildren(...about.windows.map(([name, low, high], n) => {
    const button = element("button", { type: "button", title: `${low.toFixed(0)} to ${high.toFixed(0)}` }, `${name} `, element("kbd", {}, String(n + 1)));
    button.addEventListener("click", () => preset(n));
    return button;
  }));
  at("label").replaceChildren(...Object.entries(about.labels).map(([n, name]) => element("option", { value: n, selected: Number(n) === about.label }, `${n} ${name}`)));
  input("comment").value = "";
  at("saved").textContent = "";
  input("limit-low").value = String(Math.round(about.windows[0][1]));
  input("limit-high").value = String(Math.round(about.windows[0][2]));
  chooseTool("look");
}

/** @param {number[]} voxel @param {number} value */
function moved(voxel, value) {
  if (!facts) return;
  const [x, y, z] = voxel;
  say(`slice ${z + 1} of ${facts.shape[0]} · voxel ${x}, ${y}, ${z} · ${Number.isFinite(value) ? Math.round(value * 100) / 100 : "–"} ${facts.quantity === "a.u." ? "" : facts.quantity} · window ${viewer.window.map(n => Math.round(n)).join(" to ")}`);
}

/** @param {string} text */
function say(text) {
  at("status").textContent = text;
}

// -------------------------------------------------------------------------------------------------------------------- drawing

/** A stroke ended. */
function stroke() {
  if (!facts) return;
  grown = false;
  limit();
  remember();
}

/** Take back what the stroke painted outside the values that are allowed. */
function limit() {
  if (!input("limit").checked || !viewer.nv.opts.penValue) return;
  const volume = viewer.nv.volumes[0];
  const [slope, intercept] = [Number(volume.hdr?.scl_slope) || 1, Number(volume.hdr?.scl_inter) || 0];
  const [low, high] = [Number(input("limit-low").value), Number(input("limit-high").value)];
  const [bitmap, before, values] = [viewer.bitmap, history.last, viewer.numbers];
  for (let n = 0; n < bitmap.length; n++) {
    if (bitmap[n] !== before[n] && (values[n] * slope + intercept < low || values[n] * slope + intercept > high)) bitmap[n] = before[n];
  }
  viewer.refresh();
}

/** Keep the change for undo, and soon on the server. */
function remember() {
  if (history.commit(viewer.bitmap)) touched();
}

function touched() {
  changed = true;
  dirty += 1;
  at("saved").textContent = "drawing …";
  clearTimeout(timer);
  timer = setTimeout(flush, AUTOSAVE_MS);
}

/** Send the drawing, if the server has not seen it; one at a time. @returns {Promise<void>} */
function flush() {
  clearTimeout(timer);
  saving = saving.then(async () => {
    if (!dirty || !facts) return;
    const sent = dirty;
    const answer = await send(facts);
    drawn = answer.fingerprint;
    dirty -= sent;
    at("saved").textContent = `drawing kept ${new Date(answer.time).toLocaleTimeString()}`;
    showMeasures(answer.metrics);
  }).catch(error => {
    at("saved").textContent = "not kept";
    trouble(error);
  });
  return saving;
}

/** @param {Facts} about @returns {Promise<any>} */
function send(about) {
  const { header, bytes } = pack(viewer.bitmap, about.shape);
  const more = new URLSearchParams({ base: about.base, previous: drawn, seconds: clock.seconds.toFixed(1) });
  return ask(`review/draft?${query()}&${more}`, { method: "PUT", bytes, headers: { [GRID]: about.grid, [BOX]: header } });
}

/** What the mask measures against the proposal, before anything is drawn. */
async function measure() {
  if (facts) showMeasures((await ask(`review/measure?${query()}`)).metrics);
}

/** @param {any} found */
function showMeasures(found) {
  const dice = found.dice;
  at("m-dice").textContent = dice.toFixed(3);
  at("m-hd95").textContent = found.hd95_mm === null ? "–" : `${found.hd95_mm.toFixed(1)} ${found.unit}`;
  const percent = found.volume_difference_percent;
  const volume = found.unit === "mm" ? `${found.volume_ml.toFixed(2)} ml` : `${Math.round(found.volume_ml * 1000)} px`;
  at("m-volume").replaceChildren(volume, " ", element("small", {}, percent === null ? "" : `${percent >= 0 ? "+" : ""}${percent.toFixed(1)} %`));
  const change = dice >= 1 ? "none" : dice > 0.9 ? "minor" : dice > 0.7 ? "moderate" : "major";
  at("m-change").textContent = change;
  at("m-change").className = dice >= setup.acceptable_dice ? "good" : "caution";
}

/** @param {"undo" | "redo"} which */
function step(which) {
  if (!facts) return;
  if (!history[which](viewer.bitmap)) return say(`Nothing to ${which}.`);
  grown = false;
  viewer.refresh();
  return touched();
}

/** @param {string} next */
function chooseTool(next) {
  tool = next;
  for (const button of document.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.tool === next));
  if (next === "look") viewer.look();
  else viewer.pen(next === "erase" ? 0 : Number(at("label") instanceof HTMLSelectElement ? /** @type {HTMLSelectElement} */ (at("label")).value : 1), next === "fill", Number(input("size").value));
}

/** @param {number} by */
function resize(by) {
  input("size").value = String(Math.min(99, Math.max(1, Number(input("size").value) + by)));
  chooseTool(tool);
}

/** @param {number} n */
function preset(n) {
  const found = facts?.windows[n];
  if (!found) return;
  viewer.setWindow(found[1], found[2]);
  say(`window ${found[0]}: ${found[1].toFixed(0)} to ${found[2].toFixed(0)}`);
}

/** @param {HTMLElement} button @returns {boolean} */
function toggle(button) {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  return on;
}

/** Grow a mask from the crosshair; more clicks of the same case improve it. @param {boolean} inside */
async function grow(inside) {
  if (!facts) return;
  try {
    if (!grown) clicks = { inside: [], outside: [] };
    (inside ? clicks.inside : clicks.outside).push([...viewer.voxel]);
    if (!clicks.inside.length) { say("First a click inside: move the cross into the lesion, then G."); return; }
    say("growing …");
    const method = /** @type {HTMLSelectElement} */ (at("method")).value;
    // a threshold takes the range of values the brush is held to, where there is one
    const settings = method === "threshold" && input("limit").checked ? { rule: "fixed", lower: Number(input("limit-low").value), upper: Number(input("limit-high").value) } : {};
    const answer = await request("review/grow", { json: { reader, item, ...clicks, method, settings } });
    if (grown) history.undo(viewer.bitmap);
    merge(viewer.bitmap, facts.shape, { header: answer.headers.get(BOX) ?? "", bytes: new Uint8Array(await answer.arrayBuffer()) }, Number(/** @type {HTMLSelectElement} */ (at("label")).value));
    viewer.refresh();
    remember();
    grown = true;
    say(`grown from ${clicks.inside.length} inside and ${clicks.outside.length} outside; Shift + G adds a click outside, Z takes it back`);
  } catch (error) {
    trouble(error);
  }
}

// -------------------------------------------------------------------------------------------------------------------- deciding

/** @param {string} decision @param {{reasons?: string[], comment?: string}} [said] */
async function decide(decision, said = {}) {
  if (!facts) return undefined;
  if (decision === "accepted" && changed) return trouble(new Error("The mask was changed: M saves it as modified; Z takes the changes back, or “Back to proposal”."));
  if (decision === "edited" && !changed) return trouble(new Error("Nothing was changed: A accepts the mask as it is."));
  try {
    await flush();
    if (dirty) throw new Error("The drawing could not be kept, so nothing was decided. Try again.");
    const comment = said.comment ?? input("comment").value;
    const answer = await ask("review/decide", { json: { reader, item, decision, base: facts.base, drawn: changed ? drawn : "", reasons: said.reasons ?? [], comment, seconds: Number(clock.seconds.toFixed(1)), viewer: viewer.version } });
    facts.base = answer.base;
    if (decision !== "rejected") [drawn, changed] = ["", false];
    clock.start();
    await loadList();
    facts.status = decision;
    fillPanel(facts);
    trouble();
    say(`${facts.name}: ${NAMES[decision]}. N: next case, U: next undecided.`);
    document.body.dataset.decided = `${item}:${decision}`;
  } catch (error) {
    trouble(error);
  }
  return undefined;
}

/** Ask why; then decide. @param {"rejected" | "flagged"} decision */
function explain(decision) {
  if (!facts || dialog("why").open) return;
  const rejecting = decision === "rejected";
  at("why-title").textContent = rejecting ? "Reject: why?" : "For a second reader: what should he look at?";
  at("why-go").textContent = rejecting ? "Reject" : "Flag";
  at("reasons").replaceChildren(...(rejecting ? Object.entries(setup.reasons) : []).map(([code, sentence], n) => element("label", {}, element("input", { type: "checkbox", value: code, "data-key": n + 1 }), ` ${sentence} `, element("kbd", {}, String(n + 1)))));
  input("why-comment").value = input("comment").value;
  const box = dialog("why");
  box.returnValue = "";
  box.dataset.decision = decision;
  box.showModal();
  if (!rejecting) input("why-comment").focus();
  else at("reasons").querySelector("input")?.focus();
}

dialog("why").addEventListener("close", () => {
  if (dialog("why").returnValue !== "go") return;
  const reasons = Array.from(at("reasons").querySelectorAll("input:checked"), one => /** @type {HTMLInputElement} */ (one).value);
  const said = { reasons, comment: input("why-comment").value };
  queue(() => decide(dialog("why").dataset.decision ?? "rejected", said));
});
dialog("why").addEventListener("keydown", event => {
  if (event.ctrlKey && event.key === "Enter") dialog("why").close("go");
  if (/^[1-9]$/.test(event.key) && event.target !== input("why-comment")) /** @type {HTMLInputElement | null} */ (at("reasons").querySelector(`[data-key="${event.key}"]`))?.click();
});

// ------------------------------------------------------------------------------------------------------------------------ keys

/** @type {[string, string, string, () => unknown][]} key, what it says, what it does */
const KEYS = [
  ["a", "A", "accept the mask as it is", () => queue(() => decide("accepted"))],
  ["m", "M", "save the modified mask", () => queue(() => decide("edited"))],
  ["r", "R", "reject, with a reason", () => explain("rejected")],
  ["f", "F", "flag for a second reader", () => explain("flagged")],
  ["n", "N", "next case", () => queue(() => move(1))],
  ["p", "P", "previous case", () => queue(() => move(-1))],
  ["u", "U", "next undecided case", () => queue(() => move(1, true))],
  ["k", "K", "write a comment", () => input("comment").focus()],
  ["b", "B", "brush", () => chooseTool("brush")],
  ["e", "E", "eraser (or hold Ctrl with the brush)", () => chooseTool("erase")],
  ["l", "L", "draw an outline, filled when closed", () => chooseTool("fill")],
  ["Escape", "Esc", "look: clicks move the cross", () => chooseTool("look")],
  ["[", "[", "smaller brush", () => resize(-1)],
  ["]", "]", "larger brush", () => resize(1)],
  ["z", "Z", "undo", () => step("undo")],
  ["y", "Y", "redo", () => step("redo")],
  ["i", "I", "fill the slices between those drawn on", () => { viewer.betweenSlices(); remember(); }],
  ["g", "G", "grow a mask from the cross (Shift: a click outside)", () => queue(() => grow(true))],
  ["G", "Shift G", "a click outside the lesion", () => queue(() => grow(false))],
  ["h", "H", "hide the mask", () => at("hide").click()],
  ["o", "O", "outline or filled", () => at("outline").click()],
  ["t", "T", "the proposal beside it", () => at("proposal").click()],
  ["v", "V", "three planes, axial, solid", () => viewer.nextView()],
  ["c", "C", "cross into the lesion", () => facts && viewer.centre(pack(viewer.bitmap, facts.shape))],
  ["ArrowUp", "↑ ↓", "slices (wheel too; Page: five)", () => viewer.step(0, 0, 1)],
  ["ArrowDown", "", "", () => viewer.step(0, 0, -1)],
  ["PageUp", "", "", () => viewer.step(0, 0, 5)],
  ["PageDown", "", "", () => viewer.step(0, 0, -5)],
  ["ArrowLeft", "← →", "left, right", () => viewer.step(-1, 0, 0)],
  ["ArrowRight", "", "", () => viewer.step(1, 0, 0)],
  ...[1, 2, 3, 4, 5].map(n => /** @type {[string, string, string, () => unknown]} */ ([String(n), n === 1 ? "1 – 5" : "", n === 1 ? "windows (right mouse button: freely)" : "", () => preset(n - 1)])),
  ["?", "?", "these keys", () => dialog("help").showModal()],
];

/** @param {EventTarget | null} target */
const writes = target => target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type !== "checkbox");

addEventListener("keydown", event => {
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Control" && tool === "brush") viewer.nv.setPenValue(0, false);
  if (writes(event.target)) {
    if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
    return;
  }
  const name = event.key.length === 1 && event.key !== "G" ? event.key.toLowerCase() : event.key;
  const command = event.ctrlKey || event.metaKey ? ({ z: "z", y: "y" })[name] : name;
  const found = event.altKey ? undefined : KEYS.find(([key]) => key === command);
  if (!found || !facts && !["n", "u", "?"].includes(found[0])) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  found[3]();
}, true);
addEventListener("keyup", event => { if (event.key === "Control" && tool === "brush") chooseTool("brush"); }, true);

at("keys").append(...KEYS.filter(([, said]) => said).map(([, said, what]) => element("p", {}, element("kbd", {}, said), ` ${what}`)));
at("help-button").addEventListener("click", () => dialog("help").showModal());
for (const [id, does] of /** @type {[string, () => unknown][]} */ ([
  ["accept", () => queue(() => decide("accepted"))], ["modify", () => queue(() => decide("edited"))], ["reject", () => explain("rejected")], ["flag", () => explain("flagged")],
  ["undo", () => step("undo")], ["redo", () => step("redo")], ["between", () => { viewer.betweenSlices(); remember(); }], ["grow", () => queue(() => grow(true))],
  ["reset", () => { if (facts && viewer.proposal) { unpack(viewer.bitmap, facts.shape, viewer.proposal); viewer.refresh(); remember(); } }],
  ["hide", () => { viewer.hidden = toggle(at("hide")); viewer.show(); }],
  ["outline", () => { viewer.outlined = toggle(at("outline")); viewer.show(); }],
  ["proposal", () => viewer.showProposal(toggle(at("proposal")))],
  ["view", () => viewer.nextView()],
])) at(id).addEventListener("click", does);
for (const button of document.querySelectorAll("[data-tool]")) button.addEventListener("click", () => chooseTool(/** @type {HTMLElement} */ (button).dataset.tool ?? "look"));
for (const id of ["size", "label"]) at(id).addEventListener("change", () => chooseTool(tool));
at("filter").addEventListener("change", drawList);
setInterval(() => { at("clock").textContent = clock.text; }, 1000);
addEventListener("beforeunload", event => { if (dirty) event.preventDefault(); });
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") flush(); });

// ----------------------------------------------------------------------------------------------------------------------- files

at("method").append(...Object.entries(setup.methods).map(([name, title]) => element("option", { value: name, selected: name === "growcut" }, title)));
at("export-kind").append(...setup.exports.map((/** @type {string} */ kind) => element("option", { value: kind }, `.${kind}`)));
at("export").addEventListener("click", async () => {
  try {
    await flush();
    const answer = await request(`review/export?${query()}&kind=${/** @type {HTMLSelectElement} */ (at("export-kind")).value}`);
    download(await answer.blob(), answer.headers.get("X-Isthmus-Name") ?? "mask");
  } catch (error) {
    trouble(error);
  }
});
at("tables").addEventListener("click", async () => {
  try {
    await flush();
    const answer = await request(`review/tables?reader=${encodeURIComponent(reader)}`);
    download(await answer.blob(), answer.headers.get("X-Isthmus-Name") ?? "review.zip");
    say("Downloaded; the same tables lie in the folder review/ of the study. A plan can run on cases.csv there.");
  } catch (error) {
    trouble(error);
  }
});
input("import").addEventListener("change", async () => {
  const file = input("import").files?.[0];
  if (!file || !facts) return;
  try {
    await flush();
    const more = new URLSearchParams({ name: file.name, previous: drawn, base: facts.base });
    const answer = await ask(`review/import?${query()}&${more}`, { bytes: file });
    if (answer.fingerprint) {
      drawn = answer.fingerprint;
      unpack(viewer.bitmap, facts.shape, await mask("draft"));
      viewer.refresh();
      if (history.commit(viewer.bitmap)) changed = true;
    }
    Object.assign(facts.labels, answer.labels);
    fillPanel(facts);
    say(`${file.name} was read`);
    await measure();
  } catch (error) {
    trouble(error);
  } finally {
    input("import").value = "";
  }
});

// ----------------------------------------------------------------------------------------------------------------------- start

at("readers").append(...setup.readers.map((/** @type {string} */ name) => element("option", { value: name })));
input("reader").value = localStorage.getItem("isthmus-reader") ?? "";
dialog("who").addEventListener("cancel", event => event.preventDefault());
dialog("who").addEventListener("close", async () => {
  reader = input("reader").value.trim();
  try {
    await loadList();
    localStorage.setItem("isthmus-reader", reader);
    const first = rows.find(one => one.draft) ?? rows.find(one => one.status === "undecided") ?? rows[0];
    if (first) await queue(() => go(first.item));
  } catch (error) {
    trouble(error);
    if (error instanceof Refused && error.status < 500) dialog("who").showModal();
  }
});
dialog("who").showModal();
