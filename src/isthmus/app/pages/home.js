// The home page: the rooms, and what is missing.

import { ask, element, trouble } from "./shared/api.js";

/** @typedef {{name: string, title: string, says: string, needs: string, open: boolean}} Room */

const NEEDS = { cases: "isthmus app --cases cases.csv", run: "isthmus app --run RUN" };

try {
  const about = await ask("about");
  const parts = [about.cases && `case table ${about.cases}`, about.run && `run ${about.run}`, `folder ${about.study}`, `version ${about.version}`];
  /** @type {HTMLElement} */ (document.getElementById("where")).textContent = parts.filter(Boolean).join(" · ");
  const rooms = /** @type {HTMLElement} */ (document.getElementById("rooms"));
  for (const room of /** @type {Room[]} */ (about.rooms)) {
    const inner = [element("strong", {}, room.title), element("span", {}, room.says)];
    const needs = /** @type {Record<string, string>} */ (NEEDS)[room.needs] ?? "";
    if (!room.open) inner.push(element("span", { class: "soft" }, " Opens with: ", element("code", {}, needs)));
    rooms.append(element("li", {}, room.open ? element("a", { href: `/${room.name}/` }, ...inner) : element("div", { class: "shut" }, ...inner)));
  }
  if (about.missing.length) trouble(about.missing.join(" "));
} catch (error) {
  trouble(error);
}
