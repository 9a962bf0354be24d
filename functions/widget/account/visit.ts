/** Whose account page a request is for: a live session of this browser that the policy still takes. */
import type { Context } from "hono";
import type { App } from "../../_shared/app.ts";
import { Problem } from "../../_shared/problem.ts";
import type {
  AuthenticationMethod,
  LoginSettings,
  Session,
  User,
} from "../../_shared/zitadel/types.ts";
import { requireOwnOrigin } from "../binding.ts";
import { judge } from "../flow/facts.ts";
import { type Flow, nowSeconds } from "../flow/flow.ts";
import { newMemory } from "../flow/open.ts";
import { flowFor } from "../flow/request.ts";
import { whereOfTenant } from "../flow/where.ts";
import type { WidgetParts } from "../parts.ts";
import { decide, provenBy } from "../policy.ts";
import { type Account, remembered } from "../remembered.ts";
import { type AccountMemory, keepMemory, readMemory } from "./memory.ts";

export interface Visit {
  /** As a sign-in has it, so that what is shown to the session and counted is one and the same. */
  flow: Flow;
  account: Account;
  session: Session;
  settings: LoginSettings;
  user: User;
  methods: AuthenticationMethod[];
  /** This request's own: kept when it succeeds. */
  memory: AccountMemory;
  /** The browser has none yet, or another session's. */
  first: boolean;
}

/** @throws {Problem} account_signed_out, browser_mismatch, tenant_suspended */
export async function visit(parts: WidgetParts, c: Context<App>): Promise<Visit> {
  requireOwnOrigin(c, parts.publicUrl);
  const accounts = await remembered(parts, c);
  const before = await readMemory(parts, c);
  const account = (before && accounts.find(before.session)) ?? accounts.list()[0];
  if (account === undefined) throw signedOut("Nobody is signed in in this browser");
  const session = await liveSession(parts, account);
  if (session === undefined) throw signedOut("The session has ended");
  const flow = await flowFor(
    parts,
    c,
    newMemory(parts, {
      mode: "account",
      ref: "account",
      tenantId: account.tenantId,
      person: {
        userId: account.userId,
        orgId: account.orgId,
        tenantId: account.tenantId,
        loginName: account.loginName,
      },
      session: { id: account.id, token: account.token },
      proven: provenBy(session),
    }),
    await whereOfTenant(parts, account.tenantId),
  );
  const first = before?.session !== account.id;
  const memory = first ? { session: account.id, provenAt: 0, setUp: [] } : before!;
  const { settings, user } = await judgeVisit(flow, memory);
  const methods = await parts.zitadel.authenticationMethods(user.id);
  return { flow, account, session, settings, user, methods, memory, first };
}

/** What was set up on this page was not asked when the session began, and is not now. @throws {Problem} account_signed_out */
async function judgeVisit(flow: Flow, { setUp }: AccountMemory) {
  const facts = await judge(flow).catch((error) => {
    if (error instanceof Problem && error.slug === "credentials_refused") {
      throw signedOut("There is no such person any more", error);
    }
    throw error;
  });
  const here = setUp.map((method) => method === "u2f" ? "security_key" : ourName(method));
  const { standing } = facts;
  const verdict = decide({
    ...standing,
    holds: standing.holds.filter((factor) => !here.includes(factor)),
  });
  if (verdict === "complete" || verdict === "factor_setup_offered") return facts;
  throw signedOut(`The organization asks for more than was shown: ${verdict}`);
}

const ourName = (method: AuthenticationMethod): string =>
  method === "otp_email" ? "email_code" : method;

export const signedOut = (detail: string, cause?: unknown) =>
  new Problem("account_signed_out", detail, { cause });

/** ZITADEL's reads lag behind its writes: a session that was just made is waited for. */
const settleMs = 2_000;

async function liveSession(parts: WidgetParts, account: Account): Promise<Session | undefined> {
  const until = performance.now() + settleMs;
  for (;;) {
    const [session] = await parts.zitadel.searchSessions({ ids: [account.id] });
    const now = parts.now();
    const own = session?.user?.id === account.userId && session.user.orgId === account.orgId;
    const live = session?.expiresAt !== undefined && new Date(session.expiresAt) > now;
    if (session && own && live && Object.keys(provenBy(session)).length > 0) return session;
    const fresh = now.getTime() / 1000 - account.signedInAt < settleMs / 1000;
    if (!fresh || performance.now() > until) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** When the person last showed who they are, here or signing in: Unix seconds. */
export function provenAt({ memory, session }: Visit): number {
  return Math.max(memory.provenAt, ...Object.values(provenBy(session)));
}

export const justProven = (visit: Visit): void => {
  visit.memory.provenAt = nowSeconds(visit.flow);
};

/** What the browser keeps of a visit that succeeded. */
export async function keepVisit(c: Context<App>, { flow, account, memory }: Visit): Promise<void> {
  const { session } = flow.memory;
  const known = flow.remembered.find(account.id);
  // Each change of a session gives it another token, and the one before is dead.
  if (known && session && known.token !== session.token) {
    const { earlier: _, ...rest } = known;
    flow.remembered.put({ ...rest, token: session.token });
  }
  await flow.remembered.keep(c);
  await keepMemory(flow.parts, c, memory);
}
