// A report in a frame that cannot reach the application; a ticket opens it once, and a reload gets a new one.

import { ask, trouble } from "../shared/api.js";
import { byId } from "../shared/forms.js";

const run = new URLSearchParams(location.search).get("run") ?? "";
byId("run").setAttribute("href", `/results/?run=${encodeURIComponent(run)}`);
try {
  byId("frame").setAttribute("src", (await ask("results/ticket", { json: { run, file: "report.html" } })).address);
} catch (error) {
  trouble(error);
}
