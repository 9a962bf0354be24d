/**
 * Every bench, one after the other, as ratios within one run. Wants a quiet machine and Debian's wrk.
 *
 * Usage: `deno task bench [name…]`. Exit: 0 every goal is met, 1 one is not, 2 no such bench.
 */
import { auditedInsert } from "./audited_insert.ts";
import { auditSeal } from "./audit_seal.ts";
import { deadEndpoint } from "./dead_endpoint.ts";
import { drain } from "./drain.ts";
import { latency } from "./latency.ts";
import { listPage } from "./list_page.ts";
import { pages } from "./pages.ts";
import { signIn } from "./sign_in.ts";
import { start } from "./start.ts";
import type { Figure } from "./support.ts";
import { widgetReady } from "./widget_ready.ts";

const benches: Record<string, () => Promise<Figure[]>> = {
  list_page: listPage,
  audited_insert: auditedInsert,
  audit_seal: auditSeal,
  drain,
  latency,
  dead_endpoint: deadEndpoint,
  pages,
  start,
  sign_in: signIn,
  widget_ready: widgetReady,
};

const names = Deno.args.length > 0 ? Deno.args : Object.keys(benches);
const unknown = names.filter((name) => !benches[name]);
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(", ")}: ${Object.keys(benches).join(", ")}`);
  Deno.exit(2);
}

let met = true;
for (const [n, name] of names.entries()) {
  console.error(`[${n + 1}/${names.length}] ${name}`);
  for (const figure of await benches[name]!()) {
    const judged = judge(figure);
    met &&= judged !== false;
    const value = `${figure.value.toPrecision(3)} ${figure.unit}`.padStart(12);
    const goal = figure.goal
      ? `${figure.goal.at === "least" ? "≥" : "≤"} ${figure.goal.value}`.padEnd(7)
      : "       ";
    const mark = judged === undefined ? " " : judged ? "✓" : "✗";
    console.log(
      `${mark} ${value}  ${goal} ${figure.name}${figure.note ? ` (${figure.note})` : ""}`,
    );
  }
}
Deno.exit(met ? 0 : 1);

function judge({ value, goal }: Figure): boolean | undefined {
  if (!goal) return undefined;
  return goal.at === "least" ? value >= goal.value : value <= goal.value;
}
