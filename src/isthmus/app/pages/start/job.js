// A job on its way: how far it is, what it says, how it ended.

import { ask, element } from "../shared/api.js";

const EVERY = 1000;
/** @type {number} */
let timer = 0;

/**
 * Show the job of a plan in a place, and go on while it runs.
 * @param {HTMLElement} place
 * @param {"check" | "run"} kind
 * @param {string} plan
 * @param {(error: unknown) => void} trouble
 * @param {() => Promise<void>} [resume]
 */
export function watch(place, kind, plan, trouble, resume) {
  clearTimeout(timer);
  /** @type {HTMLDetailsElement | null} */
  let log = null;
  const look = async () => {
    try {
      const job = await ask("start/job");
      if (!place.isConnected && place.hasChildNodes()) return;
      const going = job.state === "running" || job.state === "stopping";
      if (job.state === "none" || job.kind !== kind || job.plan !== plan) {
        place.replaceChildren(...(going ? [element("p", { class: "caution" }, `Another ${job.kind} is going on: ${job.plan}. It must end, or be stopped, first.`), stop(trouble, look)] : []));
      } else {
        const open = log?.open ?? (kind === "run" && going);
        log = element("details", { open }, element("summary", {}, "What it says"), element("pre", { tabindex: "0" }, job.log.join("\n")));
        place.replaceChildren(...(going ? running(job, trouble, look) : kind === "check" ? checked(job) : ended(job, trouble, resume)), log);
        const text = log.querySelector("pre");
        if (text) text.scrollTop = text.scrollHeight;
      }
      if (going) timer = window.setTimeout(look, EVERY);
    } catch (error) {
      trouble(error);
    }
  };
  void look();
}

/** @param {(error: unknown) => void} trouble @param {() => Promise<void>} look */
function stop(trouble, look) {
  const made = element("button", { type: "button" }, "Stop it");
  made.addEventListener("click", () => {
    made.disabled = true;
    ask("start/cancel", { json: {} }).then(look, trouble);
  });
  return made;
}

/** @param {any} job @param {(error: unknown) => void} trouble @param {() => Promise<void>} look */
function running(job, trouble, look) {
  const seconds = Math.max(Math.round((Date.now() - Date.parse(job.begun)) / 1000), 0);
  const time = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const { what, done, total } = job.progress;
  const bar = element("progress", what ? { max: total, value: done, "aria-label": what } : { "aria-label": "working" });
  const parts = [element("p", { role: "status" }, element("strong", {}, job.state === "stopping" ? "Stopping …" : what ? `${what}: ${done} of ${total}` : "Starting …"), ` · ${time}`), bar];
  if (job.state === "running") parts.push(element("div", { class: "actions" }, stop(trouble, look), element("span", { class: "soft" }, job.kind === "run" ? "The run goes on when this page is closed or reloaded. What is finished is kept when you stop it." : "")));
  return parts;
}

/** @param {any} job */
function checked(job) {
  if (job.state === "stopped") return [element("p", { class: "caution" }, "The check was stopped.")];
  const found = job.result ?? {};
  if (found.error) return [element("p", { class: "trouble", role: "alert" }, found.error)];
  const words = /** @type {Record<number, [string, string]>} */ ({ 0: ["good", "Nothing stands in the way."], 1: ["caution", "The study can run; some cases would be left out."], 2: ["serious", "The study cannot run yet."] });
  const [mood, verdict] = words[found.exit_code] ?? ["caution", ""];
  const order = { error: 0, case: 1, note: 2 };
  const problems = [...(found.problems ?? [])].sort((a, b) => order[/** @type {keyof typeof order} */ (a.severity)] - order[/** @type {keyof typeof order} */ (b.severity)]);
  const items = problems.map(one => {
    const text = [one.expected ? `Expected: ${one.expected}.` : "", one.do ? `To do: ${one.do}.` : ""].filter(Boolean).join(" ");
    return element("div", { class: `problem ${one.severity}` }, element("b", {}, [one.where, one.what].filter(Boolean).join(": ")), text);
  });
  const levels = (found.grey_levels ?? []).map((/** @type {any} */ one) => {
    const better = one.bin_width_32 === null || one.bin_width_64 === null ? "" : ` A bin width of ${one.bin_width_32} gives about 32, of ${one.bin_width_64} about 64.`;
    const text = `${one.smallest} to ${one.largest} per lesion, ${one.median} in the middle. ${one.advice ? `${one.advice}.` : ""}${better}`;
    return element("div", { class: `problem ${one.advice ? "case" : "note"}` }, element("b", {}, `Grey levels of ${one.block} (${one.discretisation})`), text);
  });
  return [element("h2", { class: mood, role: "status" }, verdict), element("p", {}, found.summary ?? ""), ...items, ...levels];
}

/** @param {any} job @param {(error: unknown) => void} trouble @param {() => Promise<void>} [resume] */
function ended(job, trouble, resume) {
  const again = element("button", { type: "button" }, "Go on where it stopped");
  again.addEventListener("click", () => {
    again.disabled = true;
    resume?.().catch(trouble);
  });
  if (job.state === "stopped") return [element("h2", { class: "caution", role: "status" }, "Stopped"), element("p", {}, "What is finished is kept."), element("div", { class: "actions" }, ...(resume ? [again] : []))];
  if (job.state === "wrong") return [element("h2", { class: "serious", role: "status" }, "It could not go on"), element("p", { class: "trouble" }, job.result?.error ?? ""), element("div", { class: "actions" }, ...(resume ? [again] : []))];
  const link = element("a", { href: `/results/?run=${encodeURIComponent(job.out)}` }, "Open the report, tables and figures");
  const some = job.code === 1 ? " Some cases were left out by an error; the report lists them." : "";
  return [element("h2", { class: "good", role: "status" }, `The run is finished.${some}`), element("p", {}, link)];
}
