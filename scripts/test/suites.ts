// The suites, and what each asks for. Next: runs.ts (the processes of a suite), pool.ts (several at a time).

export interface Suite {
  name: string;
  /** Each is one test: a title and what Deno is asked to do. */
  commands?: Record<string, string[]>;
  /** Of Deno tests: each file is a process of its own. */
  folder?: string;
  /** One process for the whole folder, since a file takes less than a process. */
  together?: boolean;
  /** Words in front of `deno`. */
  before?: string[];
  /** It gets the run's test databases (test/support/postgres.ts). */
  databases?: boolean;
  /** Files that hold the product to a time or a rate: they come last, and each has a processor to itself. */
  timed?: string[];
}

const gate: Suite = {
  name: "gate",
  commands: {
    format: ["fmt", "--check", "--quiet"],
    lint: ["lint", "--quiet"],
    types: ["check", "--quiet"],
  },
};
const unit: Suite = { name: "unit", folder: "test/unit", together: true };
/** Who may what, and the lint of the catalog. */
const sql: Suite = { name: "sql", folder: "test/sql", databases: true };
const integration: Suite = {
  name: "integration",
  folder: "test/integration",
  databases: true,
  timed: [
    "audit_seal.test.ts",
    "deliveries.test.ts",
    "deliveries_features.test.ts",
    "deliveries_order.test.ts",
    "deliveries_rate.test.ts",
    "sinks.test.ts",
    "worker_queue.test.ts",
  ],
};
/** The adapter's contract, against the double or what ZITADEL_URL names. */
const contract: Suite = { name: "contract", folder: "test/contract", databases: true };
/** Real pages in a real browser, on a machine without a way out: a packet that tries fails the suite. */
const e2e: Suite = { name: "e2e", folder: "test/e2e", before: ["test/e2e/egress.sh"] };

export const quick = [gate, unit, sql];
/** In the order they begin: what fails at once, then the longest files, so that short ones fill the end. */
export const all = [gate, unit, e2e, integration, sql, contract];
