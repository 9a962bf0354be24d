/**
 * Signing in from a program: the same flows as the widget's, where no browser is. For servers and native programs that draw their
 * own forms; what they are typed, they see. The application opts in to it (`apps.inline_enabled`), and a request with an `Origin` is
 * refused: pages use the widget.
 *
 *   POST /api/sign-in   SignIn   → Outcome    name and password
 *   POST /api/sign-up   SignUp   → Outcome    a new account, where the tenant lets people make one
 *   POST /api/forgot    Forgot   → Outcome    a code to the account's address, whether there is one or not
 *   POST /api/reset     Reset    → Outcome    with that code, a new password
 *   POST /api/act       GoOn     → Outcome    whatever else a screen takes: a second factor, a code, "later"
 *   POST /api/refresh   Refresh  → Tokens     each refresh token is good once
 *   POST /api/sign-out  SignOut  → 204
 *
 * A confidential application sends its client id and secret as `Authorization: Basic`; they go to the issuer as they are.
 */
import { z } from "zod";
import { Action, State } from "../contract.ts";
import { languageTag, name, password } from "../fields.ts";

const ticket = z.string().min(1).max(20_000);
const token = z.string().min(1).max(8_000);

const application = {
  clientId: name,
  /** One of the application's, letter by letter. Nobody is sent there: it is part of what the issuer checks. */
  redirectUri: z.string().min(1).max(2000),
  scope: z.string().max(1000).default("openid profile email offline_access"),
  language: languageTag.optional(),
};

export const SignIn = z.strictObject({ ...application, loginName: name, password });
export const SignUp = z.strictObject({
  ...application,
  givenName: name,
  familyName: name,
  email: z.email().max(200),
  password,
  acceptTerms: z.boolean().default(false),
});
export const Forgot = z.strictObject({ ...application, loginName: name });
export const Reset = z.strictObject({ ticket, code: name, newPassword: password });
export const GoOn = z.strictObject({ ticket, action: Action });
export const Refresh = z.strictObject({ clientId: name, refreshToken: token });
export const SignOut = z.strictObject({
  clientId: name,
  /** Revoked. */
  refreshToken: token.optional(),
  /** Ends the session at the issuer, and with it every token of it. */
  idToken: token.optional(),
});

export const Tokens = z.object({
  accessToken: z.string(),
  tokenType: z.literal("Bearer"),
  /** Seconds. */
  expiresIn: z.int(),
  /** Where `offline_access` was asked for. */
  refreshToken: z.string().optional(),
  idToken: z.string().optional(),
});
export type Tokens = z.output<typeof Tokens>;

export const Outcome = z.discriminatedUnion("status", [
  z.object({ status: z.literal("signed_in"), tokens: Tokens }),
  /** Not yet: `state` says what is asked, `ticket` goes with the next request and changes with each. An hour at most. */
  z.object({ status: z.literal("next"), ticket: z.string(), state: State }),
]);
export type Outcome = z.output<typeof Outcome>;
