// Who may what: one line a table, one line a function. Read it as the documentation of policies/; matrix.test.ts holds the database to it.
// A line says who reaches rows of which tenant (A and E active, S suspended, P the platform); who is not named reaches none.
// Every line is held by holders of single rights too: `right` is what reading or writing takes, no more and no less.
import { backends, dead, downloads, endpoints, looks, refused, robots, sinks } from "./seed.ts";
import { bystanders, type Label, tenants } from "./cast.ts";

/** `alice bob: A; pat: A E`: names as in cast.ts, then the tenants; `all` for what belongs to none. */
export type Who = string;

// Everybody who holds a role in a tenant. alice/app and pat/app hold the same and come through an application: its ceiling leaves them nothing.
// max is a member of A and administers E: what he may in one he may not in the other.
const members =
  "alice alice@A bob audrey sam dora@A max@A pat@A olive@A: A; eve: E; dora max: A E; " +
  "sue pat@S: S";
const readers = "alice alice@A audrey dora@A pat@A olive@A: A; eve max: E; dora: A E; sue pat@S: S";
// sue administers a suspended tenant: she reads and does not write; platform staff do.
const writers = "alice alice@A dora@A pat@A: A; eve max: E; dora: A E; pat@S: S";
const staff = { read: "pat olive: A E S P", write: "pat: A E S P" };
const signedIn =
  "mallory visitor bob audrey alice alice@A alice/app sam eve sue dora dora@A max max@A pat pat@A pat@S " +
  "pat/app olive olive@A";
const catalogue =
  `${signedIn} authenticated-without-the-hook gatehouse_platform-without-the-hook: all`;

export interface TableLine {
  /** Of a view, which has none of its own: an expression of text. */
  key?: string;
  /** Whose a row is. Default `tenant_id`. `all`: nobody's. */
  owner?: string;
  /** Rows that are there and nobody's to see or reach: a condition. */
  but?: string;
  /** The column of the person whose own the row is: seen whatever rights there are. */
  own?: string;
  /** What reading and writing take. */
  right: { read?: string; write?: string };
  read: Who;
  insert?: Who;
  update?: Who;
  delete?: Who;
  /** `verb` or `verb: columns` or `verb but: columns`, by role; nobody else holds anything. */
  grants: { authenticated?: string; gatehouse_platform?: string; both?: string };
  /** Statements to try, without a where: what row level security leaves is what they reach. */
  try?: { insert?: (label: Label) => string; update?: string };
}

const all = "all";
const reads = (read: string, who: Who, grants = "select"): TableLine => ({
  right: { read },
  read: `${who}; ${staff.read}`,
  grants: { both: grants },
});

export const tables: Record<string, TableLine> = {
  tenants: {
    owner: "id",
    right: { read: "tenants.read", write: "tenants.write" },
    read: `${members}; ${staff.read}`,
    insert: "pat: all",
    update: `${writers}; ${staff.write}`,
    grants: {
      authenticated: "select; update: name branding personal_retention_days",
      gatehouse_platform: "select; insert: slug name plan branding admin_email admin_given_name " +
        "admin_family_name; update: name plan branding personal_retention_days admin_email " +
        "admin_given_name admin_family_name",
    },
    try: {
      insert: () => "insert into public.tenants (slug, name) values ('probe', 'Probe')",
      update: `update public.tenants set branding = '{"a": 1}'`,
    },
  },
  tenant_domains: {
    right: { read: "tenants.read", write: "tenants.write" },
    read: `${members}; ${staff.read}`,
    insert: `${writers}; ${staff.write}`,
    delete: `${writers}; ${staff.write}`,
    grants: { both: "select; insert: tenant_id name verification; delete" },
    try: {
      insert: (label) =>
        `insert into public.tenant_domains (tenant_id, name) values ('${
          tenants[label]
        }', 'new.example')`,
    },
  },
  subscriptions: {
    right: { read: "tenants.read", write: "tenants.write" },
    read: `${members}; ${staff.read}`,
    insert: staff.write,
    update: staff.write,
    grants: {
      authenticated: "select",
      gatehouse_platform:
        "select; insert: tenant_id plan starts_at ends_at; update: plan starts_at ends_at",
    },
    try: {
      insert: (label) =>
        `insert into public.subscriptions (tenant_id, plan, starts_at, ends_at)
         values ('${tenants[label]}', 'gold', now() - interval '2 days', now() - interval '1 day')`,
      update: "update public.subscriptions set plan = 'gold'",
    },
  },
  provisioning_steps: reads("tenants.read", members),
  users: {
    owner: "home_tenant_id",
    own: "id",
    right: { read: "users.read" },
    read: `${readers}; ${staff.read}`,
    grants: { both: "select" },
  },
  rights: { owner: all, right: {}, read: catalogue, grants: { both: "select" } },
  roles: { owner: all, right: {}, read: catalogue, grants: { both: "select" } },
  role_rights: { owner: all, right: {}, read: catalogue, grants: { both: "select" } },
  assignments: {
    right: { read: "access.read", write: "access.write" },
    read: `${readers}; ${staff.read}`,
    insert: `${writers}; ${staff.write}`,
    delete: `${writers}; ${staff.write}`,
    grants: { both: "select; insert: tenant_id user_id service_account_id role_key; delete" },
    try: {
      insert: (label) =>
        `insert into public.assignments (tenant_id, service_account_id, role_key)
         values ('${tenants[label]}', '${robots[label]}', '${
          label === "P" ? "platform_auditor" : "auditor"
        }')`,
    },
  },
  service_accounts: {
    right: { read: "access.read", write: "access.write" },
    read: `${readers}; ${staff.read}`,
    insert: `${writers}; ${staff.write}`,
    update: `${writers}; ${staff.write}`,
    grants: { both: "select; insert: tenant_id name enabled; update: name enabled" },
    try: {
      insert: (label) =>
        `insert into public.service_accounts (tenant_id, name) values ('${tenants[label]}', 'new')`,
      update: "update public.service_accounts set enabled = true",
    },
  },
  sign_in_sessions: { ...reads("users.read", readers), own: "user_id" },
  audit_events: reads("audit.read", readers),
  legal_holds: reads("audit.read", readers),
  custom_event_types: {
    right: { read: "events.read", write: "events.write" },
    read: `${readers}; ${staff.read}`,
    insert: `${writers}; ${staff.write}`,
    update: `${writers}; ${staff.write}`,
    grants: {
      both: "select; insert: tenant_id name description schema; update: description schema",
    },
    try: {
      insert: (label) =>
        `insert into public.custom_event_types (tenant_id, name, schema)
         values ('${tenants[label]}', 'custom.new', '{}')`,
      update: "update public.custom_event_types set description = 'new'",
    },
  },
  event_types: { owner: all, right: {}, read: catalogue, grants: { both: "select" } },
  apps: {
    right: { read: "apps.read", write: "apps.write" },
    read: `${members}; ${staff.read}`,
    insert: `${writers}; ${staff.write}`,
    update: `${writers}; ${staff.write}`,
    grants: {
      both: "select; insert: tenant_id name kind redirect_uris post_logout_uris enabled " +
        "inline_enabled; update: name redirect_uris post_logout_uris enabled inline_enabled",
    },
    try: {
      insert: (label) =>
        `insert into public.apps (tenant_id, name) values ('${tenants[label]}', 'new')`,
      update: "update public.apps set enabled = true",
    },
  },
  providers: {
    right: { read: "providers.read", write: "providers.write" },
    read: `${readers}; ${staff.read}`,
    insert: `${writers}; ${staff.write}`,
    update: `${writers}; ${staff.write}`,
    delete: `${writers}; ${staff.write}`,
    grants: {
      both: "select; delete; insert: tenant_id name kind settings linking_allowed " +
        "creation_allowed auto_creation auto_update auto_linking domains enabled; " +
        "update: name settings linking_allowed creation_allowed auto_creation auto_update " +
        "auto_linking domains enabled",
    },
    try: {
      insert: (label) =>
        `insert into public.providers (tenant_id, name, kind) values ('${
          tenants[label]
        }', 'new', 'saml')`,
      update: "update public.providers set enabled = false",
    },
  },
  widget_configs: {
    right: { read: "widgets.read", write: "widgets.write" },
    read: `${readers}; ${staff.read}`,
    insert: `${writers}; ${staff.write}`,
    update: `${writers}; ${staff.write}`,
    delete: `${writers}; ${staff.write}`,
    grants: {
      both: "select; insert: tenant_id app_id theme layout logo_hash flows texts languages " +
        "terms_url privacy_url; update: theme layout logo_hash flows texts languages terms_url " +
        "privacy_url; delete",
    },
    try: {
      insert: (label) =>
        `insert into public.widget_configs (tenant_id, app_id) values ('${tenants[label]}', '${
          backends[label]
        }')`,
      update: "update public.widget_configs set layout = 'plain'",
    },
  },
  widget_config_versions: reads("widgets.read", readers),
  widget_logos: {
    right: { read: "widgets.read", write: "widgets.write" },
    read: `${readers}; ${staff.read}`,
    insert: `${writers}; ${staff.write}`,
    delete: `${writers}; ${staff.write}`,
    grants: { both: "select; insert: tenant_id bytes; delete" },
    try: {
      insert: (label) =>
        `insert into public.widget_logos (tenant_id, bytes) values ('${
          tenants[label]
        }', '<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>')`,
    },
  },
  audit_sinks: {
    right: { read: "audit.read", write: "audit.write" },
    read: `${readers}; ${staff.read}`,
    update: `${writers}; ${staff.write}`,
    grants: { both: "select; update: name enabled" },
    try: { update: "update public.audit_sinks set enabled = false" },
  },
  audit_exports: reads("audit.read", readers),
  webhook_endpoints: {
    but: "removed_at is not null",
    right: { read: "webhooks.read", write: "webhooks.write" },
    read: `${readers}; ${staff.read}`,
    update: `${writers}; ${staff.write}`,
    grants: {
      both: "select; update: description event_types enabled disabled_reason retry_schedule " +
        "ordering rate_per_second payload_filter",
    },
    try: { update: "update public.webhook_endpoints set description = 'new'" },
  },
  webhook_endpoint_states: reads("webhooks.read", readers),
  webhook_deliveries: reads("webhooks.read", readers),
  webhook_attempts: reads("webhooks.read", readers),
  webhook_attempt_log: {
    ...reads("webhooks.read", readers),
    key: "delivery_id::text || '/' || number",
  },
  webhook_endpoint_statistics: {
    ...reads("webhooks.read", readers),
    key: "endpoint_id::text || '/' || period",
  },
  dead_letters: { ...reads("webhooks.read", readers), key: "id::text" },
  settings: {
    owner: all,
    right: { read: "settings.read", write: "settings.write" },
    read: "pat olive: all",
    update: "pat: all",
    grants: { gatehouse_platform: "select; update: value" },
    try: { update: "update public.settings set value = 'null'" },
  },
};

export interface FunctionLine {
  /** With its argument types, as Postgres writes them. */
  name: string;
  /** The roles that may call at all; others get 42501. */
  roles: string;
  call: (label: Label) => string;
  /** The tenants to try it on. Default all four. `all`: once. */
  on?: string;
  right?: string;
  /** For whom it works, and on what. */
  works: Who;
  /** What everybody else gets who may call. */
  otherwise?: string;
}

const people = "authenticated gatehouse_platform";
const notAllowed = "PT403 not_allowed";
const inTenant = (right: string, works = `${writers}; ${staff.write}`) => ({
  roles: people,
  right,
  works,
  otherwise: notAllowed,
});

export const functions: FunctionLine[] = [
  {
    name: "whoami()",
    roles: `anon ${people}`,
    call: () => "select public.whoami()",
    on: all,
    works: `anon ${catalogue}`,
  },
  {
    name: "start_session()",
    roles: people,
    call: () => "select public.start_session()",
    on: all,
    works: `${signedIn.replace(" sam", "")}: all`, // a service has no session
    otherwise: "PT403 not_a_person",
  },
  { // oneself
    name: "sign_out_everywhere(uuid)",
    roles: people,
    call: () => "select public.sign_out_everywhere()",
    on: all,
    works: `${signedIn.replace("mallory ", "").replace(" sam", "")}: all`,
    otherwise: notAllowed,
  },
  { // somebody else
    name: "sign_out_everywhere(uuid)",
    ...inTenant("users.write"),
    call: (label) => `select public.sign_out_everywhere('${bystanders[label].id}')`,
  },
  {
    name: "erase_person(uuid)",
    ...inTenant("users.write"),
    call: (label) => `select public.erase_person('${bystanders[label].id}')`,
  },
  { // oneself
    name: "export_person(uuid)",
    roles: people,
    call: () => "select public.export_person(private.current_user_id())",
    on: all,
    works: `${signedIn.replace("mallory ", "").replace(" sam", "")}: all`,
    otherwise: notAllowed,
  },
  { // somebody else
    name: "export_person(uuid)",
    ...inTenant("users.write"),
    call: (label) => `select public.export_person('${bystanders[label].id}')`,
  },
  {
    name: "place_legal_hold(uuid,text)",
    roles: "gatehouse_platform",
    right: "tenants.write",
    call: (label) => `select public.place_legal_hold('${tenants[label]}', 'a case')`,
    works: "pat: A E S P",
    otherwise: notAllowed,
  },
  {
    name: "lift_legal_hold(uuid)",
    roles: "gatehouse_platform",
    right: "tenants.write",
    call: (label) =>
      `select public.lift_legal_hold((public.place_legal_hold('${
        tenants[label]
      }', 'a case')).tenant_id)`,
    works: "pat: A E S P",
    otherwise: notAllowed,
  },
  {
    name: "list_events(uuid,bigint,integer,text[])",
    ...inTenant("audit.read", `${readers}; ${staff.read}`),
    call: (label) => `select public.list_events('${tenants[label]}')`,
  },
  {
    name: "verify_audit(uuid,bigint,bigint)",
    ...inTenant("audit.read", `${readers}; ${staff.read}`),
    call: (label) => `select public.verify_audit('${tenants[label]}')`,
  },
  { // of a row made up: whoever asks, the right is asked for
    name: "personal_values(audit_events)",
    ...inTenant("audit.read", `${readers}; ${staff.read}`),
    call: (label) =>
      `select public.personal_values(jsonb_populate_record(null::public.audit_events, '{"tenant_id": "${
        tenants[label]
      }", "personal": {}}'))`,
  },
  {
    name: "audit_lag()",
    roles: "gatehouse_platform",
    right: "audit.read",
    call: () => "select public.audit_lag()",
    on: all,
    works: "pat olive: all",
    otherwise: notAllowed,
  },
  {
    name: "egress_allowlist()",
    roles: "gatehouse_platform",
    right: "settings.read",
    call: () => "select public.egress_allowlist()",
    on: all,
    works: "pat olive: all",
    otherwise: notAllowed,
  },
  {
    name: "create_tenant(text,text,text,jsonb,jsonb)",
    roles: "gatehouse_platform",
    right: "tenants.read tenants.write", // both: it hands the row back
    call: () => "select public.create_tenant('probe', 'Probe')",
    on: all,
    works: "pat: all",
    otherwise: '42501 new row violates row-level security policy for table "tenants"',
  },
  {
    name: "reconcile_tenant(uuid)",
    ...inTenant("tenants.write"),
    call: (label) => `select public.reconcile_tenant('${tenants[label]}')`,
  },
  {
    name: "suspend_tenant(uuid)",
    ...inTenant("tenants.write", "pat: A"),
    roles: "gatehouse_platform",
    call: (label) => `select public.suspend_tenant('${tenants[label]}')`,
    on: "A P", // the platform cannot be suspended
  },
  {
    name: "resume_tenant(uuid)",
    ...inTenant("tenants.write", "pat: S"),
    roles: "gatehouse_platform",
    call: (label) => `select public.resume_tenant('${tenants[label]}')`,
    on: "S P",
  },
  {
    name: "archive_tenant(uuid)",
    ...inTenant("tenants.write", "pat: A S"),
    roles: "gatehouse_platform",
    call: (label) => `select public.archive_tenant('${tenants[label]}')`,
    on: "A S P",
  },
  {
    name: "rewind_audit_sink(uuid,uuid,timestamp with time zone)",
    ...inTenant("audit.write"),
    call: (label) =>
      `select public.rewind_audit_sink('${tenants[label]}', '${sinks[label]}', now())`,
  },
  {
    name: "skip_audit_sink_event(uuid,uuid,bigint)",
    ...inTenant("audit.write"),
    call: (label) =>
      `select public.skip_audit_sink_event('${tenants[label]}', '${sinks[label]}', ${refused.seq})`,
  },
  {
    name:
      "request_audit_export(uuid,timestamp with time zone,timestamp with time zone,text,text[],text,text)",
    ...inTenant("audit.read", `${readers}; ${staff.read}`),
    call: (label) => `select public.request_audit_export('${tenants[label]}')`,
  },
  {
    name: "private.open_audit_export(uuid)",
    ...inTenant("audit.read", `${readers}; ${staff.read}`),
    otherwise: "PT404 export_not_found",
    call: (label) => `select private.open_audit_export('${downloads[label]}')`,
  },
  {
    name: "sink_lag(audit_sinks)",
    ...inTenant("audit.read", `${readers}; ${staff.read}`),
    call: (label) =>
      `select public.sink_lag(jsonb_populate_record(null::public.audit_sinks,
         '{"tenant_id": "${tenants[label]}", "cursor_seq": 0}'))`,
  },
  {
    name: "replay_delivery(uuid,uuid)",
    ...inTenant("webhooks.write"),
    call: (label) => `select public.replay_delivery('${tenants[label]}', '${dead[label]}')`,
  },
  {
    name:
      "replay_deliveries(uuid,uuid,text[],timestamp with time zone,timestamp with time zone,text[],boolean)",
    ...inTenant("webhooks.write"),
    call: (label) => `select public.replay_deliveries('${tenants[label]}', '${endpoints[label]}')`,
  },
  {
    name: "replay_missed(uuid,uuid,timestamp with time zone,boolean)",
    ...inTenant("webhooks.write"),
    call: (label) =>
      `select public.replay_missed('${tenants[label]}', '${endpoints[label]}', now())`,
  },
  {
    name: "resume_endpoint(uuid,uuid)",
    ...inTenant("webhooks.write"),
    call: (label) => `select public.resume_endpoint('${tenants[label]}', '${endpoints[label]}')`,
  },
  {
    name: "publish_widget_config(uuid,uuid)",
    ...inTenant("widgets.write"),
    call: (label) => `select public.publish_widget_config('${tenants[label]}', '${looks[label]}')`,
  },
  {
    name: "revert_widget_config(uuid,uuid,integer)",
    ...inTenant("widgets.write"),
    call: (label) =>
      `select public.revert_widget_config('${tenants[label]}', '${looks[label]}', 1)`,
  },
  {
    name: "check_widget_theme(jsonb)",
    roles: people,
    call: () => "select public.check_widget_theme('{}')",
    on: all,
    works: catalogue,
  },
  // Called by functions/ in a caller's transaction, so they ask who it is themselves.
  {
    name: "private.begin_user_link(uuid,text,text)",
    ...inTenant("users.write"),
    on: "A E S", // nobody gets one for platform staff
    call: (label) => `select private.begin_user_link('${bystanders[label].id}', 'reset', 'link')`,
  },
  {
    name:
      "private.create_audit_sink(uuid,uuid,text,text,jsonb,timestamp with time zone,text,bytea)",
    ...inTenant("audit.write"),
    call: (label) =>
      `select private.create_audit_sink('${tenants[label]}', private.new_id(), 'new', 'http',
         '{"url": "https://new.example/"}', null, 'k1', '\\x00')`,
  },
  {
    name: "private.begin_custom_event(uuid,text,text,jsonb)",
    ...inTenant("events.write"),
    call: (label) =>
      `select private.begin_custom_event('${tenants[label]}', 'custom.done', 'k', '{}')`,
  },
  {
    name:
      "private.record_custom_event(uuid,text,integer,jsonb,jsonb,timestamp with time zone,text,jsonb,jsonb,jsonb)",
    ...inTenant("events.write"),
    call: (label) =>
      `select private.record_custom_event('${
        tenants[label]
      }', 'custom.done', 1, '[]', '{}', null, null, '{}')`,
  },
  {
    name: "private.begin_app_secret(uuid,uuid)",
    ...inTenant("apps.write"),
    call: (label) => `select private.begin_app_secret('${tenants[label]}', '${backends[label]}')`,
  },
  {
    name: "private.create_webhook_endpoint(uuid,uuid,jsonb,jsonb)",
    ...inTenant("webhooks.write"),
    call: (label) =>
      `select private.create_webhook_endpoint('${tenants[label]}', private.new_id(),
         '{"url": "https://new.example/"}', '[{"scheme": "v1", "keyId": "k1", "ciphertext": "AA=="}]')`,
  },
  {
    name: "private.put_webhook_headers(uuid,uuid,text[],text,bytea)",
    ...inTenant("webhooks.write"),
    call: (label) =>
      `select private.put_webhook_headers('${tenants[label]}', '${
        endpoints[label]
      }', '{x-token}', 'k1', '\\x00')`,
  },
  {
    name: "webhook_statistics(uuid,uuid,date,date)",
    roles: people,
    call: (label) => `select public.webhook_statistics('${tenants[label]}')`,
    works: catalogue.replace(": all", ": A E S P"),
  },
  {
    name: "webhook_attempts(webhook_deliveries)",
    roles: people,
    call: (label) =>
      `select public.webhook_attempts(jsonb_populate_record(null::public.webhook_deliveries, '{"tenant_id": "${
        tenants[label]
      }"}'))`,
    works: catalogue.replace(": all", ": A E S P"),
  },
  {
    name: "private.open_sink_secret(uuid,uuid)",
    ...inTenant("audit.write"),
    call: (label) => `select private.open_sink_secret('${tenants[label]}', '${sinks[label]}')`,
  },
  {
    name: "private.rotate_sink_secret(uuid,uuid,text,bytea,integer)",
    ...inTenant("audit.write"),
    call: (label) =>
      `select private.rotate_sink_secret('${tenants[label]}', '${
        sinks[label]
      }', 'k2', '\\x02', 60)`,
  },
  {
    name: "private.rotate_webhook_secret(uuid,uuid,text,text,jsonb,integer)",
    ...inTenant("webhooks.write"),
    call: (label) =>
      `select private.rotate_webhook_secret('${tenants[label]}', '${
        endpoints[label]
      }', 'v1', null, '[{"scheme": "v1", "keyId": "k1", "ciphertext": "AA=="}]', 60)`,
  },
  {
    name: "private.move_webhook_endpoint(uuid,uuid,text,boolean)",
    ...inTenant("webhooks.write"),
    call: (label) =>
      `select private.move_webhook_endpoint('${tenants[label]}', '${
        endpoints[label]
      }', 'https://moved.example/')`,
  },
  {
    name: "private.remove_webhook_endpoint(uuid,uuid)",
    ...inTenant("webhooks.write"),
    call: (label) =>
      `select private.remove_webhook_endpoint('${tenants[label]}', '${endpoints[label]}')`,
  },
  {
    name: "private.begin_webhook_test(uuid,uuid,text)",
    ...inTenant("webhooks.write"),
    call: (label) =>
      `select private.begin_webhook_test('${tenants[label]}', '${
        endpoints[label]
      }', 'user.removed')`,
  },
  {
    name: "private.record_webhook_test(uuid,uuid,integer,text)",
    ...inTenant("webhooks.write"),
    call: (label) =>
      `select private.record_webhook_test('${tenants[label]}', '${endpoints[label]}', 204, null)`,
  },
  {
    name: "private.open_webhook_endpoint(uuid,uuid)",
    ...inTenant("webhooks.write"),
    call: (label) =>
      `select private.open_webhook_endpoint('${tenants[label]}', '${endpoints[label]}')`,
  },
];
