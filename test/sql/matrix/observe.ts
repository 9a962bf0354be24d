// Asks the database everything at once: for each principal, as its request through the hook, each probe; every effect is undone.
// One round trip, so that a mutant costs tens of milliseconds.
import type { ISql, Sql, TransactionSql } from "postgres";
import type { Principal } from "./cast.ts";

export interface Probe {
  id: string;
  /** `keys`: a select of one text column, answered by its values. `count`: any other statement, answered by the rows it touched. */
  kind: "keys" | "count";
  sql: string;
}

/** What came of one probe: its rows, or `<sqlstate> <message>` (for what we raise ourselves: `PT403 not_allowed`). */
export type Outcome = { keys: string[] } | { count: number } | { refused: string };

export interface Observed {
  /** The role that the hook chose; absent when it refused. */
  role?: string;
  refused?: string;
  outcomes: Record<string, Outcome>;
}

/** Puts the asking function on this connection; `sql` has one connection, as a superuser. */
export async function prepareToObserve(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create function pg_temp.observe(p_principals jsonb, p_probes jsonb) returns jsonb
    language plpgsql as $$
    declare
      v_principal jsonb;
      v_probe jsonb;
      v_all jsonb := '{}';
      v_role text;
      v_outcomes jsonb;
      v_outcome jsonb;
      v_keys text[];
      v_count bigint;
    begin
      for v_principal in select * from jsonb_array_elements(p_principals) loop
        v_role := null;
        v_outcomes := '{}';
        begin
          -- as PostgREST comes: authenticator, then the token's role or anon, then the hook
          perform set_config('session_authorization', 'authenticator', true);
          if (v_principal ->> 'hooked')::boolean then
            perform set_config('request.jwt.claims',
                coalesce(nullif(v_principal -> 'claims', 'null'), '{"role": "anon"}')::text, true),
              set_config('request.headers', (v_principal -> 'headers')::text, true),
              set_config('request.method', 'POST', true),
              set_config('role', 'anon', true);
            perform private.check_request();
          else
            perform set_config('role', v_principal ->> 'role', true);
          end if;
          v_role := current_user;
          for v_probe in select * from jsonb_array_elements(p_probes) loop
            begin
              if v_probe ->> 'kind' = 'keys' then
                execute 'select array_agg(k) from (' || (v_probe ->> 'sql') || ') as x (k)' into v_keys;
                v_outcome := jsonb_build_object('keys', coalesce(to_jsonb(v_keys), '[]'));
              else
                execute v_probe ->> 'sql';
                get diagnostics v_count = row_count;
                v_outcome := jsonb_build_object('count', v_count);
              end if;
              raise exception using errcode = 'UNDO0';
            exception when others then
              if sqlstate <> 'UNDO0' then
                v_outcome := jsonb_build_object('refused', sqlstate || ' ' || sqlerrm);
              end if;
            end;
            v_outcomes := v_outcomes || jsonb_build_object(v_probe ->> 'id', v_outcome);
          end loop;
          raise exception using errcode = 'UNDO0';
        exception when others then
          v_all := v_all || jsonb_build_object(v_principal ->> 'name',
            case when sqlstate = 'UNDO0' then jsonb_build_object('role', v_role, 'outcomes', v_outcomes)
              else jsonb_build_object('refused', sqlstate || ' ' || sqlerrm, 'outcomes', '{}'::jsonb) end);
        end;
      end loop;
      return v_all;
    end;
    $$`);
}

/** By the principal's name. */
export async function observe(
  sql: ISql,
  principals: Principal[],
  probes: Probe[],
): Promise<Record<string, Observed>> {
  const [row] = await sql<{ seen: Record<string, Observed> }[]>`
    select pg_temp.observe(${JSON.stringify(principals)}::text::jsonb,
      ${JSON.stringify(probes)}::text::jsonb) as seen`;
  return row!.seen;
}

/** A transaction whose effects nobody sees. */
export async function undone<T>(sql: Sql, fn: (tx: TransactionSql) => Promise<T>): Promise<T> {
  let result: { value: T } | undefined;
  await sql.begin(async (tx) => {
    result = { value: await fn(tx) };
    throw undo;
  }).catch((error) => {
    if (error !== undo) throw error;
  });
  return result!.value;
}

const undo = Symbol("undo");
