/**
 * What the widget and this function say to each other. A flow is one sign-in. The function decides what comes next: each answer
 * is a `State`, which names the screen to show and carries all that it needs; each request is an `Action` of the person.
 *
 *   POST /flows/open   Open    → Opened     begins, or goes on after a reload
 *   POST /flows/act    Action  → Answer     with the header `x-gatehouse-flow: <flow>`
 *
 * What a flow has proven so far travels sealed: on our own page in a cookie (binding.ts), inline in `flow` itself, which changes
 * with every answer and lives in the page's memory only. The server keeps nothing but counts (rate limits).
 * A refusal is a problem (RFC 9457): the person stays on the screen, unless its slug is one of `endings`.
 * The widget imports types from here, never values: they weigh nothing.
 */
import { z } from "zod";
import { code, credential, languageTag, name, password } from "./fields.ts";

/** ZITADEL's ids, `V2_` and digits; anything else is not worth a question. */
export const authRequestId = z.string().regex(/^V2_[A-Za-z0-9_-]{1,200}$/);

/** How a flow begins. */
export const Open = z.discriminatedUnion("mode", [
  /** On our sign-in page: the auth request that ZITADEL named; its cookie was set with the page. */
  z.strictObject({
    mode: z.literal("page"),
    authRequest: authRequestId,
    language: languageTag.optional(),
  }),
  /** In a customer's page, or from a program: the function makes the auth request itself. The page keeps `code_verifier`, `state` and `nonce`. */
  z.strictObject({
    mode: z.literal("inline"),
    clientId: name,
    redirectUri: z.string().min(1).max(2000),
    codeChallenge: z.string().regex(/^[A-Za-z0-9_-]{43}$/), // S256, RFC 7636
    state: z.string().min(8).max(500),
    nonce: z.string().min(8).max(500),
    scope: z.string().max(1000).default("openid profile email"),
    loginHint: name.optional(),
    language: languageTag.optional(),
  }),
  /** On our page, from a link in a mail or handed over by an administrator; `code` stands in the address' fragment, so no log has it. */
  z.strictObject({
    mode: z.literal("link"),
    kind: z.enum(["reset", "verify_email", "invitation"]),
    userId: name,
    code,
    /** Goes on with it where the link was asked for within a sign-in of this browser. */
    authRequest: authRequestId.optional(),
    language: languageTag.optional(),
  }),
  /** On our page: signing in to `<gatehouse-account>`, without an application. */
  z.strictObject({
    mode: z.literal("account"),
    tenant: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
    language: languageTag.optional(),
  }),
  /** On our page `/logout`, where ZITADEL sends who signed out at an application: `token` is its `logout_token`. Answers `signed_out`. */
  z.strictObject({
    mode: z.literal("logout"),
    token: z.string().min(1).max(8000),
    language: languageTag.optional(),
  }),
]);
export type Open = z.input<typeof Open>;

/** What a person does. Which of them a screen takes stands beside the screen. */
export const Action = z.discriminatedUnion("action", [
  // start
  z.strictObject({ action: z.literal("password"), loginName: name, password }),
  z.strictObject({ action: z.literal("passkey"), loginName: name }),
  z.strictObject({ action: z.literal("email_code"), loginName: name }),
  z.strictObject({ action: z.literal("provider"), providerId: name }),
  /** By the domain of the name: a provider's `redirect`, else `start` again with what the name allows. Tells nothing of accounts. */
  z.strictObject({ action: z.literal("discover"), loginName: name }),
  z.strictObject({ action: z.literal("show_register") }),
  z.strictObject({ action: z.literal("show_reset"), loginName: name.optional() }),
  z.strictObject({ action: z.literal("back") }), // to start, from wherever nothing is proven yet
  // accounts
  z.strictObject({ action: z.literal("choose_account"), id: name }),
  z.strictObject({ action: z.literal("forget_account"), id: name }),
  z.strictObject({ action: z.literal("other_account") }),
  // passkey, setup_passkey
  z.strictObject({ action: z.literal("credential"), credential, name: name.optional() }),
  // factor
  z.strictObject({
    action: z.literal("choose_factor"),
    method: z.enum(["totp", "security_key", "email_code", "recovery_code"]),
  }),
  /** For factor (totp, recovery_code), email_code, verify_email, setup_totp. */
  z.strictObject({ action: z.literal("code"), code }),
  z.strictObject({ action: z.literal("resend") }),
  // change_password (with the present one), reset_code (with the code), invitation
  z.strictObject({
    action: z.literal("new_password"),
    newPassword: password,
    currentPassword: password.optional(),
    code: code.optional(),
  }),
  // setup_factor, invitation
  z.strictObject({
    action: z.literal("set_up"),
    method: z.enum(["totp", "passkey", "security_key", "email_code"]),
  }),
  z.strictObject({ action: z.literal("skip") }), // setup_factor, when skippable
  z.strictObject({ action: z.literal("continue") }), // recovery_codes, signed_out, verify_email behind a link
  // register, complete_account
  z.strictObject({
    action: z.literal("register"),
    givenName: name,
    familyName: name,
    email: z.email().max(200),
    /** Absent: with a passkey, or on complete_account, where a provider vouches. */
    password: password.optional(),
    acceptTerms: z.boolean().default(false),
  }),
  // reset
  z.strictObject({ action: z.literal("reset"), loginName: name }),
  // ldap
  z.strictObject({ action: z.literal("ldap"), username: name, password }),
  // external: the provider sent the person back to /return, whose address has `id`, `token` and `ticket`, or `error` and `ticket`.
  // The page there is `<gatehouse-login flow="…">`: open first, as after a reload, then this.
  z.strictObject({
    action: z.literal("intent"),
    id: name,
    token: z.string().min(1).max(2000),
    /** Ties the answer to the browser that asked: another's answer cannot be slipped in (login CSRF). */
    ticket: name,
  }),
  z.strictObject({ action: z.literal("intent_failed"), error: z.string().max(200).optional() }),
]);
export type Action = z.input<typeof Action>;

const resendAfterSeconds = z.int().min(0);
/** `v…@example.com`: enough to know one's own, too little to learn somebody's. */
const maskedEmail = z.string();

export const Complexity = z.object({
  minLength: z.int(),
  uppercase: z.boolean(),
  lowercase: z.boolean(),
  number: z.boolean(),
  symbol: z.boolean(),
});
export type Complexity = z.output<typeof Complexity>;

const providerKinds = ["google", "github", "microsoft", "oidc", "saml", "ldap"] as const;
const Provider = z.object({ id: z.string(), kind: z.enum(providerKinds), name: z.string() });

/** What comes next. `screen` tells which; the comment, which actions it takes. */
export const State = z.discriminatedUnion("screen", [
  /** password, passkey, email_code, provider, discover, show_register, show_reset; the ways that are false are not shown and refused */
  z.object({
    screen: z.literal("start"),
    loginHint: z.string().optional(),
    ways: z.object({
      password: z.boolean(),
      passkey: z.boolean(),
      emailCode: z.boolean(),
      register: z.boolean(),
      reset: z.boolean(),
      /** Whether to ask `discover` when a name with a domain was typed. */
      discovery: z.boolean(),
    }),
    providers: z.array(Provider),
    /** Where a passkey cannot be used here (inline, another relying party): the address of the redirect way. */
    redirectInstead: z.boolean(),
  }),
  /** choose_account, forget_account, other_account */
  z.object({
    screen: z.literal("accounts"),
    accounts: z.array(z.object({
      id: z.string(),
      loginName: z.string(),
      displayName: z.string(),
      /** Signing in goes on without typing. */
      fresh: z.boolean(),
    })),
  }),
  /** credential, choose_factor, back; `options` is `PublicKeyCredentialRequestOptionsJSON` */
  z.object({
    screen: z.literal("passkey"),
    options: z.record(z.string(), z.unknown()),
    /** A second factor after a password, or the whole sign-in. */
    purpose: z.enum(["sign_in", "factor"]),
    /** For who has lost the key; none when it is the whole sign-in. */
    others: z.array(z.enum(["totp", "email_code", "recovery_code"])),
  }),
  /** code (totp, recovery_code), choose_factor, back */
  z.object({
    screen: z.literal("factor"),
    method: z.enum(["totp", "recovery_code"]),
    others: z.array(z.enum(["totp", "security_key", "email_code", "recovery_code"])),
  }),
  /** code, resend, choose_factor, back */
  z.object({
    screen: z.literal("email_code"),
    to: maskedEmail,
    purpose: z.enum(["sign_in", "factor"]),
    others: z.array(z.enum(["totp", "security_key", "recovery_code"])),
    resendAfterSeconds,
  }),
  /** code, resend, back; behind a link, which carried the code, `continue` */
  z.object({
    screen: z.literal("verify_email"),
    to: maskedEmail,
    resendAfterSeconds,
    codeNeeded: z.boolean(),
  }),
  /** new_password with currentPassword */
  z.object({
    screen: z.literal("change_password"),
    reason: z.enum(["required", "expired"]),
    complexity: Complexity,
  }),
  /** set_up, skip */
  z.object({
    screen: z.literal("setup_factor"),
    methods: z.array(z.enum(["totp", "passkey", "security_key", "email_code"])),
    skippable: z.boolean(),
  }),
  /** code, back */
  z.object({
    screen: z.literal("setup_totp"),
    secret: z.string(),
    /** `otpauth://…`, for a tap on a telephone. */
    uri: z.string(),
    /** A square of `size` modules as one SVG path of unit squares, to be drawn here. */
    qr: z.object({ size: z.int(), path: z.string() }),
  }),
  /** credential, back; `options` is `PublicKeyCredentialCreationOptionsJSON` */
  z.object({
    screen: z.literal("setup_passkey"),
    options: z.record(z.string(), z.unknown()),
    kind: z.enum(["passkey", "security_key"]),
  }),
  /** continue; shown this once */
  z.object({ screen: z.literal("recovery_codes"), codes: z.array(z.string()) }),
  /** register, back */
  z.object({
    screen: z.literal("register"),
    complexity: Complexity,
    passkey: z.boolean(),
    termsUrl: z.string().optional(),
    privacyUrl: z.string().optional(),
  }),
  /** reset, back */
  z.object({ screen: z.literal("reset"), loginHint: z.string().optional() }),
  /** new_password with code, resend, back; the same whether there is such an account or not */
  z.object({
    screen: z.literal("reset_code"),
    complexity: Complexity,
    resendAfterSeconds,
    /** False behind a link, which carried the code. */
    codeNeeded: z.boolean(),
  }),
  /** new_password, set_up passkey */
  z.object({
    screen: z.literal("invitation"),
    displayName: z.string(),
    tenantName: z.string(),
    complexity: Complexity,
    passkey: z.boolean(),
  }),
  /** ldap, back */
  z.object({ screen: z.literal("ldap"), provider: Provider }),
  /** register without password, back: a provider vouches for a person whom the tenant does not know yet */
  z.object({
    screen: z.literal("complete_account"),
    provider: Provider,
    givenName: z.string(),
    familyName: z.string(),
    email: z.string(),
  }),
  /** The widget goes there by itself; `fields` make it a POST (SAML). What comes back arrives at /return. */
  z.object({
    screen: z.literal("external"),
    url: z.string(),
    fields: z.record(z.string(), z.string()).optional(),
  }),
  /** The end: the address that carries the code. Inline hands it to the page as one event, the page goes there. */
  z.object({ screen: z.literal("done"), callbackUrl: z.string() }),
  /** The end of mode `account`, and of a link without a sign-in behind it. */
  z.object({
    screen: z.literal("finished"),
    what: z.enum(["signed_in", "reset", "verified", "invited"]),
  }),
  z.object({ screen: z.literal("signed_out"), continueUrl: z.string().optional() }),
]);
export type State = z.output<typeof State>;
export type Screen = State["screen"];

/** Who asks whom to sign in where: the heading of every screen. */
export const About = z.object({
  appName: z.string(),
  tenantName: z.string(),
});

/** A tenant's look, as published (sql/45_widgets). */
export const Look = z.object({
  /** Names of custom properties without `--gatehouse-`, and their values. */
  tokens: z.record(z.string(), z.string()),
  layout: z.enum(["card", "plain", "split"]),
  logoUrl: z.string().optional(),
  /** By language, then by key of the widget's texts. */
  texts: z.record(z.string(), z.record(z.string(), z.string())),
});
export type Look = z.output<typeof Look>;

export const Answer = z.object({
  /** To be sent with the next action: inline the sealed flow itself. */
  flow: z.string(),
  state: State,
});
export type Answer = z.output<typeof Answer>;

export const Opened = Answer.extend({
  about: About,
  look: Look.nullable(),
  languages: z.array(z.string()),
});
export type Opened = z.output<typeof Opened>;

/** After these slugs no other try within the flow can succeed. */
export const endings = [
  "flow_finished",
  "flow_not_found",
  "browser_mismatch",
  "app_disabled",
  "tenant_suspended",
  "origin_refused",
  "inline_refused",
] as const;
