/** Signing in with a password, from the typed name to the address that carries the code. */
import { Problem } from "../_shared/problem.ts";
import { log, span } from "../_shared/telemetry.ts";
import { isZitadelError } from "../_shared/zitadel/errors.ts";
import type {
  LoginClient,
  Session,
  SessionToken,
  User,
  UserAgent,
} from "../_shared/zitadel/types.ts";
import type { Clients, LoginOrganization } from "./clients.ts";
import { type Flow, loadFlow, tenantSuspended } from "./flow.ts";
import { decide, standingOf, type Verdict } from "./policy.ts";
import type { Refusals } from "./refusals.ts";

export interface PasswordInput {
  authRequest: string;
  loginName: string;
  password: string;
  userAgent: UserAgent;
}

export interface PasswordParts {
  zitadel: LoginClient;
  clients: Clients;
  refusals: Refusals;
  now: () => Date;
}

/** Cap on a session's life when the organization's own setting is longer or missing. */
const maxSessionSeconds = 12 * 60 * 60;

/**
 * @throws {Problem} credentials_refused (unknown, wrong, locked, disabled, of another organization: always the same) ·
 *   password_not_allowed · factor_required · password_change_required · email_not_verified · tenant_suspended ·
 *   app_disabled · flow_not_found · flow_finished
 */
export async function signInByPassword(
  parts: PasswordParts,
  input: PasswordInput,
): Promise<{ callbackUrl: string }> {
  return await span("widget.password", {}, async () => {
    const flow = await loadFlow(parts, input.authRequest);
    const attempt: Attempt = { flow, tenantId: flow.client.tenantId, user: undefined };
    try {
      return await signIn(parts, input, attempt);
    } catch (error) {
      await report(parts, input, attempt, error);
      throw error;
    }
  });
}

/** How far it came. */
interface Attempt {
  flow: Flow;
  /** Where a refusal is counted; the platform, as long as nothing better is known. */
  tenantId: string;
  user: User | undefined;
}

async function signIn(
  parts: PasswordParts,
  input: PasswordInput,
  attempt: Attempt,
): Promise<{ callbackUrl: string }> {
  const { zitadel } = parts;
  const { flow } = attempt;
  const { tenantId, organizationId } = await organizationOf(parts.clients, flow, input.loginName);
  attempt.tenantId = tenantId;
  const settings = await zitadel.loginSettings(organizationId);
  if (!settings.allowLocalAuthentication) throw refusal("password_not_allowed");
  const byEmail = !settings.disableLoginWithEmail;
  const user = attempt.user = await findUser(zitadel, organizationId, input.loginName, byEmail);
  const lifetimeSeconds = Math.min(
    settings.passwordCheckLifetimeSeconds || maxSessionSeconds,
    maxSessionSeconds,
  );
  const session = await checkPassword(zitadel, user, input, lifetimeSeconds);
  try {
    const verdict = decide(standingOf({
      settings,
      user,
      methods: await zitadel.authenticationMethods(user.id),
      session: justChecked(user, session, parts.now(), lifetimeSeconds),
      now: parts.now(),
    }));
    if (verdict !== "complete") throw refusal(verdict);
    const { callbackUrl } = await handOver(zitadel, input.authRequest, session);
    log("info", "signed in", {
      tenant: flow.client.tenantId,
      client_id: flow.request.clientId,
      user_id: user.id,
    });
    return { callbackUrl };
  } catch (error) {
    // What is refused leaves no session behind that a later call could go on with.
    await zitadel.deleteSession(session).catch((cause) =>
      log("warn", "a refused session was not deleted", { error: cause })
    );
    throw error;
  }
}

/** Counts a refusal that ZITADEL has no event for. A wrong password has one, so it is not counted twice. */
async function report(
  parts: PasswordParts,
  { loginName, userAgent }: PasswordInput,
  { flow, tenantId, user }: Attempt,
  error: unknown,
): Promise<void> {
  if (!(error instanceof Problem) || !Object.hasOwn(details, error.slug)) return;
  if (isZitadelError(error.cause, "invalid_argument")) return;
  if (user === undefined && error.slug !== "credentials_refused") return; // says nothing of an account
  const reason = user === undefined
    ? "account_unknown"
    : error.slug === "credentials_refused"
    ? "account_refused"
    : error.slug;
  await parts.refusals.report({
    tenantId,
    userId: user?.id,
    loginName,
    reason,
    at: parts.now(),
    context: {
      address: userAgent.ip,
      user_agent: userAgent.description,
      client_id: flow.request.clientId,
    },
  }).catch((cause) => log("warn", "a refused sign-in was not counted", { error: cause }));
}

/** The tenant's own organization; for the portal the one that the login name points to. */
async function organizationOf(
  clients: Clients,
  flow: Flow,
  loginName: string,
): Promise<{ tenantId: string; organizationId: string }> {
  const found: LoginOrganization | null = flow.client.kind === "app"
    ? flow.client
    : await clients.findLoginOrganization(loginName);
  const { orgId } = flow.request; // the application may narrow it, never widen it
  if (!found?.organizationId || (orgId !== undefined && orgId !== found.organizationId)) {
    throw refusal("credentials_refused");
  }
  if (found.tenantStatus !== "active") throw tenantSuspended();
  return { tenantId: found.tenantId, organizationId: found.organizationId };
}

/** By login name, user name or, where allowed, e-mail. Several hits are nobody. */
async function findUser(
  zitadel: LoginClient,
  orgId: string,
  loginName: string,
  byEmail: boolean,
): Promise<User> {
  const [user, ...others] = await zitadel.findUsers({ orgId, loginName, byEmail });
  if (user?.kind !== "human" || user.orgId !== orgId || others.length > 0) {
    throw refusal("credentials_refused");
  }
  return user;
}

async function checkPassword(
  zitadel: LoginClient,
  user: User,
  { password, userAgent }: PasswordInput,
  lifetimeSeconds: number,
): Promise<SessionToken> {
  try {
    return await zitadel.createSession({ userId: user.id, password, lifetimeSeconds, userAgent });
  } catch (error) {
    const refused = isZitadelError(error, "invalid_argument") ||
      isZitadelError(error, "failed_precondition") || isZitadelError(error, "not_found");
    if (refused) throw refusal("credentials_refused", error);
    throw error;
  }
}

/**
 * What checkPassword has just proven. Not read back: ZITADEL shows a new session only after its projection ran, half a second later
 * as a rule.
 */
function justChecked(
  user: User,
  { sessionId }: SessionToken,
  now: Date,
  lifetimeSeconds: number,
): Session {
  const at = now.toISOString();
  return {
    id: sessionId,
    createdAt: at,
    expiresAt: new Date(now.getTime() + lifetimeSeconds * 1000).toISOString(),
    user: {
      id: user.id,
      orgId: user.orgId,
      loginName: user.preferredLoginName,
      displayName: user.profile?.displayName ?? "",
      verifiedAt: at,
    },
    passwordVerifiedAt: at,
    otherFactors: [],
  };
}

async function handOver(
  zitadel: LoginClient,
  authRequest: string,
  session: SessionToken,
): Promise<{ callbackUrl: string }> {
  try {
    return await zitadel.createCallback(authRequest, session);
  } catch (error) {
    if (isZitadelError(error, "failed_precondition", "COMMAND-Sx208nt")) {
      throw new Problem("flow_finished", "This sign-in is already finished", { cause: error });
    }
    if (isZitadelError(error, "not_found")) {
      throw new Problem("flow_not_found", "This sign-in has run out", { cause: error });
    }
    // The project takes no one of this organization, or not this person.
    if (
      isZitadelError(error, "permission_denied") || isZitadelError(error, "failed_precondition")
    ) {
      throw refusal("credentials_refused", error);
    }
    throw error;
  }
}

const details: Record<Exclude<Verdict, "complete">, string> = {
  credentials_refused: "User name or password is not right, or the account is locked",
  password_not_allowed: "The organization does not allow signing in with a password",
  factor_required: "A second factor is set up and must be shown",
  password_change_required: "The password must be changed before signing in",
  email_not_verified: "The e-mail address must be verified before signing in",
  factor_setup_required: "The organization asks for a second factor and none is set up",
};

/** A factor that is missing and one that is not set up look the same until the widget can do either. */
function refusal(verdict: Exclude<Verdict, "complete">, cause?: unknown): Problem {
  const slug = verdict === "factor_setup_required" ? "factor_required" : verdict;
  return new Problem(slug, details[verdict], { cause });
}
