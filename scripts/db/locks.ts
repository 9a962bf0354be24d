// The advisory locks that are taken, compared with sql/locks.md, where every number stands with its holders.
import { join, relative } from "node:path";
import type { ISql } from "postgres";
import type { Offence } from "./lint.ts";
import { root } from "./paths.ts";

/** `779, 7 private.seal_events`: what sql/locks.md says. */
export function locksLedger(path = join(root, "sql/locks.md")): Set<string> {
  const lines = Deno.readTextFileSync(path).matchAll(/^\| (\d+, \w+) \| ([^|]+) \| .*\S.* \|$/gm);
  return new Set(
    [...lines].flatMap(([, lock, holders]) =>
      [...holders!.matchAll(/`([^`]+)`/g)].map(([, holder]) => `${lock} ${holder}`)
    ),
  );
}

/** What functions in the catalog and in functions/ take. */
async function takenLocks(sql: ISql): Promise<Set<string>> {
  const rows = await sql<{ lock: string }[]>`
    select distinct concat(m[1], ', ', case when m[2] ~ '^\\d+$' then m[2] else 'hash' end, ' ',
        n.nspname, '.', p.proname) as lock
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      cross join regexp_matches(p.prosrc,
        'pg_(?:try_)?advisory_(?:xact_)?lock(?:_shared)?\\(\\s*([^,()]+),\\s*([^,()]+)', 'g') m
     where n.nspname in ('public', 'private')`;
  const inCode = [...sources(join(root, "functions"))].flatMap((path) => {
    const text = Deno.readTextFileSync(path);
    return [...text.matchAll(/advisory_(?:xact_)?lock(?:_shared)?\(\$\{(\w+)\}, hashtext/g)]
      .map(([, name]) => {
        const number = new RegExp(`const ${name} = (\\d+);`).exec(text)?.[1] ?? name;
        return `${number}, hash ${relative(root, path)}`;
      });
  });
  return new Set([...rows.map(({ lock }) => lock), ...inCode]);
}

export async function compareLocks(sql: ISql, ledger = locksLedger()): Promise<Offence[]> {
  const taken = await takenLocks(sql);
  return [
    ...[...taken].filter((lock) => !ledger.has(lock)).map((offender) => ({
      rule: "an advisory lock has a line in sql/locks.md",
      offender,
    })),
    ...[...ledger].filter((lock) => !taken.has(lock)).map((offender) => ({
      rule: "a line of sql/locks.md names a lock that is taken",
      offender,
    })),
  ];
}

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sources(join(folder, name));
    else if (name.endsWith(".ts")) yield join(folder, name);
  }
}
