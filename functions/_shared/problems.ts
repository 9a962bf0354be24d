/**
 * Every slug that a caller can meet, with its HTTP status. A slug is never renamed once shipped.
 * SQL raises the same ones as SQLSTATE PTxyz with message = slug, or names a constraint so; test/unit/_shared/problem.test.ts holds both to this table.
 */
export const problems = {
  // the request
  malformed_json: 400,
  not_found: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  invalid_request: 422,
  // the token
  token_missing: 401,
  token_invalid: 401,
  token_expired: 401,
  signature_invalid: 401,
  // which token, which client, which tenant: private.authenticate
  issuer_unknown: 401,
  key_unknown: 401,
  role_claim_foreign: 401,
  audience_refused: 401,
  role_refused: 401,
  not_an_access_token: 401,
  service_account_disabled: 401,
  client_refused: 401,
  user_inactive: 401,
  token_revoked: 401,
  tenant_id_malformed: 400,
  tenant_not_member: 403,
  tenant_suspended: 403,
  // who may
  not_allowed: 403,
  not_a_person: 403,
  // the sign-in
  credentials_refused: 401,
  app_disabled: 403,
  browser_mismatch: 403,
  email_not_verified: 403,
  factor_required: 403,
  password_change_required: 403,
  password_not_allowed: 403,
  flow_not_found: 404,
  flow_finished: 409,
  // tenants
  tenant_slug_taken: 409,
  tenant_slug_malformed: 422,
  tenant_administrator_incomplete: 422,
  tenant_platform_is_one: 422,
  domain_name_taken: 409,
  subscription_ends_before_it_starts: 422,
  // access
  assignment_taken: 409,
  assignment_principal_malformed: 422,
  service_account_name_taken: 409,
  user_subject_taken: 409,
  // apps
  app_not_found: 404,
  app_name_taken: 409,
  app_not_confidential: 409,
  app_not_ready: 409,
  app_redirect_uris_too_many: 422,
  app_post_logout_uris_too_many: 422,
  provider_name_taken: 409,
  // things
  user_not_found: 404,
  endpoint_not_found: 404,
  already_exists: 409,
  still_referenced: 409,
  lease_lost: 409,
  tenant_status_conflict: 409,
  url_refused: 422,
  address_refused: 422,
  event_type_unknown: 422,
  event_types_malformed: 422,
  redirect_uri_refused: 422,
  role_out_of_scope: 422,
  since_too_old: 422,
  user_not_in_tenant: 422,
  // us
  internal: 500,
  not_configured: 503,
  busy: 503,
  database_unavailable: 503,
  zitadel_unavailable: 503,
} as const;

export type ProblemSlug = keyof typeof problems;
