// A worker process with part of the work. Usage: worker_child.ts DATABASE_URL notes|deliveries|sinks|mails
// All but the list of tasks is the real worker; `note` only sleeps and writes down that it ran.
import { z } from "zod";
import { task } from "../../functions/_worker/task.ts";
import audit__fan_out from "../../functions/_worker/tasks/audit__fan_out.ts";
import audit__sequence from "../../functions/_worker/tasks/audit__sequence.ts";
import audit_sinks__find_due from "../../functions/_worker/tasks/audit_sinks__find_due.ts";
import endpoint__pump from "../../functions/_worker/tasks/endpoint__pump.ts";
import endpoints__find_due from "../../functions/_worker/tasks/endpoints__find_due.ts";
import mail__send from "../../functions/_worker/tasks/mail__send.ts";
import { runWorker } from "../../functions/_worker/worker.ts";

const [databaseUrl, part] = Deno.args;

const note = task(
  z.strictObject({ n: z.int(), ms: z.int() }),
  async ({ n, ms }, { sql }) => {
    await sql`insert into runs (n, began) values (${n}, clock_timestamp())`;
    await new Promise((resolve) => setTimeout(resolve, ms));
    await sql`update runs set ended = clock_timestamp() where n = ${n} and ended is null`;
  },
);

const parts = {
  deliveries: {
    pools: [{ name: "deliveries", concurrency: 100, tasks: { endpoint__pump } }],
    loops: [{ name: "endpoints__find_due", everyMs: 100, task: endpoints__find_due }],
  },
  sinks: {
    pools: [{ name: "sinks", concurrency: 50, tasks: { audit__fan_out } }],
    loops: [
      { name: "audit__sequence", everyMs: 250, task: audit__sequence },
      { name: "audit_sinks__find_due", everyMs: 200, task: audit_sinks__find_due },
    ],
  },
  mails: { pools: [{ name: "mails", concurrency: 10, tasks: { mail__send } }], loops: [] },
  notes: { pools: [{ name: "notes", concurrency: 10, tasks: { note } }], loops: [] },
};

await runWorker({
  databaseUrl: databaseUrl!,
  listen: { hostname: "127.0.0.1", port: 0 },
  ...parts[part as keyof typeof parts],
  graceMs: 5_000,
});
