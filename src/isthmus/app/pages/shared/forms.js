// Small parts that forms of several rooms share.

import { element, trouble } from "./api.js";

/** @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found;
}

/**
 * Do what a click asks; where it fails, the message is shown and brought into view.
 * @param {() => Promise<void>} what
 * @param {ScrollLogicalPosition} [block]
 */
export async function act(what, block = "center") {
  trouble();
  try {
    await what();
  } catch (error) {
    trouble(error);
    byId("trouble").scrollIntoView({ block });
  }
}

let made = 0;

/**
 * A labelled field, with a line of help below it.
 * @param {string} label
 * @param {HTMLElement} input
 * @param {string} [hint]
 */
export function field(label, input, hint) {
  const whole = element("div", { class: "field" }, element("label", {}, element("span", {}, label), input));
  if (hint !== undefined) {
    made += 1;
    whole.append(element("span", { class: "hint", id: `hint-${made}` }, hint));
    input.setAttribute("aria-describedby", `hint-${made}`);
  }
  return whole;
}

/** An estimate as the report prints it: two decimals, a real minus sign, no negative nothing.
 * @param {number | null | undefined} value */
export function two(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "";
  const text = Math.abs(value).toFixed(2);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/**
 * A number with three or so digits that say something.
 * @param {number | null | undefined} value
 */
export function short(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (size >= 1000 || Number.isInteger(value)) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/**
 * A share as a percentage.
 * @param {number} share
 * @param {number} [digits]
 */
export function percent(share, digits = 0) {
  return `${(100 * share).toFixed(digits)} %`;
}
