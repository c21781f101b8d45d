"""What a page must keep, measured in the browser; every function says what is wrong, an empty list is good."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

__all__ = ["low_contrast", "overflow", "tab_stops", "watch"]

# WCAG 2.2, relative luminance and contrast ratio; a half-transparent background is mixed with what lies behind it. Text on an image or
# a gradient is not judged, text inside a drawing (svg) is judged by its fill against the first background around the drawing.
_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parse = text => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = "#000"; canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const luminance = c => {
    const [r, g, b] = c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backdrop = element => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.backgroundImage !== "none") return null;
      const colour = parse(style.backgroundColor);
      layers.push(colour);
      if (colour[3] === 1) break;
    }
    const page = matchMedia("(prefers-color-scheme: dark)").matches
      && getComputedStyle(document.documentElement).colorScheme.includes("dark") ? [18, 18, 18, 1] : [255, 255, 255, 1];
    return layers.reduceRight((below, top) => over(top, below), page);
  };
  const wrong = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE", "NOSCRIPT", "TITLE", "DESC"].includes(element.tagName.toUpperCase())) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const range = document.createRange(); range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const style = getComputedStyle(element);
    const behind = backdrop(element);
    if (!behind || element.closest(":disabled, [aria-disabled=true]")) continue;
    let opacity = 1;
    for (let e = element; e; e = e.parentElement) opacity *= +getComputedStyle(e).opacity;
    const ink = parse(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
    ink[3] *= opacity;
    const [light, dark] = [luminance(over(ink, behind)), luminance(behind)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) {
      const tag = element.tagName.toLowerCase(), kind = element.getAttribute("class") || "";
      wrong.push(`${ratio.toFixed(2)}: "${node.data.trim().slice(0, 40)}" in <${tag} class="${kind}">`);
    }
  }
  return [...new Set(wrong)];
}"""

_OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const wrong = [];
  for (const element of document.body.querySelectorAll("*")) {
    let inside = false;
    for (let e = element.parentElement; e && !inside; e = e.parentElement) inside = getComputedStyle(e).overflowX !== "visible";
    const right = element.getBoundingClientRect().right;
    if (inside || right <= width + 0.5) continue;
    const tag = element.tagName.toLowerCase(), kind = element.getAttribute("class") || "";
    wrong.push(`<${tag} id="${element.id}" class="${kind}"> reaches ${Math.round(right)} of ${width}`);
  }
  return wrong.length ? wrong : [`the page is ${document.documentElement.scrollWidth} wide, the window ${width}`];
}"""

_FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  const name = (element.getAttribute("aria-label") || (element.labels && element.labels[0] || element).textContent || "").trim();
  const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  return { tag: element.tagName.toLowerCase(), id: element.id, name: name.replace(/\\s+/g, " ").slice(0, 60), ring,
           visible: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight };
}"""


def low_contrast(page: Page) -> list[str]:
    """Texts whose contrast is below WCAG AA (4.5, large ones 3), as the page is shown now."""
    return page.evaluate(_CONTRAST)  # type: ignore[no-any-return]


def overflow(page: Page, width: int) -> list[str]:
    """What makes the page wider than a window of `width` pixels; what scrolls in its own box may be wider."""
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 900})
    wrong: list[str] = page.evaluate(_OVERFLOW)
    if before is not None:
        page.set_viewport_size(before)
    return wrong


def tab_stops(page: Page, most: int = 500) -> list[dict[str, object]]:
    """Where the Tab key leads from the top of the page, in order: tag, id, name, ring (is the focus seen?), visible.

    Raises
    ------
    AssertionError
        The keyboard is caught: after `most` presses the focus has not left the page.
    """
    page.evaluate("() => { document.activeElement?.blur(); getSelection().removeAllRanges(); scrollTo(0, 0); }")
    stops: list[dict[str, object]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(_FOCUSED)
        if stop is None or (stops and stop == stops[0]):
            return stops
        stops.append(stop)
    raise AssertionError(f"after {most} presses of Tab the focus is still inside: {stops[-3:]}")


def watch(context: BrowserContext, home: str = "") -> list[str]:
    """A list that grows with every error on the console, every exception and every request that leaves the machine.

    `home`: the address of a server on this machine that may be asked, too.
    """
    faults: list[str] = []
    context.on("console", lambda said: faults.append(f"console: {said.text}") if said.type == "error" else None)
    context.on("weberror", lambda thrown: faults.append(f"error: {thrown.error}"))
    context.on("request", lambda asked: None if _local(asked.url, home) else faults.append(f"asked for {asked.url}"))
    return faults


def _local(url: str, home: str) -> bool:
    return url.startswith(("file:", "data:", "about:", "blob:", *([home] if home else [])))
