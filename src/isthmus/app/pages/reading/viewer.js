// A scan slice by slice: wheel, arrow keys or the slider; windows; the outline of the mask on and off.

import { bytes, element, trouble } from "../shared/api.js";

/** @typedef {{name: string, trouble?: string, mask: boolean, slices: number, start: number, low: number, high: number, hu: boolean, aspect: number}} Scan */

const WINDOWS = /** @type {[string, number, number][]} */ ([["soft tissue", -125, 225], ["lung", -1350, 150], ["bone", -450, 1050]]);

/** @param {string} reading the case @param {Scan[]} scans */
export function viewer(reading, scans) {
  const usable = scans.filter(one => !one.trouble);
  if (!usable.length) return element("div", { class: "panel" }, ...scans.map(one => element("p", { class: "caution" }, `${one.name}: ${one.trouble}`)), ...(scans.length ? [] : [element("p", { class: "soft" }, "The case table names no scan for this case.")]));
  let scan = usable[0];
  let window_ = [scan.low, scan.high];
  let outline = true;
  let wanted = 0;
  /** @type {Map<string, string>} */
  const kept = new Map();
  const picture = element("img", { alt: "", tabindex: "0" });
  const slider = element("input", { type: "range", min: 0, "aria-label": "Slice" });
  const place = element("span", { role: "status" });
  const select = element("select", { "aria-label": "Scan" }, ...usable.map(one => element("option", {}, one.name)));
  const windows = element("select", { "aria-label": "Window" });
  const lines = element("button", { type: "button", "aria-pressed": "true" }, "Outline");

  const draw = async () => {
    const k = Number(slider.value);
    place.textContent = `${k + 1} / ${scan.slices}`;
    picture.alt = `${scan.name} of ${reading}, slice ${k + 1} of ${scan.slices}`;
    const query = new URLSearchParams({ case: reading, image: scan.name, k: String(k), low: String(window_[0]), high: String(window_[1]), outline: String(outline) });
    const key = query.toString();
    wanted += 1;
    const mine = wanted;
    try {
      if (!kept.has(key)) kept.set(key, URL.createObjectURL(new Blob([await bytes(`reading/slice?${key}`)], { type: "image/png" })));
      if (mine === wanted) picture.src = kept.get(key) ?? "";
    } catch (error) {
      trouble(error);
    }
  };
  /** @param {number} by */
  const move = by => {
    slider.value = String(Number(slider.value) + by);
    void draw();
  };
  const open = () => {
    slider.max = String(scan.slices - 1);
    slider.value = String(scan.start);
    window_ = [scan.low, scan.high];
    picture.style.aspectRatio = String(scan.aspect);
    const choices = scan.hu ? WINDOWS : [/** @type {[string, number, number]} */ (["whole range", scan.low, scan.high])];
    windows.replaceChildren(...choices.map(([name]) => element("option", {}, name)));
    lines.disabled = !scan.mask;
    void draw();
  };
  select.addEventListener("change", () => {
    scan = usable[select.selectedIndex];
    open();
  });
  windows.addEventListener("change", () => {
    if (scan.hu) window_ = WINDOWS[windows.selectedIndex].slice(1).map(Number);
    void draw();
  });
  lines.addEventListener("click", () => {
    outline = !outline;
    lines.setAttribute("aria-pressed", String(outline));
    void draw();
  });
  slider.addEventListener("input", draw);
  picture.addEventListener("wheel", event => {
    event.preventDefault();
    move(event.deltaY > 0 ? 1 : -1);
  }, { passive: false });
  picture.addEventListener("keydown", event => {
    const by = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: 10, PageUp: -10 })[event.key];
    if (!by) return;
    event.preventDefault();
    move(by);
  });
  open();
  const bar = element("div", { class: "bar" }, ...(usable.length > 1 ? [select] : []), slider, place, windows, lines);
  return element("div", { class: "viewer" }, picture, bar);
}
