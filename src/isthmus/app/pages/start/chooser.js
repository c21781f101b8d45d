// Choose a folder or a table on the machine where the application runs, among the folders it was opened with.

import { ask, element, trouble } from "../shared/api.js";

/** @typedef {{path: string, shown: string}} Entry */

/**
 * @param {{want: "folder" | "table", chosen: string | null, choose: (path: string) => void}} options
 */
export function chooser({ want, chosen, choose }) {
  const inner = element("div", {});
  const whole = element("details", { open: !chosen }, element("summary", {}, chosen ?? `Choose a ${want} …`), inner);

  /** @param {string} path */
  async function open(path) {
    try {
      const said = await ask("start/browse", { json: { path } });
      if (!path && said.folders.length === 1) return open(said.folders[0].path);
      draw(said);
    } catch (error) {
      trouble(error);
    }
  }

  /** @param {{path: string, way: Entry[], folders: Entry[], tables: Entry[], files: number, more: number}} said */
  function draw(said) {
    const way = said.way.flatMap((one, place) => [...(place ? ["›"] : []), link(one, () => open(one.path))]);
    const folders = said.folders.map(one => element("li", {}, link({ ...one, shown: `▸ ${one.shown}` }, () => open(one.path))));
    const tables = want === "table" ? said.tables.map(one => element("li", {}, link(one, () => choose(one.path)))) : [];
    const parts = [element("div", { class: "crumbs" }, ...way), element("ul", { class: "list" }, ...folders, ...tables)];
    if (want === "folder" && said.path) {
      const take = element("button", { type: "button", class: "main" }, "Take this folder");
      take.addEventListener("click", () => choose(said.path));
      parts.push(element("div", { class: "actions" }, take, element("span", { class: "soft" }, `${said.folders.length + said.more} folders and ${said.files} files in it`)));
    }
    if (!folders.length && !tables.length) parts.push(element("p", { class: "soft" }, want === "table" ? "No table and no folder here." : "No folder in it."));
    inner.replaceChildren(...parts);
  }

  /** @param {Entry} one @param {() => void} what */
  function link(one, what) {
    const made = element("button", { type: "button" }, one.shown);
    made.addEventListener("click", what);
    return made;
  }

  const start = chosen && want === "folder" ? chosen : chosen ? chosen.replace(/[\\/][^\\/]*$/, "") : "";
  void open(start);
  return whole;
}
