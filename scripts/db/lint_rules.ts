// Each rule is a query whose column `offender` names what breaks it. Schemas of ours: public and private.
// What is allowed against a rule stands beside it with its reason; nothing is allowed by being old.

/** Functions and tables of ours, without those of extensions and without partitions (their parent answers for them). */
const functions = `pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname in ('public', 'private') and p.prokind in ('f', 'p')
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`;
const tables = `pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('public', 'private') and c.relkind in ('r', 'p') and not c.relispartition`;

/** Columns that may hold no tenant: unique in the world, or no tenant's. Constraint or index → why. */
const worldly: Record<string, string> = {
  tenants_pkey: "the tenant itself",
  tenant_slug_taken: "stands in addresses",
  tenants_organization_id_key: "ZITADEL's ids are unique in the world",
  tenants_project_id_key: "ZITADEL's ids are unique in the world",
  domain_verified_elsewhere: "a proven domain belongs to one tenant in the world",
  users_pkey: "users are global: platform staff has no tenant",
  user_subject_taken: "users are global by (issuer, subject)",
  service_account_subject_taken: "a subject of an issuer is one machine user in the world",
  apps_client_id_key: "ZITADEL's ids are unique in the world",
  providers_idp_id_key: "ZITADEL's ids are unique in the world",
  audit_sequence_pkey: "one order over all tenants: that is its purpose",
  clients_pkey: "a token names its client, not yet a tenant",
  provisioning_leases_pkey: "one row a tenant",
  zitadel_sessions_pkey: "ZITADEL's ids are unique in the world; no tenant is known yet",
};

/** Foreign keys that leave their tenant. */
const worldlyReferences: Record<string, string> = {
  assignments_user_id_fkey: "users are global",
  assignments_role_key_fkey: "roles are the product's",
  sign_in_sessions_user_id_fkey: "users are global",
  users_home_tenant_id_fkey: "users are global; this is the tenant",
};

/** Tables of public whose changes are not recorded. */
const ungoverned: Record<string, string> = {
  audit_events: "is the log",
  provisioning_steps: "their outcome is (tenant.activated, app.activated)",
  sign_in_sessions: "written from events that are recorded as user.signed_in and user.signed_out",
  webhook_endpoint_states: "written by the worker; what ends in disabling is recorded",
  widget_config_versions: "publishing is recorded as widget_config.published, with the hash",
  webhook_deliveries: "their event is the record",
  webhook_attempts: "their event is the record",
};

/** What anybody may do without signing in. */
const anonymous: Record<string, string> = {
  "schema public": "holds what may be called",
  "schema private": "holds the hook",
  "function public.whoami()": "answers «anonymous»",
  "function private.check_request()": "the hook",
  "function private.authenticate(jsonb,text,text)": "called by the hook, which is an invoker",
  "function private.request_header(text)": "called by the hook, which is an invoker",
};

/** Sealed rows that are gone before a former key is. */
const shortLived: Record<string, string> = {
  mails: "emptied when it is sent or runs out, and under a key of its own",
};

/** What the lists above name, as they are found in a catalog: an exception that nothing needs any more is to go. */
export const exceptions = {
  names: [worldly, worldlyReferences, ungoverned, anonymous, shortLived].flatMap((one) =>
    Object.keys(one)
  ),
  query: `
    select relname::text as name from pg_class
    union all select conname from pg_constraint
    union all select 'schema ' || nspname from pg_namespace
    union all
    select 'function ' || n.nspname || '.' || p.proname || '('
        || replace(oidvectortypes(p.proargtypes), ', ', ',') || ')'
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace`,
};

const list = (names: Record<string, string>) =>
  Object.keys(names).map((name) => `'${name}'`).join(", ");

export const catalogRules: Record<string, string> = {
  "a function sets search_path = ''": `
    select p.oid::regprocedure as offender from ${functions}
       and not coalesce(p.proconfig, '{}') @> array['search_path=""']`,

  "a function has a comment": `
    select p.oid::regprocedure as offender from ${functions}
       and obj_description(p.oid, 'pg_proc') is null`,

  // the text of a trigger or of a writing function says volatile; what was forgotten reads tables and writes nothing
  "a function that writes nothing is not volatile": `
    select p.oid::regprocedure as offender from ${functions}
       and p.provolatile = 'v' and p.prorettype <> 'trigger'::regtype
       and p.prosrc !~* '\\m(insert|update|delete|execute|perform|raise|set_config|pg_notify|pg_advisory|pg_try_advisory|clock_timestamp|random|gen_random_uuid|pg_current_snapshot)\\M'
       and not exists ( -- nor calls what does
         select from pg_proc q join pg_namespace m on m.oid = q.pronamespace
          where m.nspname in ('private', 'graphile_worker') and q.provolatile = 'v' and q.oid <> p.oid
            and p.prosrc ~ (m.nspname || '\\.' || q.proname || '\\M'))`,

  "a function that writes says volatile": `
    select p.oid::regprocedure as offender from ${functions}
       and p.provolatile <> 'v' and p.prosrc ~* '\\m(insert into|update (public|private)\\.|delete from)\\M'`,

  "a definer's comment says why it is one": `
    select p.oid::regprocedure as offender from ${functions}
       and p.prosecdef and coalesce(obj_description(p.oid, 'pg_proc'), '') !~ 'Definer: '`,

  "a trigger function is named tg_*": `
    select p.oid::regprocedure as offender from ${functions}
       and (p.prorettype = 'trigger'::regtype) <> (p.proname like 'tg\\_%')`,

  "a table has a comment": `
    select c.oid::regclass as offender from ${tables} and obj_description(c.oid, 'pg_class') is null`,

  "a column of state has a comment": `
    select c.oid::regclass || '.' || a.attname as offender
      from pg_attribute a join (select c.oid from ${tables}) c on c.oid = a.attrelid
     where a.attname in ('state', 'status') and not a.attisdropped
       and col_description(a.attrelid, a.attnum) is null`,

  "a table of public has row level security": `
    select c.oid::regclass as offender from ${tables} and n.nspname = 'public' and not c.relrowsecurity`,

  "a policy is named <table>_<command>_<who>": `
    select p.polrelid::regclass || ': ' || p.polname as offender
      from pg_policy p join pg_class c on c.oid = p.polrelid
     where c.relnamespace = 'public'::regnamespace
       and p.polname !~ ('^' || c.relname || '_' || case p.polcmd when 'r' then 'select'
         when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end || '_[a-z]+$')`,

  "a policy names roles": `
    select p.polrelid::regclass || ': ' || p.polname as offender from pg_policy p where 0 = any (p.polroles)`,

  "an update policy checks the new row too": `
    select p.polrelid::regclass || ': ' || p.polname as offender from pg_policy p
     where p.polcmd in ('w', '*') and p.polwithcheck is null`,

  "a table with sealed rows is walked when the key changes": `
    select c.oid::regclass as offender from (select c.oid, c.relname from ${tables}) c
      join pg_attribute a on a.attrelid = c.oid
     where a.attname = 'ciphertext' and not a.attisdropped
       and c.relname not in (select name from private.sealed_tables())
       and c.relname not in (${list(shortLived)})`,

  "a primary or unique key starts with tenant_id": `
    select c.oid::regclass || ': ' || i.indexrelid::regclass::text as offender
      from (select c.oid from ${tables}) c join pg_index i on i.indrelid = c.oid
      join pg_class x on x.oid = i.indexrelid
      join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
     where i.indisunique and a.attname <> 'tenant_id'
       and exists (select from pg_attribute t where t.attrelid = c.oid and t.attname in ('tenant_id', 'home_tenant_id', 'organization_id'))
       and x.relname not in (${list(worldly)})`,

  "a foreign key carries tenant_id": `
    select f.conrelid::regclass || ': ' || f.conname as offender
      from pg_constraint f
      join pg_class c on c.oid = f.conrelid
      join pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[1]
     where f.contype = 'f' and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
       and exists (select from pg_attribute t where t.attrelid = c.oid and t.attname in ('tenant_id', 'home_tenant_id'))
       and a.attname <> 'tenant_id' and f.conname not in (${list(worldlyReferences)})`,

  "a foreign key has an index": `
    select f.conrelid::regclass || ': ' || f.conname as offender
      from pg_constraint f join pg_class c on c.oid = f.conrelid
     where f.contype = 'f' and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
       and not exists (
         select from pg_index i
          where i.indrelid = f.conrelid and i.indpred is null
            and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey
            and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] <@ f.conkey)`,

  "a governed table records its changes, always": `
    select c.oid::regclass as offender from ${tables} and n.nspname = 'public'
       and c.relname not in (${list(ungoverned)})
       and not exists (
         select from pg_trigger t where t.tgrelid = c.oid and t.tgname = '_500_record' and t.tgenabled = 'A'
            and t.tgtype & 1 = 1 and t.tgtype & 2 = 0 and t.tgtype & 4 = 4 and t.tgtype & 8 = 8)`,

  // a trigger that only fills in may rest while a replica replays; one that records or notes work may not
  "a trigger from _500 on is enabled always": `
    select t.tgrelid::regclass || ': ' || t.tgname as offender
      from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where not t.tgisinternal and t.tgname >= '_500' and t.tgenabled <> 'A'
       and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
       and not exists ( -- a statement's word to PostgREST
         select from pg_proc p where p.oid = t.tgfoid and p.proname = 'tg_verification_keys__reload')`,

  "a trigger's name begins with its order": `
    select t.tgrelid::regclass || ': ' || t.tgname as offender
      from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where not t.tgisinternal and t.tgname !~ '^_[1-9][0-9]{2}_[a-z_]+$'
       and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)`,

  "nothing is granted to public, anon or service_role": `
    with acl as (
      select case c.relkind when 'S' then 'sequence ' else 'table ' end || c.oid::regclass as thing, a.*
        from pg_class c join pg_namespace n on n.oid = c.relnamespace,
             aclexplode(coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))) a
       where n.nspname in ('public', 'private') and c.relkind in ('r', 'p', 'v', 'm', 'S')
      union all
      select 'column ' || t.attrelid::regclass || '.' || t.attname, a.*
        from pg_attribute t join pg_class c on c.oid = t.attrelid
        join pg_namespace n on n.oid = c.relnamespace, aclexplode(t.attacl) a
       where n.nspname in ('public', 'private')
      union all
      select 'function ' || n.nspname || '.' || p.proname || '(' || replace(oidvectortypes(p.proargtypes), ', ', ',') || ')', a.*
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
             aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
       where n.nspname in ('public', 'private')
         and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
      union all
      select 'schema ' || n.nspname, a.*
        from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
       where n.nspname in ('private', 'graphile_worker')
          or n.nspname = 'public' and a.privilege_type <> 'USAGE'
    )
    select thing || ': ' || string_agg(privilege_type, ', ' order by privilege_type) || ' to '
        || case grantee when 0 then 'public' else grantee::regrole::text end as offender
      from acl
     where (grantee = 0 or grantee in ('anon'::regrole, 'service_role'::regrole))
       and not (thing in (${list(anonymous)}) and grantee <> 0
         and (grantee = 'anon'::regrole or thing ~ '(schema private|check_request|authenticate|request_header)'))
     group by thing, grantee`,

  "insert and update are granted by column": `
    select c.oid::regclass || ': ' || a.privilege_type || ' to ' || a.grantee::regrole as offender
      from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
     where n.nspname in ('public', 'private') and a.privilege_type in ('INSERT', 'UPDATE') and a.grantee <> c.relowner`,

  "nobody but the owner may truncate, reference or set triggers": `
    select c.oid::regclass || ': ' || a.privilege_type || ' to '
        || case a.grantee when 0 then 'public' else a.grantee::regrole::text end as offender
      from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
     where n.nspname in ('public', 'private', 'graphile_worker')
       and a.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN') and a.grantee <> c.relowner`,

  "no HTTP role holds a table of private or of the queue": `
    select c.oid::regclass || ': ' || a.privilege_type || ' to ' || a.grantee::regrole as offender
      from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
     where n.nspname in ('private', 'graphile_worker') and a.grantee in (
       select oid from pg_roles where rolname in ('anon', 'authenticated', 'gatehouse_platform', 'service_role', 'authenticator', 'gatehouse_functions'))`,

  "a moment is a timestamptz and ends in _at, _until or _after": `
    select c.oid::regclass || '.' || a.attname as offender
      from pg_attribute a join (select c.oid from ${tables}) c on c.oid = a.attrelid
     where a.attnum > 0 and not a.attisdropped and (
       a.atttypid in ('timestamp'::regtype, 'timetz'::regtype)
       or a.atttypid = 'timestamptz'::regtype and a.attname !~ '_(at|until|after)$' and a.attname <> 'position')`,
};
