/**
 * Every slug that a caller can meet, with its HTTP status. A slug is never renamed once shipped.
 * SQL raises the same ones as SQLSTATE PTxyz with message = slug, or names a constraint so; test/unit/_shared/problem.test.ts holds both to this table.
 */
export const problems = {
  // the request
  malformed_json: 400, // the body is not JSON in UTF-8
  not_found: 404, // no such address
  method_not_allowed: 405, // the address is there, not for this method
  payload_too_large: 413, // the body is longer than the address takes
  unsupported_media_type: 415, // the body is not application/json
  invalid_request: 422, // the body or path is not as the address expects; errors has one JSON pointer a fault
  // the token
  token_missing: 401, // the address needs a bearer token
  token_invalid: 401, // no JWT of RS256 or ES256 with a known issuer and key, or its signature or times do not hold
  token_expired: 401, // exp is over, 30 s of clock difference included
  signature_invalid: 401, // ZITADEL's signature of a pushed hint does not hold, or no signing key is set
  // which token, which client, which tenant: private.authenticate
  issuer_unknown: 401, // iss is no issuer of ours
  key_unknown: 401, // no key of that issuer has the kid of the token
  role_claim_foreign: 401, // a token of another issuer than our own names a database role
  audience_refused: 401, // aud does not hold the id of Gatehouse's project
  role_refused: 401, // a token of our own issuer names a role it may not
  not_an_access_token: 401, // an ID token, or one without sub, jti, client_id, iat or exp
  service_account_disabled: 401, // the service account is disabled
  client_refused: 401, // the token came through no client of ours, or through a disabled application
  user_inactive: 401, // the person is disabled or removed
  token_revoked: 401, // issued before the person signed out everywhere
  tenant_id_malformed: 400, // x-tenant-id is no UUID in lower case
  tenant_not_member: 403, // the caller holds nothing in the tenant that x-tenant-id names
  tenant_suspended: 403, // the tenant is suspended or archived
  // who may
  not_allowed: 403, // the caller lacks the right that this takes
  not_a_person: 403, // only a person has a session
  // the sign-in
  credentials_refused: 401, // unknown, wrong, locked, disabled or of another organization: always the same answer
  account_signed_out: 401, // nobody is signed in to the account page in this browser, or no longer
  client_credentials_refused: 401, // the issuer does not take the application's id and secret
  refresh_refused: 401, // the refresh token was used, has run out, was revoked or is another application's
  ticket_refused: 403, // a program's ticket is not one of ours, or older than an hour
  code_refused: 401, // a code is wrong, used or too old
  credential_refused: 401, // a passkey or security key is not accepted, or was not asked on this page
  intent_refused: 401, // a provider's answer is not to what this browser asked, or used already
  logout_refused: 401, // the sign-out is not asked for by the issuer, or too late
  authorize_refused: 400, // the issuer takes no such request of the application; the sentence has its OAuth error
  app_disabled: 403, // the application is switched off
  browser_mismatch: 403, // not sent by the browser that opened the sign-in page, or after its hour
  email_not_verified: 403, // the organization wants a verified e-mail address first
  factor_required: 403, // a second factor is set up that cannot be shown here
  external_account_unknown: 403, // nobody has the account at the provider, and the provider's options let none be made
  inline_refused: 403, // this person, or this factor, takes the sign-in page itself
  origin_refused: 403, // the application does not sign people in on pages of this origin
  platform_user_refused: 403, // platform staff changes credentials in ZITADEL itself
  password_change_required: 403, // the password must be changed first
  password_not_allowed: 403, // the organization allows no password
  way_not_allowed: 403, // the organization or the tenant does not allow this way of signing in
  flow_not_found: 404, // no such sign-in is under way, or it has run out
  proof_required: 403, // show again who you are: what was shown is older than five minutes
  key_not_found: 404, // the person has no such passkey or security key
  link_not_found: 404, // the person has no such account at the provider
  session_not_found: 404, // the person has no such session
  email_taken: 409, // another account of the organization has the address
  external_account_taken: 409, // the account at the provider is linked to somebody else
  factor_exists: 409, // the second factor is set up already
  last_factor: 409, // the organization asks for a second factor, and this is the only one
  last_way: 409, // nothing would be left to sign in by
  action_refused: 409, // the screen that the flow is on takes no such action
  account_exists: 409, // an account with this name or address is there
  flow_finished: 409, // the sign-in was finished before
  password_too_weak: 422, // errors names the rule: length, lowercase, uppercase, number or symbol
  password_unchanged: 422, // the new password is the old one
  terms_not_accepted: 422, // the tenant's terms must be accepted first
  rate_limited: 429, // too many tries; retry-after says how many seconds to wait
  // tenants
  tenant_slug_taken: 409, // another tenant has the slug
  tenant_slug_malformed: 422, // a slug is 2 to 63 of a-z, 0-9 and -, begins with a letter, ends with none of -
  tenant_name_malformed: 422, // 1 to 200 characters, none of control, no space at either end
  tenant_admin_email_malformed: 422, // no e-mail address
  tenant_not_found: 404, // no such tenant
  tenant_administrator_incomplete: 422, // e-mail, given and family name go together
  tenant_platform_is_one: 422, // there is one platform tenant
  domain_name_taken: 409, // the tenant has claimed the domain before
  domain_malformed: 422, // no domain name in lower case
  domain_verified_elsewhere: 409, // another tenant has proven the domain
  subscription_ends_before_it_starts: 422, // ends_at is not after starts_at
  subscription_already_open: 409, // the tenant has a subscription without an end
  // access
  assignment_taken: 409, // the principal holds the role already
  assignment_principal_malformed: 422, // exactly one of user_id and service_account_id
  service_account_name_taken: 409, // another service account of the tenant has the name
  user_subject_taken: 409, // the person is known already
  // apps
  app_not_found: 404, // the tenant has no such application
  app_name_taken: 409, // another application of the tenant has the name
  app_name_malformed: 422, // 1 to 200 characters, none of control, no space at either end
  app_not_confidential: 409, // only an application of kind web has a secret
  app_not_ready: 409, // ZITADEL has not confirmed the application yet
  app_redirect_uris_too_many: 422, // 50 at most
  app_post_logout_uris_too_many: 422, // 50 at most
  provider_not_found: 404, // the tenant has no such provider, or one of a kind without a secret
  widget_config_app_unknown: 409, // the tenant has no such application
  widget_config_logo_unknown: 409, // the tenant has no such logo, or a draft still shows it
  widget_config_not_found: 404, // the tenant has no such configuration
  widget_config_taken: 409, // the tenant, or the application, has a configuration already: change that one
  widget_version_immutable: 409, // a published version is never changed
  widget_version_not_found: 404, // the configuration has no such version
  widget_theme_refused: 422, // the sentence says which token or value
  contrast_too_low: 422, // the sentence names each pair of colours, its contrast and what WCAG 2.2 AA asks for
  widget_layout_unknown: 422, // card, plain or split
  widget_flows_refused: 422, // password, passkey, email_code, register, reset: true or false
  widget_texts_refused: 422, // no text that may be changed, or longer than 300 characters
  widget_languages_refused: 422, // at least one, each once, of those that the widget has
  widget_link_refused: 422, // https, a host, at most 500 characters
  widget_logo_refused: 422, // no harmless SVG, PNG or WebP, or too large; the sentence says why
  widget_logos_too_many: 409, // 50 at most
  provider_name_taken: 409, // another provider of the tenant has the name
  provider_name_malformed: 422, // 1 to 200 characters, none of control, no space at either end
  provider_settings_refused: 422, // the sentence names the setting and what is wrong with it
  provider_domains_too_many: 422, // 100 at most
  provider_domain_unproven: 422, // a provider's domains are ones that the tenant has proven
  provider_creation_contradicts: 422, // accounts are made at once only where making them is allowed
  provider_host_outside: 422, // the installation is offline, and a host of the provider lies outside its networks
  metadata_unreadable: 422, // SAML metadata could not be fetched; the sentence says why
  setting_offline_malformed: 422, // null, or {"networks": […], "domains": […]}
  // the log
  cursor_ahead: 409, // after_seq is beyond the newest seq, as for some seconds after a restore: keep it and ask again
  legal_hold: 409, // a legal hold is open: nothing may be erased
  legal_hold_already_open: 409, // the tenant is under a legal hold already
  legal_hold_not_found: 404, // no legal hold is open over the tenant
  legal_hold_reason_malformed: 422, // 1 to 500 characters
  tenant_personal_retention_malformed: 422, // 1 to 36500 days, or null: as long as the events
  setting_retention_malformed: 422, // 31 to 99999 days, or null: for ever
  audit_incomplete: 409, // leaves of the sealed log are missing: retention leaves them to be looked at; callers do not meet it
  // things
  user_not_found: 404, // no such person
  user_has_credentials: 409, // an invitation is for who has nothing to sign in with yet
  mail_not_available: 409, // there is no mail server
  sink_not_found: 404, // the tenant has no such audit sink
  sink_event_not_refused: 409, // the sink does not wait at an event of this seq that is too large for its receiver
  sink_has_no_secret: 409, // only a sink of kind http signs what it sends
  sink_name_taken: 409, // another audit sink of the tenant has the name
  sink_name_malformed: 422, // 1 to 200 characters, none of control, no space at either end
  sink_settings_malformed: 422, // not the settings of the sink's kind
  sink_file_of_tenant: 422, // a file is a sink of the platform tenant only
  export_not_found: 404, // no such export of the log, or none of a tenant whose log the caller reads
  export_not_ready: 409, // it is still being written, failed or has expired
  exports_too_many: 409, // three exports of the tenant are under way
  export_format_unknown: 422, // jsonl or csv
  export_filter_unprovable: 422, // only csv can be of some types, an actor or a target: a proof takes every record
  export_period_empty: 422, // until is not after since
  delivery_not_found: 404, // the tenant has no such delivery
  delivery_state_unknown: 422, // deliveries end delivered, dead, cancelled or filtered
  event_gone: 409, // the log no longer has the event
  endpoint_disabled: 409, // the endpoint is switched off: enable it first
  endpoint_not_found: 404, // the tenant has no such webhook endpoint
  webhook_tests_too_many: 429, // ten tests of an endpoint within a minute; retry-after says how many seconds to wait
  already_exists: 409, // a row with this key is there
  still_referenced: 409, // the row it points at is missing, or others point at it
  lease_lost: 409, // another run of provisioning took the tenant over; callers do not meet it
  tenant_status_conflict: 409, // the tenant is not in a status from which this leads
  url_refused: 422, // the door does not call such an address: https, a web port, no credentials, no fragment
  address_refused: 422, // the address lies outside the allowed networks
  custom_event_type_malformed: 422, // custom. and words of a-z, 0-9 and _, 100 characters at most
  custom_event_type_taken: 409, // the tenant has registered the type before
  event_schema_refused: 422, // the sentence says where: JSON Schema 2020-12 without references and patterns, small
  event_data_refused: 422, // the data is not as the type's schema says; errors has one JSON pointer a fault
  event_actor_refused: 422, // an actor is a user or a service of the tenant, or one that only its application knows
  occurred_at_refused: 422, // 30 days back at most, and not in the future
  idempotency_key_reused: 409, // the Idempotency-Key was used for another request
  event_type_unknown: 422, // no type of event matches
  event_types_malformed: 422, // 1 to 100 types or prefixes such as tenant.*
  retry_schedule_malformed: 422, // 20 waits at most, of a second to a day
  rate_per_second_malformed: 422, // 1 to 1000
  payload_filter_refused: 422, // no jsonpath, or one that could take long
  header_names_refused: 422, // 20 headers at most, none of those that we or the connection set
  redirect_uri_refused: 422, // the sentence names the address and what is wrong with it
  role_out_of_scope: 422, // platform roles are for the platform tenant, tenant roles for customers'
  since_too_old: 422, // 30 days back at most
  user_not_in_tenant: 422, // a tenant gives roles to its own people
  // us
  internal: 500, // a fault of ours; the log has the request id
  not_configured: 503, // the instance is still being prepared, or a part was not built
  busy: 503, // another change came first, or the database took too long: try again
  database_unavailable: 503, // the database cannot be reached: try again
  zitadel_unavailable: 503, // ZITADEL does not answer: try again
} as const;

export type ProblemSlug = keyof typeof problems;
