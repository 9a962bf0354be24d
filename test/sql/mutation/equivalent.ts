// Mutants that nothing can tell from the original, each with the reason. Everything else must be killed.

export const equivalent: { mutant: RegExp; why: string }[] = [
  {
    mutant: /^[a-z_]+_update_platform: check → true$/,
    why:
      "the predicate asks about the caller and not about the row: what USING let through, CHECK lets through",
  },
  {
    mutant:
      /^(settings_select|settings_update|subscriptions_insert|tenants_insert)_platform: for both roles$/,
    why: "authenticated holds no grant of that verb there, which the matrix holds column by column",
  },
  {
    mutant:
      /^private\.authenticate: if p_tenant is not null and p_tenant !~ .* without p_tenant is not null$/,
    why: "null !~ anything is null, which is not true",
  },
  {
    mutant:
      /^private\.(platform_has|tenants_with): if v_principal is null or .* without v_principal is null$/,
    why: "no assignment has a principal of null; the condition saves the query",
  },
  {
    mutant: /^private\.check_request: if v_claims = '\{"role": "anon"\}' → false$/,
    why: "for those claims private.authenticate returns before it looks at the header",
  },
  {
    mutant: /^public\.whoami: 'access\.read' → 'access\.write'$/,
    why: "client_may takes the right for ceilings to come and does not look at it",
  },
  {
    mutant: /^public\.list_events: if t like '%\.\*' → false$/,
    why: "not who may but what is found: test/sql/30_audit.test.ts asks for prefixes",
  },
  {
    mutant:
      /^public\.list_events: (if list_events\.after_seq > v_newest → false$|without perform .*'cursor_ahead')/,
    why: "not who may but what is said: test/sql/30_audit_sequence.test.ts asks beyond the newest",
  },
  {
    mutant:
      /^private\.move_webhook_endpoint: if not p_new_headers and .* without cardinality\(v_endpoint\.header_names\) > 0$/,
    why: "where there are no headers none are erased, and nothing is on record",
  },
  {
    mutant:
      /^private\.remove_webhook_endpoint: where s\.tenant_id = p_tenant and s\.endpoint_id = p_endpoint/,
    why: "a lock, for the order of locks: it would hold more states than its own, and changes none",
  },
  {
    mutant: /^public\.skip_audit_sink_event: if v_event is null or .* without v_event is null$/,
    why: "of no event the seq is null, which is distinct from any that is asked for",
  },
  {
    mutant: /^public\.verify_audit: if to_seq is null → false$/,
    why: "not who may but what is found: test/sql/30_audit_verify.test.ts asks for the tree",
  },
];
