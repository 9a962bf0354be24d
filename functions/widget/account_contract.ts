/**
 * What `<gatehouse-account>` and this function say to each other. The person is known by the cookie that a flow of mode `account`
 * left (contract.ts, Open); it goes to this function's own origin only, so the element works on our own pages alone.
 *
 *   GET  /account                 → Account        what the page shows, in one answer
 *   POST /account/act   Act       → AccountAnswer  what it shows afterwards, and what is asked next, if anything
 *
 * Both refuse with a problem (RFC 9457). Two slugs mean something to the element beyond their text:
 *   `account_signed_out` (401)  nobody is signed in here: sign in, then ask again
 *   `proof_required` (403)      what was asked needs a proof younger than `proofLifetimeSeconds`: `begin_proof`, `prove`, then the
 *                               same Act again. Nothing was changed. Acts that ask for it carry * below.
 * What a pending step has begun travels sealed in the cookie; the server keeps nothing but counts (rate limits).
 * The element imports types from here, never values.
 */
import { z } from "zod";
import { Complexity } from "./contract.ts";
import { credential, languageTag, name as text, password } from "./fields.ts";

/** How long a proof holds: long enough to finish what one came for, too short for a browser left alone. */
export const proofLifetimeSeconds = 300;

export const proofMethods = ["password", "passkey", "totp"] as const;
export type ProofMethod = typeof proofMethods[number];

export const Proof = z.discriminatedUnion("method", [
  z.strictObject({ method: z.literal("password"), password }),
  z.strictObject({ method: z.literal("totp"), code: text }),
  z.strictObject({ method: z.literal("passkey"), credential }),
]);

/** What the person does. */
export const Act = z.discriminatedUnion("action", [
  // profile
  z.strictObject({ action: z.literal("set_profile"), givenName: text, familyName: text }),
  /** For the mails, and for pages without a language of their own; one of `languages`. */
  z.strictObject({ action: z.literal("set_language"), language: languageTag }),
  /** * The address changes when its code came back (pending `verify_email`), not before. */
  z.strictObject({ action: z.literal("change_email"), email: z.email().max(200) }),
  z.strictObject({ action: z.literal("verify_email"), code: text }),
  z.strictObject({ action: z.literal("resend") }),
  // password: `currentPassword` is its own proof; absent where none is set yet, then *. Other sessions end.
  z.strictObject({
    action: z.literal("change_password"),
    newPassword: password,
    currentPassword: password.optional(),
  }),
  // second factors
  z.strictObject({ action: z.literal("set_up"), method: z.enum(["totp", "email_code"]) }), // *
  z.strictObject({ action: z.literal("confirm_totp"), code: text }),
  z.strictObject({ action: z.literal("remove"), method: z.enum(["totp", "email_code"]) }), // *
  z.strictObject({ action: z.literal("new_recovery_codes") }), // * the old ones no longer count
  // passkeys and security keys
  z.strictObject({ action: z.literal("add_key"), kind: z.enum(["passkey", "security_key"]) }), // *
  z.strictObject({ action: z.literal("credential"), credential, name: text }),
  z.strictObject({ action: z.literal("remove_key"), id: text }), // *
  // linked providers; what comes back from the provider arrives at /me. A directory (`ldap`) takes its name and password at once
  z.strictObject({
    action: z.literal("link"),
    providerId: text,
    directory: z.strictObject({ username: text, password }).optional(),
  }), // *
  z.strictObject({
    action: z.literal("intent"),
    id: text,
    token: z.string().min(1).max(2000),
    ticket: text,
  }),
  z.strictObject({ action: z.literal("unlink"), providerId: text, externalId: text }), // *
  // sessions
  z.strictObject({ action: z.literal("end_session"), id: text }),
  z.strictObject({ action: z.literal("end_other_sessions") }),
  z.strictObject({ action: z.literal("sign_out") }), // this one; the next GET refuses with account_signed_out
  // proof
  z.strictObject({ action: z.literal("begin_proof"), method: z.enum(proofMethods).optional() }),
  z.strictObject({ action: z.literal("prove"), proof: Proof }),
  /** Drops what is pending. */
  z.strictObject({ action: z.literal("cancel") }),
]);
export type Act = z.input<typeof Act>;

const provider = z.object({
  id: z.string(),
  kind: z.enum(["google", "github", "microsoft", "oidc", "saml", "ldap"]),
  name: z.string(),
});
/** RFC 3339, in UTC. */
const moment = z.string();

export const Account = z.object({
  tenantName: z.string(),
  profile: z.object({
    displayName: z.string(),
    givenName: z.string(),
    familyName: z.string(),
    loginName: z.string(),
    email: z.string(),
    emailVerified: z.boolean(),
    language: z.string(),
  }),
  /** Null where the organization allows no password. */
  password: z.object({
    set: z.boolean(),
    changedAt: moment.optional(),
    complexity: Complexity,
  }).nullable(),
  secondFactors: z.object({
    totp: z.boolean(),
    emailCode: z.boolean(),
    /** Whether there are some: ZITADEL tells no number. Null where the organization has none, or where no other factor is set up. */
    recoveryCodes: z.boolean().nullable(),
    /** What may be set up here. */
    allowed: z.array(z.enum(["totp", "email_code", "security_key"])),
    /** The organization demands one: the last cannot be removed (`last_factor`). */
    required: z.boolean(),
  }),
  keys: z.array(z.object({
    id: z.string(),
    kind: z.enum(["passkey", "security_key"]),
    name: z.string(),
    createdAt: moment.optional(),
  })),
  /** Whether passkeys are allowed here. */
  passkeys: z.boolean(),
  /** Those that the organization offers, linked or not, and those that are linked though no longer offered. */
  providers: z.array(provider.extend({
    linked: z.object({ externalId: z.string(), userName: z.string() }).nullable(),
    offered: z.boolean(),
  })),
  sessions: z.array(z.object({
    id: z.string(),
    current: z.boolean(),
    /** The `user-agent` header as it came, cut off; the element makes words of it. */
    userAgent: z.string(),
    address: z.string().optional(),
    createdAt: moment,
    lastActiveAt: moment,
  })),
  languages: z.array(z.string()),
  look: z.object({
    tokens: z.record(z.string(), z.string()),
    logoUrl: z.string().optional(),
    texts: z.record(z.string(), z.record(z.string(), z.string())),
  }).nullable(),
});
export type Account = z.output<typeof Account>;

/** What is asked next. Which acts it takes stands beside it; `cancel` always. */
export const Pending = z.discriminatedUnion("step", [
  /** prove, begin_proof with another method; `options` is `PublicKeyCredentialRequestOptionsJSON`, with `passkey` only */
  z.object({
    step: z.literal("proof"),
    method: z.enum(proofMethods),
    others: z.array(z.enum(proofMethods)),
    options: z.record(z.string(), z.unknown()).optional(),
  }),
  /** verify_email, resend; `email` is the new address, which the person has just typed */
  z.object({
    step: z.literal("verify_email"),
    email: z.string(),
    resendAfterSeconds: z.int().min(0),
  }),
  /** confirm_totp */
  z.object({
    step: z.literal("setup_totp"),
    secret: z.string(),
    uri: z.string(),
    qr: z.object({ size: z.int(), path: z.string() }),
  }),
  /** credential; `options` is `PublicKeyCredentialCreationOptionsJSON` */
  z.object({
    step: z.literal("setup_key"),
    kind: z.enum(["passkey", "security_key"]),
    options: z.record(z.string(), z.unknown()),
  }),
  /** Shown this once; nothing is to be sent. After the first second factor, and after new_recovery_codes. */
  z.object({ step: z.literal("recovery_codes"), codes: z.array(z.string()) }),
  /** The element goes there by itself; `fields` make it a POST (SAML). */
  z.object({
    step: z.literal("external"),
    url: z.string(),
    fields: z.record(z.string(), z.string()).optional(),
  }),
]);
export type Pending = z.output<typeof Pending>;

export const AccountAnswer = z.object({ account: Account, pending: Pending.nullable() });
export type AccountAnswer = z.output<typeof AccountAnswer>;
