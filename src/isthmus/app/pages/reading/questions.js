// The questions of the form as fields; answers in and out.

import { element } from "../shared/api.js";

/** @typedef {{name: string, question: string, kind: "choice" | "several" | "number" | "text", choices: string[], unit: string, required: boolean, help: string, group: string, show: {field: string, answers: string[]} | null}} Field */
/** @typedef {Record<string, any>} Answers */

/**
 * @param {Field[]} fields
 * @param {Answers} start
 * @param {{cannot: string, changed?: () => void, below?: (field: Field) => (Node | string)[], differ?: string[], off?: boolean}} options
 */
export function questions(fields, start, { cannot, changed, below, differ = [], off = false }) {
  /** @type {Map<string, HTMLElement>} */
  const places = new Map();
  /** @type {Map<string, () => any>} */
  const values = new Map();
  /** @type {Map<string, (value: any) => void>} */
  const setters = new Map();

  const answers = () => {
    /** @type {Answers} */
    const found = {};
    for (const field of fields) {
      const value = values.get(field.name)?.();
      if (value !== undefined && value !== "") found[field.name] = value;
    }
    return found;
  };
  const shown = () => {
    const now = answers();
    for (const field of fields) {
      const place = /** @type {HTMLElement} */ (places.get(field.name));
      const given = field.show ? now[field.show.field] : undefined;
      place.hidden = field.show !== null && !(Array.isArray(given) ? given : [given]).some(one => field.show?.answers.includes(one));
    }
  };
  const touched = () => {
    shown();
    changed?.();
  };

  /** @param {Field} field */
  const one = field => {
    const options = field.kind === "choice" || field.kind === "several" ? [...field.choices, cannot] : [];
    const id = `q-${field.name}`;
    const must = field.required ? "" : " (optional)";
    const label = `${field.question}${field.unit ? ` (${field.unit})` : ""}${must}`;
    const help = field.help ? [element("span", { class: "hint" }, field.help)] : [];
    const more = below?.(field) ?? [];
    const kind = differ.includes(field.name) ? "question differs" : "question";
    if (options.length) {
      const inputs = options.map(text => element("input", { type: field.kind === "choice" ? "radio" : "checkbox", name: id, value: text, disabled: off }));
      // of several choices "none" must be said, else an empty list would look like a forgotten question
      const none = field.kind === "several" ? element("input", { type: "checkbox", name: id, value: "", disabled: off }) : null;
      const every = none ? [...inputs, none] : inputs;
      const set = (/** @type {any} */ value) => {
        const list = Array.isArray(value) ? value : [value];
        for (const input of inputs) input.checked = list.includes(input.value);
        if (none) none.checked = Array.isArray(value) && !value.length;
      };
      set(start[field.name]);
      setters.set(field.name, set);
      values.set(field.name, () => {
        const chosen = inputs.filter(input => input.checked).map(input => input.value);
        if (field.kind === "choice") return chosen[0];
        if (chosen.includes(cannot)) return cannot;
        return chosen.length ? chosen : none?.checked ? [] : undefined;
      });
      for (const input of every) {
        input.addEventListener("change", () => {
          if (field.kind === "several" && input.checked) {
            const alone = input === none || input.value === cannot;
            for (const other of every) if (other !== input && (alone || other === none || other.value === cannot)) other.checked = false;
          }
          touched();
        });
      }
      const ticks = options.map((text, place) => element("label", { class: "tick" }, inputs[place], text));
      if (none) ticks.splice(-1, 0, element("label", { class: "tick" }, none, "none"));
      return element("fieldset", { class: kind, id }, element("legend", {}, label), ...help, element("div", { class: "choices" }, ...ticks), ...more);
    }
    const input = field.kind === "text" ? element("textarea", { rows: 2, id: `${id}-in`, disabled: off }) : element("input", { type: "text", inputmode: "decimal", autocomplete: "off", id: `${id}-in`, disabled: off });
    const set = (/** @type {any} */ value) => {
      input.value = value === undefined || value === null ? "" : String(value);
    };
    set(start[field.name]);
    setters.set(field.name, set);
    values.set(field.name, () => input.value.trim());
    input.addEventListener("input", touched);
    return element("div", { class: kind, id }, element("label", { class: "q", for: `${id}-in` }, label), ...help, input, ...more);
  };

  const groups = [...new Set(fields.map(field => field.group))];
  const parts = groups.map(group => {
    const inner = fields.filter(field => field.group === group).map(field => {
      const place = one(field);
      places.set(field.name, place);
      return place;
    });
    return element("section", {}, ...(group ? [element("h2", {}, group)] : []), ...inner);
  });
  shown();
  return {
    element: element("div", {}, ...parts),
    answers,
    /** @param {string} name @param {any} value */
    set: (name, value) => {
      setters.get(name)?.(value);
      touched();
    },
  };
}
