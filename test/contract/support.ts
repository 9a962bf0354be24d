// A tenant of the suite in ZITADEL, and somebody who signs in to it as a browser and a sign-in page would.
import { createHash } from "node:crypto";
import { wire } from "../../functions/_shared/zitadel/call.ts";
import { isZitadelError, type ZitadelCode } from "../../functions/_shared/zitadel/errors.ts";
import { eventReader } from "../../functions/_shared/zitadel/event_reader.ts";
import { loginClient } from "../../functions/_shared/zitadel/login_client.ts";
import { provisioner } from "../../functions/_shared/zitadel/provisioner.ts";
import type { SessionToken, ZitadelEvent } from "../../functions/_shared/zitadel/types.ts";
import { type Instance, openInstance } from "./double.ts";

export const redirectUri = "http://127.0.0.1:3999/callback";
export const postLogoutUri = "http://127.0.0.1:3999/bye";
export const password = "Correct-Horse-7";

export interface Tenant {
  orgId: string;
  projectId: string;
  applicationId: string;
  clientId: string;
  userId: string;
  userName: string;
}

export interface Tokens {
  access_token: string;
  id_token: string;
  refresh_token?: string;
  expires_in: number;
}

export class Suite implements AsyncDisposable {
  readonly provisioner;
  readonly login;
  readonly events;
  /** Raw calls, for what the adapter never says. */
  readonly asProvisioner;
  readonly asLoginClient;
  /** As long as projections of this instance lag, and a little more. */
  readonly lagMs: number;
  #tenants: Tenant[] = [];

  constructor(readonly instance: Instance) {
    const login = {
      ...instance.config("login-client"),
      platformOrganizationId: () => Promise.resolve("the-platform"),
    };
    this.provisioner = provisioner(instance.config("provisioner"));
    this.login = loginClient(login);
    this.events = eventReader(instance.config("event-reader"));
    this.asProvisioner = wire(instance.config("provisioner"));
    this.asLoginClient = wire(instance.config("login-client"));
    this.lagMs = instance.ours ? 150 : 2000;
  }

  static async open(): Promise<Suite> {
    return new Suite(await openInstance());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { orgId } of this.#tenants) await this.provisioner.removeOrganization(orgId);
    await this.instance.stop();
  }

  settle(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.lagMs));
  }

  /** An organization with a project, an application and one user; removed at the end. */
  async tenant(
    label: string,
    project: { projectAccessRequired?: boolean; authorizationRequired?: boolean } = {
      projectAccessRequired: true,
    },
  ): Promise<Tenant> {
    const suffix = crypto.randomUUID();
    const ids = {
      orgId: `org-${suffix}`,
      projectId: `project-${suffix}`,
      applicationId: `application-${suffix}`,
      userId: `user-${suffix}`,
    };
    const { provisioner } = this;
    await provisioner.ensureOrganization({ id: ids.orgId, name: `${label} ${suffix}` });
    this.#tenants.push({ ...ids, clientId: "", userName: label });
    await provisioner.ensureDomainPolicy(ids.orgId, { userLoginMustBeDomain: true });
    await provisioner.ensureProject({ ...ids, id: ids.projectId, name: label, ...project });
    const { clientId } = await provisioner.ensureOidcApplication({
      projectId: ids.projectId,
      id: ids.applicationId,
      name: label,
      kind: "spa",
      redirectUris: [redirectUri],
      postLogoutUris: [postLogoutUri],
      developmentMode: true,
      enabled: true,
    });
    await provisioner.ensureHuman({
      ...ids,
      id: ids.userId,
      userName: label,
      email: `${label}@example.test`,
      emailVerified: true,
      givenName: label,
      familyName: "Test",
      password,
    });
    await this.settle();
    return { ...ids, clientId, userName: label };
  }

  /** What an application sends a browser to, and where the browser ends up: the sign-in page's auth request. */
  async authorize(
    { clientId }: { clientId: string },
    { scope = "openid profile offline_access", ...more }: Record<string, string> = {},
    headers: HeadersInit = {},
  ): Promise<{ authRequestId: string; location: string; verifier: string; status: number }> {
    const verifier = crypto.randomUUID() + crypto.randomUUID();
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: "code",
      scope,
      state: "a-state",
      nonce: "a-nonce",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...more,
    });
    const response = await fetch(`${this.instance.url}/oauth/v2/authorize?${query}`, {
      redirect: "manual",
      headers,
    });
    await response.body?.cancel();
    const location = response.headers.get("location") ?? "";
    const authRequestId = location
      ? new URL(location, this.instance.issuer).searchParams.get("authRequest") ?? ""
      : "";
    return { authRequestId, location, verifier, status: response.status };
  }

  /** By password. */
  async session(userId: string): Promise<SessionToken> {
    const { sessionId, sessionToken } = await this.login.createSession({
      userId,
      password,
      lifetimeSeconds: 600,
    });
    return { sessionId, sessionToken };
  }

  /** Policies of an organization's own, by v1's paths behind /management/v1/policies/. */
  async setPolicy(orgId: string, path: string, values: object): Promise<void> {
    await this.asProvisioner.rest("POST", `/management/v1/policies/${path}`, values, { orgId });
    await this.settle();
  }

  /** How often each type stands in the events about an organization. */
  async countEvents(orgId: string): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { type } of await this.eventsOf(orgId)) counts[type] = (counts[type] ?? 0) + 1;
    return counts;
  }

  async exchange(form: Record<string, string>, headers: HeadersInit = {}): Promise<Response> {
    return await fetch(`${this.instance.url}/oauth/v2/token`, {
      method: "POST",
      headers,
      body: new URLSearchParams(form),
    });
  }

  /** The whole way: authorize, password, callback, code, tokens. */
  async signIn(
    application: { clientId: string },
    userId: string,
    parameters: Record<string, string> = {},
  ): Promise<Tokens> {
    const { authRequestId, verifier } = await this.authorize(application, parameters);
    const session = await this.session(userId);
    const { callbackUrl } = await this.login.createCallback(authRequestId, session);
    const response = await this.exchange({
      grant_type: "authorization_code",
      client_id: application.clientId,
      code: new URL(callbackUrl).searchParams.get("code") ?? "",
      redirect_uri: redirectUri,
      code_verifier: verifier,
    });
    if (!response.ok) throw new Error(await response.text());
    return await response.json();
  }

  /** All events about one organization, oldest first. */
  async eventsOf(orgId: string, from: string | null = null): Promise<ZitadelEvent[]> {
    const all: ZitadelEvent[] = [];
    for (;;) {
      const page = await this.events.listEvents({ from, limit: 1000 });
      all.push(...page.events);
      if (!page.full) return all.filter((event) => event.resourceOwner === orgId);
      from = page.nextFrom;
    }
  }
}

/** True for a refusal of this code and id. */
export const refusedAs = (code: ZitadelCode, id: string) => (error: unknown) =>
  isZitadelError(error, code, id);

/** Registers one suite for a file: opened before its first test, closed after its last. */
export function suite(): () => Suite {
  let open: Suite | undefined;
  Deno.test.beforeAll(async () => {
    open = await Suite.open();
  });
  Deno.test.afterAll(() => open?.[Symbol.asyncDispose]());
  return () => open!;
}
