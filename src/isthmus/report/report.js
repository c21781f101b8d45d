"use strict";
(() => {
  const root = document.documentElement;
  const make = (name, settings = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(settings)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };

  // light or dark: as the system says, until the reader says otherwise
  const theme = document.getElementById("theme");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const label = () => { theme.textContent = dark() ? "Light theme" : "Dark theme"; };
  theme.hidden = false;
  label();
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; label(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);

  // contents: closed on a phone, the section in view marked
  const contents = document.getElementById("contents");
  const narrow = matchMedia("(max-width: 920px)");
  const fold = () => { contents.open = !narrow.matches; };
  fold();
  narrow.addEventListener("change", fold);
  const links = new Map([...contents.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const sections = [...document.querySelectorAll("main section[id]")];
  let shown = null;
  const mark = () => {
    let now = sections[0];
    for (const section of sections) if (section.getBoundingClientRect().top < innerHeight * 0.3) now = section;
    if (innerHeight + scrollY >= root.scrollHeight - 4) now = sections[sections.length - 1];
    if (now === shown) return;
    if (shown) links.get(shown.id).removeAttribute("aria-current");
    const link = links.get(now.id);
    link.setAttribute("aria-current", "location");
    const box = contents.parentElement;
    // never away from the link that the keyboard is on
    if (!narrow.matches && !contents.contains(document.activeElement)) box.scrollTop = Math.max(0, link.offsetTop - box.clientHeight / 2);
    shown = now;
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; mark(); });
  }, { passive: true });
  mark();
  contents.addEventListener("click", (event) => { if (narrow.matches && event.target.closest("a")) contents.open = false; });

  // what is wider than the page can be scrolled by keyboard too
  const boxes = [...document.querySelectorAll(".scroll")];
  const reach = () => {
    for (const box of boxes) {
      if (box.scrollWidth > box.clientWidth + 1) box.setAttribute("tabindex", "0");
      else box.removeAttribute("tabindex");
    }
  };
  reach();
  addEventListener("resize", reach);
  document.addEventListener("toggle", reach, true);

  // a link to something folded away opens it; paper shows everything
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  };
  addEventListener("hashchange", reveal);
  reveal();
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("main details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });

  // long tables are sorted by a press on a heading
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim();
    const number = parseFloat(text.replace(/\u2212/g, "-").replace(/^[<>]/, ""));
    return [text, number];
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((cell, column) => {
      const button = make("button", { type: "button", class: "sort" }, ...cell.childNodes);
      cell.append(button);
      button.addEventListener("click", () => {
        const up = cell.getAttribute("aria-sort") !== "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", up ? "ascending" : "descending");
        const keyed = [...body.rows].map((row) => [row, ...value(row, column)]);
        const numeric = keyed.filter(([, , number]) => !Number.isNaN(number)).length > keyed.length / 2;
        keyed.sort(([, a, x], [, b, y]) => {
          if (!numeric) return up ? a.localeCompare(b) : b.localeCompare(a);
          if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
          return up ? x - y : y - x;
        });
        body.append(...keyed.map(([row]) => row));
      });
    });
  }

  // thresholds and pairs of models
  const data = JSON.parse(document.getElementById("explore-data").textContent);
  const explorer = document.getElementById("explorer");
  if (!data || !explorer) return;
  explorer.hidden = false;
  const [chooseSplit, chooseA, chooseB] = ["explore-split", "explore-a", "explore-b"].map((id) => document.getElementById(id));
  const option = (text, index) => make("option", { value: index }, text);
  chooseSplit.append(...data.splits.map((split, i) => option(split.name, i)));
  chooseA.append(...data.models.map(option));
  chooseB.append(make("option", { value: "" }, "none"), ...data.models.map(option));
  chooseA.value = data.final;

  const NS = "http://www.w3.org/2000/svg";
  const draw = (name, settings, parent) => {
    const node = document.createElementNS(NS, name);
    for (const [key, one] of Object.entries(settings)) node.setAttribute(key, one);
    if (parent) parent.append(node);
    return node;
  };
  const SIZE = 400, LEFT = 46, TOP = 12;
  const across = (x) => LEFT + x * (SIZE - LEFT - 12);
  const down = (y) => TOP + (1 - y) * (SIZE - TOP - 46);
  const show = (x) => (Number.isFinite(x) ? x.toFixed(3) : "above every risk");
  const ratio = (part, whole) => (whole ? `${(part / whole).toFixed(2)} (${part} of ${whole})` : "\u2013");

  // the counts at each threshold that changes them, from the highest to the lowest
  const counted = (split, model) => {
    const rows = split.patients.map((_, i) => [split.risk[model][i], split.outcome[i]]).filter(([risk]) => risk !== null);
    rows.sort((a, b) => b[0] - a[0]);
    const events = rows.filter(([, outcome]) => outcome === 1).length;
    const points = [{ cut: Infinity, tp: 0, fp: 0, fn: events, tn: rows.length - events }];
    rows.forEach(([risk, outcome], i) => {
      const last = points[points.length - 1];
      const next = { cut: risk, tp: last.tp + (outcome === 1), fp: last.fp + (outcome === 0), fn: last.fn - (outcome === 1), tn: last.tn - (outcome === 0) };
      if (last.cut === risk) points[points.length - 1] = next;
      else points.push(next);
    });
    return points;
  };
  const studyPoint = (points, cut) => {
    let found = 0;
    points.forEach((point, i) => { if (point.cut >= cut) found = i; });
    return found;
  };

  const plot = document.getElementById("explore-plot");
  const matrices = document.getElementById("explore-matrices");
  const comparison = document.getElementById("explore-comparison");
  let curves = [];

  const table = (caption, head, rows, numeric = true) => {
    const kind = (i) => (numeric && i ? { class: "number" } : {});
    const header = make("tr", {}, ...head.map((text, i) => make("th", { scope: "col", ...kind(i) }, text)));
    const body = rows.map((row) => make("tr", {}, ...row.map((text, i) => make(i ? "td" : "th", i ? kind(i) : { scope: "row" }, text))));
    return make("div", { class: "scroll" }, make("table", {}, make("caption", {}, caption), make("thead", {}, header), make("tbody", {}, ...body)));
  };

  const matrix = (curve) => {
    const { cut, tp, fp, fn, tn } = curve.points[curve.at];
    const study = curve.cut !== null && curve.at === curve.start;
    const words = study ? `${curve.cut.toFixed(3)} (the study\u2019s)` : `${show(cut)} (explored)`;
    curve.output.replaceChildren(
      make("h4", { class: curve.key }, curve.name),
      make("p", { class: "cut", "aria-live": "polite" }, `Threshold ${words}`),
      table("Patients", ["Called", "with outcome", "without"], [["high", `${tp}`, `${fp}`], ["low", `${fn}`, `${tn}`]]),
      make("dl", { class: "rates" }, ...[
        ["Sensitivity", ratio(tp, tp + fn)], ["Specificity", ratio(tn, tn + fp)],
        ["PPV", ratio(tp, tp + fp)], ["NPV", ratio(tn, tn + fn)],
      ].flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])),
    );
    curve.handle.setAttribute("cx", across(fp / (fp + tn)));
    curve.handle.setAttribute("cy", down(tp / (tp + fn)));
    curve.handle.setAttribute("aria-valuenow", curve.at);
    curve.handle.setAttribute("aria-valuetext", `threshold ${words}: sensitivity ${ratio(tp, tp + fn)}, specificity ${ratio(tn, tn + fp)}`);
  };
  const move = (curve, to) => {
    curve.at = Math.min(curve.points.length - 1, Math.max(0, to));
    matrix(curve);
  };

  const picture = (split) => {
    const svg = draw("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "group", "aria-label": "ROC curves whose points can be moved" });
    for (const tick of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      draw("line", { x1: across(tick), x2: across(tick), y1: down(0), y2: down(1), class: "grid" }, svg);
      draw("line", { x1: across(0), x2: across(1), y1: down(tick), y2: down(tick), class: "grid" }, svg);
      draw("text", { x: across(tick), y: down(0) + 16, "text-anchor": "middle" }, svg).textContent = tick;
      draw("text", { x: across(0) - 7, y: down(tick) + 4, "text-anchor": "end" }, svg).textContent = tick;
    }
    draw("line", { x1: across(0), y1: down(0), x2: across(1), y2: down(1), class: "chance" }, svg);
    draw("text", { x: across(0.5), y: SIZE - 6, "text-anchor": "middle" }, svg).textContent = "1 \u2212 specificity";
    draw("text", { transform: `translate(13 ${down(0.5)}) rotate(-90)`, "text-anchor": "middle" }, svg).textContent = "Sensitivity";
    for (const curve of curves) {
      const line = curve.points.map(({ tp, fp, fn, tn }) => `${across(fp / (fp + tn))},${down(tp / (tp + fn))}`);
      draw("polyline", { points: line.join(" "), class: `curve ${curve.key}` }, svg);
    }
    for (const curve of curves) {
      curve.handle = draw("circle", {
        r: 7, tabindex: 0, class: `handle ${curve.key}`, role: "slider", "aria-label": `Threshold of ${curve.name}`,
        "aria-valuemin": 0, "aria-valuemax": curve.points.length - 1,
      }, svg);
      curve.handle.addEventListener("keydown", (event) => {
        const far = Math.max(1, Math.round(curve.points.length / 10));
        const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: far, PageDown: -far, Home: -Infinity, End: Infinity };
        if (!(event.key in steps)) return;
        event.preventDefault();
        move(curve, curve.at + steps[event.key]);
      });
    }
    const follow = (event) => {
      const box = svg.getBoundingClientRect();
      const [x, y] = [(event.clientX - box.left) / box.width * SIZE, (event.clientY - box.top) / box.height * SIZE];
      let best = null;
      for (const curve of curves) {
        curve.points.forEach(({ tp, fp, fn, tn }, i) => {
          const far = Math.hypot(across(fp / (fp + tn)) - x, down(tp / (tp + fn)) - y);
          if (!best || far < best.far) best = { far, curve, i };
        });
      }
      if (best && best.far < 60) move(best.curve, best.i);
    };
    svg.addEventListener("pointermove", follow);
    svg.addEventListener("pointerdown", follow);
    return svg;
  };

  const compared = (split, a, b) => {
    const parts = [];
    const pairs = split.comparisons.filter((one) => (one.a === a && one.b === b) || (one.a === b && one.b === a));
    if (pairs.length) {
      const rows = pairs.map((one) => (one.a === a
        ? [one.test, one.difference, one.p, one.adjusted] : [one.reversed_test, one.reversed, one.p, one.adjusted]));
      parts.push(table("Tests of this pair (comparisons.csv)", ["Test", "A minus B", "p", "p (adjusted)"], rows));
    } else {
      parts.push(make("p", { class: "absent" }, "The run holds no test of this pair on these patients."));
    }
    parts.push(table("Side by side (metrics.csv)", ["Metric", data.models[a], data.models[b]],
      split.metrics.map((row) => [row[0], row[a + 1], row[b + 1]])));
    const high = (model, i) => split.called[model][i] >= 0.5;
    const differ = split.patients.map((_, i) => i).filter((i) =>
      split.called[a][i] !== null && split.called[b][i] !== null && high(a, i) !== high(b, i));
    const call = (model, i) => {
      const share = split.called[model][i];
      const word = share >= 0.5 ? "high" : "low";
      const often = split.cv && share > 0 && share < 1 ? `, called high in ${(100 * share).toFixed(0)} % of repeats` : "";
      return `${word} (risk ${split.risk[model][i].toFixed(2)}${often})`;
    };
    const caption = `${differ.length} of ${split.patients.length} patients are called differently at the study\u2019s thresholds`;
    if (!differ.length) parts.push(make("p", {}, `${caption}.`));
    else {
      parts.push(make("details", {}, make("summary", {}, `${caption}: who`), table("Called differently", ["Patient", "Outcome", data.models[a], data.models[b]],
        differ.map((i) => [split.patients[i], split.outcome[i] ? "with" : "without", call(a, i), call(b, i)]), false)));
    }
    return parts;
  };

  const update = () => {
    const split = data.splits[chooseSplit.value];
    const chosen = [["a", chooseA.value], ["b", chooseB.value]].filter(([, model], i, all) => model !== "" && (i === 0 || model !== all[0][1]));
    curves = chosen.map(([key, model]) => {
      const points = counted(split, model);
      const cut = data.cuts[model];
      const start = cut === null ? 0 : studyPoint(points, cut);
      return { key, name: data.models[model], cut, start, at: start, points, output: make("div", { class: "matrix" }) };
    }).filter(({ points: [none] }) => none.fn && none.tn); // a curve needs patients of both classes
    plot.replaceChildren(picture(split));
    matrices.replaceChildren(...curves.map((curve) => curve.output));
    curves.forEach(matrix);
    comparison.replaceChildren(...(chosen.length > 1 ? compared(split, Number(chooseA.value), Number(chooseB.value)) : []));
    boxes.push(...comparison.querySelectorAll(".scroll"));
    reach();
  };
  for (const choose of [chooseSplit, chooseA, chooseB]) choose.addEventListener("change", update);
  document.getElementById("explore-reset").addEventListener("click", () => curves.forEach((curve) => move(curve, curve.start)));
  update();
})();
