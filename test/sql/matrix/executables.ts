// Who may execute which function, whole: nobody but those named here, public included. Functions of `public` are the API, of `private` helpers.

export const everyRole = [
  "anon",
  "authenticated",
  "service_role",
  "gatehouse_platform",
  "authenticator",
  "gatehouse_functions",
  "gatehouse_provision",
  "gatehouse_worker",
  "gatehouse_gateway",
];

const callers = "authenticated gatehouse_platform";
const provisioning = "gatehouse_provision gatehouse_worker";

export const executables: { why: string; roles: string; functions: string[] }[] = [
  {
    why: "the hook, for whoever PostgREST comes as: service_role is to be refused by it",
    roles: `anon service_role ${callers}`,
    functions: [
      "private.authenticate(jsonb,text,text)",
      "private.check_request()",
      "private.request_header(text)",
    ],
  },
  { why: "answers «anonymous»", roles: `anon ${callers}`, functions: ["whoami()"] },
  {
    why: "the API; each checks a right of the caller's",
    roles: callers,
    functions: [
      "erase_person(uuid)",
      "export_person(uuid)",
      "list_events(uuid,bigint,integer,text[])",
      "personal_values(audit_events)",
      "reconcile_tenant(uuid)",
      "sign_out_everywhere(uuid)",
      "start_session()",
      "verify_audit(uuid,bigint,bigint)",
    ],
  },
  {
    why: "the API of platform staff",
    roles: "gatehouse_platform",
    functions: [
      "archive_tenant(uuid)",
      "create_tenant(text,text,text,jsonb,jsonb)",
      "lift_legal_hold(uuid)",
      "place_legal_hold(uuid,text)",
      "resume_tenant(uuid)",
      "suspend_tenant(uuid)",
      "private.change_status(uuid,text[],text)",
    ],
  },
  {
    why: "called by functions/ in the caller's transaction; each checks a right of the caller's",
    roles: callers,
    functions: [
      "private.begin_app_secret(uuid,uuid)",
      "private.create_webhook_endpoint(uuid,uuid,text,text,text[],timestamp with time zone,text,bytea)",
      "private.new_id()",
      "private.open_webhook_endpoint(uuid,uuid)",
      "private.rotate_webhook_secret(uuid,uuid,text,bytea,integer)",
    ],
  },
  {
    why: "what policies ask",
    roles: "authenticated",
    functions: ["private.tenants_with(text)"],
  },
  {
    why: "what policies ask",
    roles: "gatehouse_platform",
    functions: ["private.platform_has(text)"],
  },
  {
    why: "defaults, policies and invoker triggers run as the caller; none reads a table",
    roles: callers,
    functions: [
      "private.current_principal_id()",
      "private.current_tenant_id()",
      "private.current_user_id()",
      "private.platform_tenant()",
      "private.redirect_uri_problem(text,text)",
      "private.uuid_v7()",
      "private.web_uri_problem(text)",
    ],
  },
  {
    why: "db-pre-config",
    roles: "authenticator",
    functions: ["private.pgrst_config()"],
  },
  {
    why: "who checks tokens needs the keys",
    roles: `gatehouse_functions ${provisioning} gatehouse_gateway`,
    functions: ["private.list_issuers()", "private.list_verification_keys()"],
  },
  {
    why: "the hint's signing key, and whose password the widget never sets",
    roles: `gatehouse_functions ${provisioning}`,
    functions: ["private.get_sealed_setting(text)", "private.get_setting(text)"],
  },
  {
    why:
      "the sign-in page, before anybody has signed in; hints of ZITADEL and the key they are signed with",
    roles: "gatehouse_functions",
    functions: [
      "private.get_sealed_setting(text)",
      "private.find_login_organization(text)",
      "private.public_config()",
      "private.put_hint()",
      "private.widget_client(text)",
    ],
  },
  {
    why: "the saga, which runs in the provision function and in jobs",
    roles: provisioning,
    functions: [
      "private.lease_tenant(uuid,text,integer)",
      "private.provisioning_input(uuid)",
      "private.put_client(text,text,text,uuid,uuid)",
      "private.put_issuer(text,text,text,text)",
      "private.put_sealed_setting(text,text,bytea)",
      "private.put_setting(text,jsonb)",
      "private.put_verification_keys(text,jsonb)",
      "private.release_tenant(uuid,bigint)",
      "private.settle_administrator(uuid,bigint,text,text,jsonb)",
      "private.settle_app(uuid,bigint,uuid,text,text,text,jsonb)",
      "private.settle_organization(uuid,bigint,text)",
      "private.settle_step(uuid,bigint,text,text,text,text,jsonb)",
      "private.start_step(uuid,bigint,text)",
    ],
  },
  {
    why: "jobs",
    roles: "gatehouse_worker",
    functions: [
      "private.claim_deliveries(uuid,uuid,integer,integer)",
      "private.create_partitions()",
      "private.enqueue(text,jsonb,text,timestamp with time zone)",
      "private.erased_subject(uuid)",
      "private.find_due_endpoints(integer)",
      "private.find_stuck_tenants(integer)",
      "private.ingest_zitadel_events(jsonb)",
      "private.list_checkpoints()",
      "private.list_unsigned(integer,uuid[])",
      "private.seal_events(integer)",
      "private.sequence_events(integer)",
      "private.settle_deliveries(uuid,uuid,jsonb)",
      "private.store_signatures(uuid,bigint,bytea,bytea,bytea,text)",
      "private.unlock_dead_workers()",
      "private.zitadel_cursor()",
    ],
  },
];
