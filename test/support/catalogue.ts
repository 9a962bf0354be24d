// Holds every event that a test records to the catalogue: its type is listed, and its `data` is as the type's schema says.
// Asked whenever a test's transaction is undone (log.ts, actors.ts) and when its database is dropped (database.ts).
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import postgres, { type ISql } from "postgres";

interface Recorded {
  type: string;
  version: number;
  data: unknown;
  tenant_id: string;
}

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
// @ts-ignore: the declaration of its default export is that of CommonJS
addFormats.default(ajv);

const validators = new Map<string, ValidateFunction>();

/** The validator of a schema, as strict as the library can be: unknown keywords are faults. */
export function validatorOf(schema: object): ValidateFunction {
  const key = JSON.stringify(schema);
  const known = validators.get(key);
  if (known) return known;
  const made = ajv.compile(schema);
  validators.set(key, made);
  return made;
}

/**
 * What does not hold, one line an event. What a test or a bench makes up says so, and is none of ours: by its type (`test.…`, `bench.…`),
 * or by a target of kind `test`. Nothing else is left out: an event of ours may well be of nothing (`audit.key_changed`).
 */
export async function catalogueFaults(
  sql: ISql,
  { ofTransaction = false } = {},
): Promise<string[]> {
  const events = await sql<Recorded[]>`
    select distinct on (type, version, data) type, version, data, tenant_id from public.audit_events
     where type !~ '^(test|bench)\\.' and not targets @> '[{"kind": "test"}]'
       and (not ${ofTransaction}::boolean or xid = pg_current_xact_id_if_assigned())
     limit 20000`;
  if (events.length === 0) return [];
  const listed = await sql<{ name: string; version: number; schema: object }[]>`
    select name, version, schema from public.event_types
    union all
    select tenant_id || ' ' || name, version, schema from public.custom_event_types`;
  const known = new Map(listed.map((one) => [one.name, one]));
  return events.flatMap(({ type, version, data, tenant_id }) => {
    const entry = known.get(type.startsWith("custom.") ? `${tenant_id} ${type}` : type);
    if (!entry) return [`${type} is not in the catalogue`];
    if (entry.version !== version) return [`${type} is recorded in version ${version}`];
    const valid = validatorOf(entry.schema);
    return valid(data) ? [] : [`${type} ${JSON.stringify(data)}: ${ajv.errorsText(valid.errors)}`];
  });
}

export class CatalogueError extends Error {
  constructor(faults: string[]) {
    super(`Recorded, and not as the catalogue of events says:\n${faults.join("\n")}`);
  }
}

/** Before a transaction is undone: what it recorded. Goes back to the superuser first; says nothing where there is none, or nothing to be read. */
export async function checkCatalogueOfTransaction(tx: ISql): Promise<void> {
  try {
    await tx`reset role`;
    const [session] = await tx<{ all: boolean; there: boolean }[]>`
      select current_setting('is_superuser')::boolean as all,
             to_regclass('public.custom_event_types') is not null as there`;
    if (!session!.all || !session!.there) return;
    fail(await catalogueFaults(tx, { ofTransaction: true }));
  } catch (error) {
    if (!(error instanceof postgres.PostgresError)) throw error; // the test had its transaction fail
  }
}

/** Before a database is dropped: what was committed there. */
export async function checkCatalogue(sql: ISql): Promise<void> {
  const [database] = await sql<{ there: boolean }[]>`
    select to_regclass('public.custom_event_types') is not null as there`;
  if (database!.there) fail(await catalogueFaults(sql));
}

function fail(faults: string[]): void {
  if (faults.length > 0) throw new CatalogueError(faults);
}
