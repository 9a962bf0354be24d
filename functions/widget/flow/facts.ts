/** What the policy is asked with: the settings of the person's organization, the person, and what this flow has shown and changed. */
import type { LoginSettings, User } from "../../_shared/zitadel/types.ts";
import { decide, type Standing, standingOf, type Verdict } from "../policy.ts";
import { type Flow, nowSeconds, refused } from "./flow.ts";

export interface Facts {
  settings: LoginSettings;
  user: User;
  standing: Standing;
  verdict: Verdict;
}

/** @throws {Problem} credentials_refused, when the flow is about nobody or somebody who is gone */
export async function judge(flow: Flow): Promise<Facts> {
  const { parts: { zitadel, now }, memory: { person, proven, changed } } = flow;
  if (person === undefined) throw refused();
  const [settings, expiry, user, methods] = await Promise.all([
    zitadel.loginSettings(person.orgId),
    zitadel.passwordExpiry(person.orgId),
    zitadel.getUser(person.userId),
    zitadel.authenticationMethods(person.userId),
  ]);
  if (user === null || user.orgId !== person.orgId) throw refused();
  if (user.profile && changed.emailVerified) user.profile.emailVerified = true;
  if (user.profile && changed.passwordChanged) {
    user.profile.passwordChangeRequired = false;
    user.profile.passwordChangedAt = now().toISOString();
  }
  if (user.profile && changed.setupSkipped) user.profile.mfaInitSkippedAt = now().toISOString();
  const standing = standingOf({
    settings,
    expiry,
    user,
    methods: [...new Set([...methods, ...changed.setUp ?? []])],
    emailCodeAlone: emailCodeAlone(flow),
    proven: flow.memory.session === undefined ? {} : proven,
    notBefore: notBefore(flow),
    now: now(),
  });
  return { settings, user, standing, verdict: decide(standing) };
}

/** Only where the tenant said so: it makes one factor of what may have been two. */
export const emailCodeAlone = ({ published, parts }: Flow): boolean =>
  published?.flows.email_code === true && parts.mailer.available;

/** OpenID Connect Core, 3.1.2.1: `prompt=login` asks anew, `max_age` too where the last time is longer ago. */
function notBefore(flow: Flow): number {
  const { request, memory } = flow;
  return Math.max(
    request?.prompts.includes("login") ? memory.startedAt : 0,
    // What this flow itself asked for counts, even where max_age is shorter than typing takes.
    request?.maxAgeSeconds === undefined
      ? 0
      : Math.min(nowSeconds(flow) - request.maxAgeSeconds, memory.startedAt),
  );
}
