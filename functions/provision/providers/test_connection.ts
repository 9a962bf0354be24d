/**
 * Tests whether a provider can be reached and means what its settings say, from here, through the one door. What ZITADEL reaches from
 * where it stands may differ; nobody is signed in.
 */
import { type Door } from "../../_shared/outbound.ts";
import { type Check, Checks, Failed } from "./checks.ts";
import { completeSettings } from "./settings.ts";
import { testLdap } from "./test_ldap.ts";
import { testOidc } from "./test_oidc.ts";
import { testSaml } from "./test_saml.ts";

export interface TestedProvider {
  kind: string;
  settings: Record<string, unknown>;
  /** What is wrong with the settings, as SQL judges them. */
  problem: string | null;
  /** A host that an offline installation does not reach. */
  outside: string | null;
}

export interface TestOptions {
  door: Door;
  secret: string | null;
  /** Milliseconds. */
  now: number;
}

export interface ConnectionReport {
  ok: boolean;
  checks: Check[];
  /** OIDC: other origins that the discovery names; null: unknown. */
  endpoints: string[] | null;
}

export async function testConnection(
  provider: TestedProvider,
  { door, secret, now }: TestOptions,
): Promise<ConnectionReport> {
  const checks = new Checks();
  let endpoints: string[] | null = null;
  const complete = await checks.run("settings", () => {
    if (provider.problem) throw new Failed("provider_settings_refused", provider.problem);
    return "Complete";
  });
  const inside = await checks.run("network", () => {
    if (provider.outside) {
      const detail = `"${provider.outside}" lies outside the networks of this installation`;
      throw new Failed("provider_host_outside", detail);
    }
    return "Its hosts may be reached";
  });
  if (!complete || !inside) return { ok: false, checks: checks.all, endpoints };
  const known = completeSettings(provider);
  switch (known.kind) {
    case "google":
      await testOidc(checks, door, { issuer: "https://accounts.google.com" });
      break;
    case "microsoft":
      await testOidc(checks, door, {
        issuer: `https://login.microsoftonline.com/${known.settings.tenant}/v2.0`,
      });
      break;
    case "oidc":
      endpoints = await testOidc(checks, door, known.settings);
      break;
    case "github":
      await checks.run("connect", () => reached(door, known.settings.baseUrl));
      break;
    case "saml":
      await testSaml(checks, known.settings, now);
      break;
    case "ldap":
      await testLdap(checks, door, known.settings, secret);
      break;
  }
  return { ok: checks.ok, checks: checks.all, endpoints };
}

/** GitHub has no discovery: that its sign-in page answers is all there is to ask without an account. */
async function reached(door: Door, baseUrl = "https://github.com"): Promise<string> {
  const url = `${baseUrl}/login/oauth/authorize`;
  const { status } = await door.send({ url, method: "GET", timeoutMs: 10_000, maxBytes: 1000 });
  if (status >= 500) throw new Failed("status_unexpected", `${url} answered ${status}`);
  return `${baseUrl} answers`;
}
