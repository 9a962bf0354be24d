/**
 * What a flow remembers from one request to the next. It travels sealed (carrier.ts): the browser keeps it and can neither read nor
 * change it. An older one may be shown again; so it only ever says what was true, and whoever acts on it asks the policy anew.
 */
import type { Screen } from "../contract.ts";
import type { Proven } from "../policy.ts";

export interface Memory {
  mode: "page" | "inline" | "link" | "account";
  /** Names the flow: the auth request's id, where there is one. */
  ref: string;
  /** Of mode `account` and `link`, which no application asked for. */
  tenantId?: string;
  /** Random; the fingerprint that ZITADEL keeps with the session. */
  browser: string;
  /** Inline: the page's origin. Absent there: a program, which sends none. */
  origin?: string;
  /** Unix seconds. `prompt=login` counts nothing that was shown before. */
  startedAt: number;
  /** Unix seconds. */
  expiresAt: number;
  language?: string;
  /** Opened before: after a reload it goes on. */
  begun?: true;
  /** What the person sees, which says what they may do next. */
  screen: Screen;
  /** Who it is, or says to be: `proven` tells. */
  person?: Person;
  /** The ZITADEL session of `person`. */
  session?: { id: string; token: string };
  /** What `session` was shown, when. From here and not from ZITADEL, whose reads lag half a second behind. */
  proven: Proven;
  /** What this flow changed about `person`, for the same reason. For some seconds only: what ZITADEL says then may be somebody else's newer change. */
  changed: {
    /** Unix seconds. */
    at?: number;
    emailVerified?: true;
    /** They registered in this flow, and hold nothing to sign in with yet. */
    registered?: true;
    passwordChanged?: true;
    setupSkipped?: true;
    setUp?: ("totp" | "u2f" | "otp_email" | "passkey" | "recovery_code")[];
  };
  /** What the last answer asked for, by the file that asked. One at a time. */
  pending?: Pending;
  /** A sign-in at a provider that this browser was sent to; another may be begun meanwhile. */
  external?: { idpId: string; ticket: string; home: Home };
}

export interface Person {
  userId: string;
  orgId: string;
  tenantId: string;
  /** What they typed, or are called. */
  loginName: string;
}

/** The organization that a name or a provider belongs to. */
export interface Home {
  tenantId: string;
  organizationId: string;
}

/** Files of their own may add to it. */
export type Pending =
  /** passkey.ts: `known` false where the challenge was made up. */
  | { kind: "passkey"; purpose: "sign_in" | "factor"; required: boolean; known: boolean }
  /** factor.ts, email_code.ts */
  | { kind: "factor"; method: "totp" | "recovery_code" }
  | { kind: "email_code"; purpose: "factor"; to: string; resendAt: number }
  /** email_sign_in.ts: `known` false where no code was mailed. `account`: the name as it was typed. */
  | {
    kind: "email_code";
    purpose: "sign_in";
    to: string;
    resendAt: number;
    account: string;
    known: boolean;
  }
  /** verify_email.ts, register.ts: `known` false where the address has an account already. `code`: behind a link, not yet shown. */
  | {
    kind: "verify_email";
    to: string;
    resendAt: number;
    account: string;
    known: boolean;
    code?: string;
  }
  /** reset.ts: without `userId` no code was mailed. `code`: behind a link. */
  | {
    kind: "reset";
    account: string;
    resendAt: number;
    home?: Home;
    userId?: string;
    code?: string;
  }
  /** invitation.ts: the link's code, not yet shown. */
  | { kind: "invitation"; account: string; userId: string; code: string }
  /** first_passkey.ts: what ZITADEL calls the registration. */
  | { kind: "first_passkey"; account: string; id: string }
  /** setup_passkey.ts: what ZITADEL calls the registration. */
  | { kind: "setup_passkey"; method: "passkey" | "security_key"; id: string }
  /** provider.ts: the directory that the screen asks for. */
  | { kind: "ldap"; idpId: string; home: Home }
  /** provider.ts: an external account that nobody here has yet. */
  | {
    kind: "complete_account";
    idpId: string;
    home: Home;
    intent: { id: string; token: string };
  };

/** A sign-in is open for an hour: as long as somebody may look for a password. */
export const lifetimeSeconds = 60 * 60;

/** ZITADEL's reads are at most two seconds late. */
const changesCountSeconds = 10;

export function forgetOldChanges(memory: Memory, now: number): void {
  if ((memory.changed.at ?? now) + changesCountSeconds < now) memory.changed = {};
}

export function stampChanges(memory: Memory, before: Memory | undefined, now: number): void {
  const { changed } = memory;
  const grown = JSON.stringify(changed) !== JSON.stringify(before?.changed ?? {});
  if (grown && Object.keys(changed).length > 0) changed.at = now;
}

/** Nobody is meant any more; what the browser and the flow are stays. */
export function forget(memory: Memory): void {
  delete memory.person;
  delete memory.session;
  delete memory.pending;
  memory.proven = {};
  memory.changed = {};
}
