"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { calculation, inputs } = data;
  const at = (name, i = "") => document.getElementById(name + i);
  const missing = new Set(data.missing.map(text => text.toLowerCase()));

  // ---------------------------------------------------------------- the model: the operations of study/calculator.py, in their order

  const through = (term, given) => {
    let value = given;
    for (const [kind, a, b] of term.operations) {
      if (kind === "fill") value = value === null ? a : value;
      else if (kind === "missing") value = value === null ? 1 : 0;
      else if (kind === "is") value = value === a ? 1 : 0;
      else if (value === null) continue; // a gap that is filled later stays one
      else if (kind === "clip") value = Math.min(Math.max(value, a), b);
      else if (kind === "log") value = Math.sign(value) * Math.log1p(Math.abs(value));
      else if (kind === "scale") value = (value - a) / b;
      else if (kind === "centre") value -= a;
    }
    return value;
  };

  const effect = (name, value) => {
    let sum = 0;
    for (const term of calculation.terms) if (term.input === name) sum += through(term, value) * term.weight;
    return sum;
  };

  const interpolate = (x, knots, levels) => {
    if (x <= knots[0]) return levels[0];
    const last = knots.length - 1;
    if (x >= knots[last]) return levels[last];
    let i = 0;
    while (knots[i + 1] <= x) i += 1;
    return levels[i] + (levels[i + 1] - levels[i]) / (knots[i + 1] - knots[i]) * (x - knots[i]);
  };

  // probability of the outcome (binary), or risk score and probability of the event by the horizon (survival)
  const predict = values => {
    let sum = 0;
    for (const term of calculation.terms) sum += through(term, values[term.input] ?? null) * term.weight;
    sum += calculation.intercept;
    if (calculation.task === "survival") {
      const relative = Math.exp(Math.min(Math.max(sum, -500), 500));
      return { score: sum, probability: -Math.expm1(-relative * calculation.hazard) };
    }
    let risk = 0.5 * (1 + Math.tanh(0.5 * sum));
    if (calculation.prior) {
      const [population, learned] = calculation.prior;
      const without = (1 - risk) * (population[0] / learned[0]), having = risk * (population[1] / learned[1]);
      risk = having / (without + having);
    }
    const map = calculation.recalibration;
    if (map && map.kind === "isotonic") risk = interpolate(risk, map.knots, map.levels);
    else if (map) {
      const inside = Math.min(Math.max(risk, calculation.edge), 1 - calculation.edge);
      risk = 1 / (1 + Math.exp(-(map.intercept + map.slope * Math.log(inside / (1 - inside)))));
    }
    return { score: sum, probability: risk };
  };

  // points of the nomogram
  const points = (item, value) => data.points === null ? null : data.points.starts[item.name] + data.points.scale * effect(item.name, value);

  // ---------------------------------------------------------------- what was typed

  const isMissing = text => missing.has(text.toLowerCase());

  const parse = typed => {
    const text = typed.trim().replace(/\u2212/g, "-");
    if (isMissing(text)) return { value: null };
    const plain = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
    if (plain.test(text)) {
      const value = Number(text);
      return Number.isFinite(value) ? { value } : { error: `${text} is too large` };
    }
    if (/[.\s]\d{3}[,.\s]|,.*,|\..*,|,.*\./.test(text)) return { error: `“${text}”: write one decimal mark and no thousands separators` };
    const point = text.replace(",", ".");
    if (plain.test(point)) return { value: Number(point), note: `read as ${point}` };
    if (/^[<>≤≥~]/.test(text)) return { error: `“${text}” is a limit; enter the number itself` };
    return { error: `“${text}” is not a number` };
  };

  const short = value => Number(value.toPrecision(4)).toString();

  // value of a field, and what must be said of it: {value, error, warning, note}
  const read = i => {
    const item = inputs[i], field = at("input", i);
    let found;
    if (item.kind === "number") found = parse(field.value);
    else if (field.value === "") found = { value: null };
    else if (field.value === "other") found = { value: field.dataset.other || "another", other: true };
    else found = { value: item.choices[Number(field.value)].value };
    const { value } = found;
    if (found.error) return found;
    if (value === null) {
      if (item.required) return { value, error: "needed: the model cannot do without it", empty: true };
      if (item.fill === "") return { value, warning: "not known" };
      return { value, filled: true, warning: `not known: taken as ${item.fill}, as in training` };
    }
    if (found.other) return { value, warning: "never occurred in training: counts as none of the known categories" };
    if (item.kind === "number") {
      if (item.possible && (value < item.possible[0] || value > item.possible[1]))
        return { error: `${short(value)} is impossible: expected ${short(item.possible[0])} to ${short(item.possible[1])}` };
      if (value < item.low || value > item.high)
        return { ...found, outside: true, warning: `outside the training range ${short(item.low)} to ${short(item.high)}` };
    } else if (item.kind === "choice" && (value < item.low || value > item.high))
      return { ...found, warning: "did not occur in training" };
    return found;
  };

  // ---------------------------------------------------------------- what is shown

  const percent = risk => risk > 0 && risk < 0.0005 ? "< 0.1 %" : risk > 0.9995 && risk < 1 ? "> 99.9 %" : `${(100 * risk).toFixed(1)} %`;
  const worded = item => item.label + (item.unit ? ` (${item.unit})` : "");
  const element = (tag, text, kind) => Object.assign(document.createElement(tag), { textContent: text, className: kind || "" });
  let spoken = 0, tried = false;

  const classOf = found => {
    if (calculation.task === "survival") {
      const group = data.cuts.filter(cut => found.score >= cut).length;
      return data.groups.length ? `${data.groups[group]} risk group` : "";
    }
    const above = found.probability >= data.threshold;
    const [negative, positive] = data.classes;
    const called = positive === data.event ? (above ? positive : negative) : `${above ? "" : "no "}${data.event}`;
    return `${above ? "At or above" : "Below"} the threshold of ${percent(data.threshold)}: ${called}`;
  };

  const showField = (i, found) => {
    const item = inputs[i], note = at("note", i), quiet = found.empty && !tried;
    const typed = item.kind !== "number" ? at("input", i).value !== "" : at("input", i).value.trim() !== "";
    note.textContent = quiet ? "" : found.error || (found.warning && (typed || started()) ? found.warning : found.note || "");
    if (found.note && found.warning) note.textContent = `${found.note}; ${found.warning}`;
    note.className = found.error ? "note red" : found.warning && typed ? "note amber" : "note";
    at("input", i).setAttribute("aria-invalid", found.error && !quiet ? "true" : "false");
    const earned = found.error || !started() ? null : points(item, found.value);
    at("points", i).textContent = earned === null ? "" : `${earned.toFixed(1)} pts`;
    if (item.kind === "number") {
      const [low, high] = item.track, place = value => 100 * Math.min(Math.max((value - low) / (high - low || 1), 0), 1);
      const dot = at("track", i).querySelector(".dot");
      dot.style.display = typed && !found.error && found.value !== null ? "block" : "none";
      if (!found.error && found.value !== null) dot.style.left = `${place(found.value)}%`;
    }
  };

  const entered = i => at("input", i).value.trim() !== "";
  const started = () => inputs.some((_, i) => entered(i));

  const warn = (text, kind) => at("warnings").append(element("li", text, kind));

  const show = () => {
    const all = inputs.map((_, i) => read(i));
    all.forEach((found, i) => showField(i, found));
    at("warnings").replaceChildren();
    const wrong = inputs.filter((_, i) => all[i].error && !all[i].empty), lacking = inputs.filter((_, i) => all[i].empty);
    const ready = started() && !wrong.length && !lacking.length;
    let said;
    if (!ready) {
      said = !started() ? "Enter what is known of the patient." : wrong.length
        ? `No result: check ${wrong.map(worded).join(", ")}.` : `No result yet: still needed ${lacking.map(worded).join(", ")}.`;
      document.body.dataset.risk = "";
      at("risk").textContent = "–";
      at("class").textContent = at("total").textContent = "";
      at("words").textContent = said;
    } else said = showResult(all);
    at("bar").textContent = ready ? `${at("risk").textContent} · ${at("class").textContent}` : said;
    at("people").style.display = ready ? "grid" : "none";
    at("gauge").querySelector(".fill").style.width = ready ? `${100 * Number(document.body.dataset.risk)}%` : "0";
    record(all, ready);
    clearTimeout(spoken);
    spoken = setTimeout(() => { at("spoken").textContent = said; }, 300);
    return all;
  };

  const showResult = all => {
    const values = Object.fromEntries(inputs.map((item, i) => [item.name, all[i].value]));
    const found = predict(values), class_ = classOf(found), hundred = Math.round(100 * found.probability);
    document.body.dataset.risk = found.probability;
    at("risk").textContent = percent(found.probability);
    at("class").textContent = class_;
    at("words").textContent = `Of 100 patients with these values the model expects about ${hundred} with ${data.event}.`;
    [...at("people").children].forEach((dot, i) => { dot.className = i < hundred ? "on" : ""; });
    const earned = inputs.map((item, i) => points(item, all[i].value));
    at("total").textContent = data.points === null ? "" : `Total ${earned.reduce((a, b) => a + b, 0).toFixed(1)} points of the nomogram`;
    inputs.forEach((item, i) => {
      if (!all[i].warning || all[i].filled) return;
      const what = item.kind === "category" ? `“${all[i].value}” ` : all[i].outside ? `${short(all[i].value)} ` : "";
      warn(`${item.label}: ${what}${all[i].warning}`);
    });
    const filled = inputs.filter((_, i) => all[i].filled);
    if (filled.length) warn(`${filled.length === 1 ? "One value" : `${filled.length} values`} not known and filled in as in training: ${
      filled.map(item => `${item.label} = ${item.fill}`).join(", ")}`);
    const outside = inputs.filter((_, i) => all[i].outside || all[i].warning && !all[i].filled).length;
    return `${percent(found.probability)}. ${class_}.${filled.length ? ` ${filled.length} of ${inputs.length} values not known.` : ""}${
      outside ? ` ${outside} outside what the model was trained on.` : ""}`;
  };

  // the table that is printed
  const record = (all, ready) => {
    const body = at("record").tBodies[0];
    body.replaceChildren(...inputs.map((item, i) => {
      const found = all[i], row = document.createElement("tr"), field = at("input", i);
      const value = found.value === null || found.value === undefined ? "–" : item.kind === "number" ? String(found.value)
        : found.value === field.dataset.other ? found.value : field.selectedOptions[0].textContent;
      const earned = ready ? points(item, found.value) : null;
      row.append(element("td", item.label), element("td", value + (value !== "–" && item.unit ? ` ${item.unit}` : "")));
      if (data.points !== null) row.append(element("td", earned === null ? "" : earned.toFixed(1)));
      row.append(element("td", found.error || found.warning || ""));
      return row;
    }));
    if (at("who").value.trim()) {
      const row = document.createElement("tr"), cell = element("td", at("who").value.trim());
      cell.colSpan = 3;
      row.append(element("td", "Note"), cell);
      body.prepend(row);
    }
    const now = new Date(), two = number => String(number).padStart(2, "0");
    at("date").textContent = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())} ${two(now.getHours())}:${two(now.getMinutes())}`;
  };

  // ---------------------------------------------------------------- a pasted row

  const cells = (line, separator) => {
    const found = [];
    let cell = "", quoted = false;
    for (let k = 0; k < line.length; k += 1) {
      if (line[k] === '"' && quoted && line[k + 1] === '"') { cell += '"'; k += 1; }
      else if (line[k] === '"') quoted = !quoted;
      else if (line[k] === separator && !quoted) { found.push(cell.trim()); cell = ""; }
      else cell += line[k];
    }
    return [...found, cell.trim()];
  };

  // [name, value] of every cell; a text that says why there is none
  const pairs = text => {
    const lines = text.replace(/^\ufeff/, "").split(/\r?\n/).filter(line => line.trim());
    if (lines.length < 2) return "A header line and a line of values are needed.";
    const separator = ["\t", ";", ","].find(mark => lines[0].includes(mark));
    if (!separator) return "The names must be separated by comma, semicolon or tab.";
    const rows = lines.map(line => cells(line, separator));
    if (rows[0].length > 2 || rows[0].filter(name => place(name) >= 0).length > 1) {
      if (rows.length > 2) return `${rows.length - 1} lines of values; paste one patient.`;
      if (rows[0].length !== rows[1].length) return `${rows[0].length} names but ${rows[1].length} values.`;
      return rows[0].map((name, k) => [name, rows[1][k]]);
    }
    const odd = rows.findIndex(row => row.length !== 2);
    return odd < 0 ? rows : `Line ${odd + 1}: expected “name${separator === "\t" ? " (tab) " : `${separator} `}value”.`;
  };

  // which input a name means: its full name, or the one whose name ends so, or its label
  const place = name => {
    const exact = inputs.findIndex(item => item.name === name);
    if (exact >= 0) return exact;
    const ends = inputs.flatMap((item, i) => item.name.endsWith(`.${name}`) || item.label === name ? [i] : []);
    return ends.length === 1 ? ends[0] : -1;
  };

  const fillField = (i, text) => {
    const item = inputs[i], field = at("input", i);
    if (item.kind === "number") { field.value = isMissing(text) ? "" : text; return; }
    if (isMissing(text)) { field.value = ""; return; }
    const folded = text.toLowerCase(), number = parse(text).value;
    let found = item.choices.findIndex(choice => choice.text === text);
    if (found < 0 && item.kind === "choice")
      found = item.choices.findIndex(choice => choice.text.toLowerCase() === folded || choice.value === number);
    field.value = found < 0 ? (item.kind === "category" ? "other" : "") : String(found);
    if (found < 0 && item.kind === "category") field.dataset.other = text;
  };

  const take = () => {
    const found = pairs(at("pasted").value), note = at("pastednote");
    note.className = "note red";
    if (typeof found === "string") { note.textContent = found; return; }
    const known = found.map(([name, text]) => [place(name), text]).filter(([i]) => i >= 0);
    const twice = known.find(([i], k) => known.findIndex(([j]) => j === i) < k);
    if (!known.length || twice) {
      note.textContent = twice ? `${inputs[twice[0]].name} is named twice.` : `None of these names is an input of the model; the first: ${found[0][0]}.`;
      return;
    }
    known.forEach(([i, text]) => fillField(i, text));
    const without = inputs.filter((_, i) => !known.some(([j]) => i === j));
    note.className = without.length ? "note amber" : "note";
    note.textContent = `Filled in ${known.length} of ${inputs.length}; ${found.length - known.length} other columns not needed.${
      without.length ? ` Not in the row: ${without.map(item => item.name).join(", ")}.` : ""}`;
    show();
  };

  // ---------------------------------------------------------------- the page

  inputs.forEach((item, i) => {
    const field = at("input", i);
    field.addEventListener("input", () => { if (field.value !== "other") delete field.dataset.other; show(); });
    if (item.kind !== "number") return;
    const [low, high] = item.track, span = high - low || 1, band = at("track", i).querySelector(".band");
    band.style.left = `${100 * (item.low - low) / span}%`;
    band.style.width = `${100 * (item.high - item.low) / span}%`;
    field.addEventListener("keydown", event => {
      const turn = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!turn) return;
      event.preventDefault();
      const now = parse(field.value).value ?? item.usual[2], places = Math.max(0, -Math.floor(Math.log10(item.step)));
      field.value = (Math.round(now / item.step + turn) * item.step).toFixed(places);
      show();
    });
  });
  at("people").append(...Array.from({ length: 100 }, () => document.createElement("span")));
  if (data.threshold !== null) {
    const cut = at("gauge").querySelector(".cut"), label = at("cutlabel");
    cut.style.display = "block";
    cut.style.left = `${100 * data.threshold}%`;
    label.style.left = `${Math.min(Math.max(100 * data.threshold, 22), 78)}%`;
    label.textContent = `threshold ${percent(data.threshold)}`;
  }
  at("form").addEventListener("submit", event => {
    event.preventDefault();
    tried = true;
    const first = show().findIndex(found => found.error);
    (first >= 0 ? at("input", first) : at("result")).focus();
  });
  at("form").addEventListener("reset", () => setTimeout(() => {
    tried = false;
    at("pastednote").textContent = "";
    show();
    at("input", 0).focus();
  }));
  if (at("take")) at("take").addEventListener("click", take);
  at("who").addEventListener("input", show);
  at("print").addEventListener("click", () => { show(); window.print(); });
  window.addEventListener("beforeprint", show);
  window.isthmus = Object.freeze({ predict, points: (name, value) => points(inputs.find(item => item.name === name), value) });
  show();
})();
