// Finished runs: the list, or one with its answer, tables, figures, decisions and facts.

import { ask, bytes, download, element, trouble } from "../shared/api.js";
import { byId, short, two } from "../shared/forms.js";

/** @typedef {{estimate: number | null, lower: number | null, upper: number | null}} Limits */
/** @typedef {{file: string, bytes: number}} FileOf */

const asked = new URLSearchParams(location.search).get("run");

/** @param {Limits} one */
function limits(one) {
  if (one.estimate === null) return "not computed";
  return one.lower === null ? short(one.estimate) : `${two(one.estimate)} (${two(one.lower)} to ${two(one.upper)})`;
}

/** @param {string} text */
const day = text => (text ? new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : "");

/** @param {string[]} head @param {(string | Node)[][]} rows */
function grid(head, rows) {
  const top = element("thead", {}, element("tr", {}, ...head.map(text => element("th", { scope: "col" }, text))));
  const body = element("tbody", {}, ...rows.map(row => element("tr", {}, ...row.map((cell, place) => element(place ? "td" : "th", place ? {} : { scope: "row" }, cell)))));
  return element("div", { class: "scroll" }, element("table", {}, top, body));
}

// ---------------------------------------------------------------------- the list

async function list() {
  const { runs } = await ask("results/runs");
  if (!runs.length) {
    byId("place").replaceChildren(element("h1", {}, "Finished runs"), element("p", {}, "No finished run lies in the folders of this application. ", element("a", { href: "/start/" }, "Start a study")));
    return;
  }
  const rows = runs.flatMap((/** @type {any} */ run) => {
    const link = element("a", { href: `/results/?run=${run.key}` }, run.title ?? run.folder);
    if (run.trouble) return [[link, run.folder, "", "", element("span", { class: "serious" }, run.trouble), ""]];
    return run.numbers.map((/** @type {Limits & {model: string, split: string}} */ one, /** @type {number} */ place) => {
      const model = element("span", {}, one.model, ...(one.model === run.final ? [" ", element("span", { class: "pill" }, "final")] : []));
      return [place ? "" : link, place ? "" : `${run.folder} · ${run.patients} patients · ${day(run.ended)}`, model, one.split, limits(one), run.metric];
    });
  });
  byId("place").replaceChildren(element("h1", {}, "Finished runs"), element("p", { class: "soft" }, "Numbers of patients a model had not seen, with 95 % intervals. Runs on other patients or outcomes cannot be compared by them."), grid(["Study", "Run", "Model", "Patients", "Estimate", "Measure"], rows));
}

// ---------------------------------------------------------------------- one run

/** @param {string} name */
async function one(name) {
  const run = await ask("results/open", { json: { run: name } });
  document.title = `${run.title} · Isthmus`;
  const cards = run.cards.map((/** @type {{title: string, where: string, value: string, limits: string}} */ card) => element("div", { class: "panel" }, element("p", { class: "big" }, card.value), element("p", {}, `${card.title}, ${card.where.toLowerCase()}`), element("p", { class: "soft" }, card.limits)));
  const links = [];
  if (run.report) links.push(element("a", { class: "filebutton", href: `/results/report.html?run=${run.key}` }, "Open the report"));
  if (run.model) links.push(element("a", { class: "filebutton", href: `/calculator/?model=${encodeURIComponent(run.model)}` }, "Calculate a risk with its model"));
  /** @type {[string, () => Node[] | Promise<Node[]>][]} */
  const rooms = [
    ["Numbers", () => numbers(run)],
    ["Tables", () => tables(run)],
    ["Figures", () => figures(run)],
    ["Decisions", () => decisions(run)],
    ["Facts", () => facts(run)],
    ["Files", () => files(run)],
  ];
  const panel = element("div", { role: "tabpanel", tabindex: "0", id: "panel" });
  const tabs = rooms.map(([text, make]) => {
    const tab = element("button", { type: "button", role: "tab", "aria-selected": "false", "aria-controls": "panel", tabindex: "-1" }, text);
    tab.addEventListener("click", async () => {
      for (const other of tabs) {
        other.setAttribute("aria-selected", String(other === tab));
        other.tabIndex = other === tab ? 0 : -1;
      }
      trouble();
      try {
        panel.setAttribute("aria-label", text);
        panel.replaceChildren(...(await make()));
      } catch (error) {
        trouble(error);
      }
    });
    return tab;
  });
  const bar = element("div", { class: "tabs", role: "tablist" }, ...tabs);
  bar.addEventListener("keydown", event => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    const next = tabs[(tabs.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement)) + move + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });
  byId("place").replaceChildren(
    element("p", { class: "back" }, element("a", { href: "/results/?list" }, "All runs")),
    element("h1", {}, run.title),
    element("p", { class: "soft" }, `${run.folder} · ${run.patients} patients · ${day(run.ended)}`),
    element("p", {}, element("strong", {}, run.verdict)),
    element("div", { class: "fields" }, ...cards),
    ...run.meaning.map((/** @type {string} */ text) => element("p", {}, text)),
    element("div", { class: "actions" }, ...links),
    bar,
    panel
  );
  tabs[0].click();
}

/** @param {any} run */
function numbers(run) {
  return [element("h2", {}, run.metric), grid(["Model", "Patients", "Estimate (95 % CI)"], run.numbers.map((/** @type {any} */ row) => [row.model, row.split, limits(row)]))];
}

/** @param {any} run */
function decisions(run) {
  const cuts = Object.entries(run.decisions.thresholds).filter(([, cut]) => cut !== null).map(([model, cut]) => `${model}: ${short(/** @type {number} */ (cut))}`);
  const rows = run.decisions.rows.map((/** @type {any} */ row) => [row.model, row.split, row.metric, limits(row)]);
  const said = cuts.length ? [element("p", {}, `Risk from which a patient is called positive, fixed on training patients: ${cuts.join("; ")}.`)] : [];
  return rows.length ? [...said, grid(["Model", "Patients", "Measure", "Estimate (95 % CI)"], rows)] : [element("p", { class: "soft" }, "This outcome has no decisions at a threshold.")];
}

/** @param {any} run */
function facts(run) {
  return [grid(["What", "Is"], run.facts)];
}

/** @param {any} run */
function files(run) {
  return [element("ul", { class: "list" }, ...run.files.map((/** @type {FileOf} */ one) => element("li", {}, saver(run, one.file, `${one.file}`, one.bytes))))];
}

/** @param {any} run @param {string} file @param {string} text @param {number} [size] */
function saver(run, file, text, size) {
  const button = element("button", { type: "button" }, text, ...(size === undefined ? [] : [element("span", { class: "more" }, `${Math.max(Math.round(size / 1024), 1)} kB`)]));
  button.addEventListener("click", () => {
    bytes(`results/file/${run.key}/${file}`).then(content => download(content, file.split("/").at(-1) ?? file), trouble);
  });
  return button;
}

/** @param {any} run */
function tables(run) {
  const shown = element("div", {});
  const select = element("select", { "aria-label": "Table" }, ...run.tables.map((/** @type {FileOf} */ one) => element("option", { value: one.file }, one.file)));
  const show = async () => {
    try {
      shown.replaceChildren(...sortable(run, select.value, await ask("results/table", { json: { run: run.key, file: select.value } })));
    } catch (error) {
      trouble(error);
    }
  };
  select.addEventListener("change", show);
  const first = run.tables.find((/** @type {FileOf} */ one) => one.file === "metrics.csv");
  if (first) select.value = first.file;
  void show();
  return [element("label", { class: "field" }, element("span", {}, "Table"), select), shown];
}

/** @param {any} run @param {string} file @param {{columns: string[], rows: string[][], cut: boolean}} table */
function sortable(run, file, table) {
  let by = -1;
  let down = false;
  const body = element("tbody", {});
  const filter = element("input", { placeholder: "Show only rows with …", "aria-label": "Show only rows with", type: "search" });
  const count = element("span", { class: "soft", role: "status" });
  const head = table.columns.map((name, place) => {
    const button = element("button", { type: "button" }, name);
    const cell = element("th", { scope: "col" }, button);
    button.addEventListener("click", () => {
      down = by === place ? !down : false;
      by = place;
      for (const other of head) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      fill();
    });
    return cell;
  });
  const fill = () => {
    const word = filter.value.trim().toLowerCase();
    const rows = table.rows.filter(row => !word || row.some(cell => cell.toLowerCase().includes(word)));
    if (by >= 0) {
      const numeric = rows.every(row => row[by] === "" || Number.isFinite(Number(row[by])));
      rows.sort((a, b) => {
        if (a[by] === "" || b[by] === "") return Number(a[by] === "") - Number(b[by] === "");
        const order = numeric ? Number(a[by]) - Number(b[by]) : a[by].localeCompare(b[by]);
        return down ? -order : order;
      });
    }
    const most = 500;
    body.replaceChildren(...rows.slice(0, most).map(row => element("tr", {}, ...row.map(cell => element("td", {}, pretty(cell))))));
    count.textContent = `${rows.length} rows${rows.length > most ? `, the first ${most} are shown` : ""}${table.cut ? "; the file has more" : ""}`;
  };
  filter.addEventListener("input", fill);
  fill();
  const save = saver(run, file, "Download");
  return [element("div", { class: "actions" }, filter, save, count), element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": file }, element("table", {}, element("thead", {}, element("tr", {}, ...head)), body))];
}

/** @param {string} cell a long fraction to four digits; the file keeps them all */
function pretty(cell) {
  const value = Number(cell);
  return cell.length > 8 && cell.includes(".") && Number.isFinite(value) ? String(Number(value.toPrecision(4))) : cell;
}

/** @param {any} run */
function figures(run) {
  if (!run.figures.length) return [element("p", { class: "soft" }, "This run has no figures.")];
  const made = run.figures.map((/** @type {FileOf} */ one) => {
    const title = (one.file.split("/").at(-1) ?? one.file).replace(/\.svg$/, "").replaceAll("_", " ");
    const image = element("img", { alt: title, loading: "lazy" });
    const seen = new IntersectionObserver(async (entries, watcher) => {
      if (!entries.some(entry => entry.isIntersecting)) return;
      watcher.disconnect();
      try {
        image.src = URL.createObjectURL(new Blob([await bytes(`results/file/${run.key}/${one.file}`)], { type: "image/svg+xml" }));
      } catch (error) {
        trouble(error);
      }
    });
    seen.observe(image);
    return element("figure", {}, image, element("figcaption", {}, title, " ", saver(run, one.file, "Download")));
  });
  return [element("div", { class: "figures" }, ...made)];
}

try {
  if (asked) await one(asked);
  else if (location.search === "?list") await list();
  else {
    const { chosen } = await ask("results/runs");
    await (chosen ? one(chosen) : list());
  }
} catch (error) {
  byId("place").replaceChildren();
  trouble(error);
}
