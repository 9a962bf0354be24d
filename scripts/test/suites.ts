// The suites, in the order they run: the quick ones first.
// Next: run_suite.ts (runs one and counts).

export type Suite =
  /** Each command is one test. */
  | { name: string; commands: { title: string; deno: string[] }[] }
  /** A folder of Deno tests. */
  | {
    name: string;
    folder: string;
    /** Words in front of `deno`. */
    before?: string[];
    /** Its files need nothing from each other. */
    parallel?: boolean;
    /** It gets the run's test databases (test/support/postgres.ts). */
    databases?: boolean;
  };

export const gate: Suite = {
  name: "format, lint, types",
  commands: [
    { title: "deno fmt", deno: ["fmt", "--check", "--quiet"] },
    { title: "deno lint", deno: ["lint", "--quiet"] },
    { title: "deno check", deno: ["check", "--quiet"] },
  ],
};

export const unit: Suite = { name: "unit", folder: "test/unit", parallel: true };
/** Who may what, and the lint of the catalog. */
export const sql: Suite = { name: "sql", folder: "test/sql", databases: true };
export const integration: Suite = {
  name: "integration",
  folder: "test/integration",
  databases: true,
};
/** The adapter's contract, against the double or what ZITADEL_URL names. */
export const contract: Suite = { name: "contract", folder: "test/contract", databases: true };
/** Real pages in a real browser, on a machine without a way out: a packet that tries fails the suite. */
export const e2e: Suite = { name: "e2e", folder: "test/e2e", before: ["test/e2e/egress.sh"] };

/** Suites that run at the same time as others: each lane is a list of suites, one after the other. */
export type Stage = Suite[][];

export const quick: Stage[] = [[[gate]], [[unit]], [[sql]]];
/** In turn: integration and e2e restart what they kill, at the same ports and within seconds, so nothing heavy runs beside them. */
export const all: Stage[] = [...quick, [[integration]], [[contract]], [[e2e]]];
