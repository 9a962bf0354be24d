import assert from "node:assert/strict";
import { type ZitadelCode, ZitadelError } from "../../../functions/_shared/zitadel/errors.ts";
import { faultOf } from "../../../functions/provision/fault.ts";

const error = (code: ZitadelCode, more: { id?: string; problems?: string[] } = {}) =>
  new ZitadelError({ code, message: "at http://10.0.0.7:8080: it says so", ...more });

Deno.test("what time or an operator mends is retryable, and says nothing of inner addresses", () => {
  const expected: Partial<Record<ZitadelCode, string>> = {
    unavailable: "zitadel_unreachable",
    deadline_exceeded: "zitadel_unreachable",
    resource_exhausted: "zitadel_busy",
    aborted: "zitadel_busy",
    internal: "zitadel_failed",
    unknown: "zitadel_failed",
    unauthenticated: "zitadel_denied",
    permission_denied: "zitadel_denied",
    not_found: "zitadel_not_found",
  };
  for (const [code, slug] of Object.entries(expected)) {
    const fault = faultOf(error(code as ZitadelCode), { not_found: "never" });
    assert.equal(fault?.slug, slug);
    assert.equal(fault.retryable, true);
    assert.ok(!fault.detail.includes("10.0.0.7"));
  }
});

Deno.test("a refusal gets the step's own slug and shows ZITADEL's id", () => {
  const fault = faultOf(error("already_exists", { id: "V3-DKcYh" }), {
    already_exists: "name_taken",
  });
  assert.equal(fault?.slug, "name_taken");
  assert.equal(fault.retryable, false);
  assert.match(fault.detail, /V3-DKcYh/);
});

Deno.test("a refusal that the step does not know is zitadel_refused", () => {
  assert.equal(faultOf(error("failed_precondition"), {})?.slug, "zitadel_refused");
});

Deno.test("an application that could not sign anybody in shows what is wrong with it", () => {
  const fault = faultOf(error("non_compliant", { problems: ["redirect.http"] }), {
    non_compliant: "redirect_uri_refused",
  });
  assert.equal(fault?.slug, "redirect_uri_refused");
  assert.match(fault.detail, /redirect\.http/);
});

Deno.test("what is no answer of ZITADEL is nobody's fault", () => {
  assert.equal(faultOf(new TypeError("a bug"), {}), null);
});
