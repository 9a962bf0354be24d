/** What docs/openapi.json tells of. test/unit/openapi.test.ts holds it to the routes that there are. */
import type { z } from "zod";
import type { problems } from "../../functions/_shared/problems.ts";
import { Account, AccountAnswer, Act } from "../../functions/widget/account_contract.ts";
import {
  Forgot,
  GoOn,
  Outcome,
  Refresh,
  Reset,
  SignIn,
  SignOut,
  SignUp,
  Tokens,
} from "../../functions/widget/api/contract.ts";
import { Action, Answer, Look, Open, Opened, State } from "../../functions/widget/contract.ts";
import { PublishedDocument } from "../../functions/widget/look.ts";
import { Snippet } from "../../functions/widget/snippet.ts";

export type Slug = keyof typeof problems;

/** As callers send them. */
export const requests: Record<string, z.ZodType> = {
  Open,
  Action,
  Act,
  SignIn,
  SignUp,
  Forgot,
  Reset,
  GoOn,
  Refresh,
  SignOut,
};
/** As they are answered. */
export const answers: Record<string, z.ZodType> = {
  State,
  Look,
  Answer,
  Opened,
  Account,
  AccountAnswer,
  Tokens,
  Outcome,
  Published: PublishedDocument,
  Snippet,
};

export interface Operation {
  method: "get" | "post";
  path: string;
  id: string;
  tag: "flows" | "account" | "programs" | "published";
  summary: string;
  request?: string;
  ok: Record<string, { description: string; schema?: string; type?: string }>;
  refusals: Slug[];
  security?: Record<string, string[]>[];
  parameters?: Record<string, unknown>[];
}

const everywhere: Slug[] = ["zitadel_unavailable", "database_unavailable", "busy", "internal"];
const ofABody: Slug[] = [
  "malformed_json",
  "unsupported_media_type",
  "payload_too_large",
  "invalid_request",
];
const ofAnApplication: Slug[] = ["app_disabled", "tenant_suspended", "origin_refused"];
/** What any step of a sign-in may end with. */
const ofAFlow: Slug[] = [
  ...ofAnApplication,
  "credentials_refused",
  "code_refused",
  "credential_refused",
  "intent_refused",
  "action_refused",
  "flow_finished",
  "flow_not_found",
  "way_not_allowed",
  "password_not_allowed",
  "factor_required",
  "email_not_verified",
  "inline_refused",
  "external_account_unknown",
  "account_exists",
  "password_too_weak",
  "password_unchanged",
  "terms_not_accepted",
  "platform_user_refused",
  "rate_limited",
];
const onTheAccountPage: Slug[] = ["account_signed_out", "browser_mismatch", "tenant_suspended"];
const ofAProgram: Slug[] = [
  ...ofABody,
  ...ofAFlow,
  "authorize_refused",
  "client_credentials_refused",
  ...everywhere,
];

const answer = (schema: string, description: string) => ({ 200: { description, schema } });
const program = (
  path: string,
  id: string,
  summary: string,
  request: string,
  more: Slug[] = [],
): Operation => ({
  ...{ method: "post", path: `/api/${path}`, id, tag: "programs", summary, request },
  ok: answer("Outcome", "Tokens, or what is asked next"),
  refusals: [...ofAProgram, ...more],
  security: [{}, { application: [] }],
});
const hashed = (name: string, pattern: string, description: string) => [{
  ...{ name, in: "path", required: true, description },
  schema: { type: "string", pattern },
}];

export const operations: Operation[] = [
  {
    ...{ method: "post", path: "/flows/open", id: "openFlow", tag: "flows", request: "Open" },
    summary: "Begins a sign-in, or goes on after a reload",
    ok: answer("Opened", "The first screen, and how it looks"),
    refusals: [
      ...ofABody,
      ...ofAnApplication,
      "authorize_refused",
      "browser_mismatch",
      "code_refused",
      "flow_not_found",
      "logout_refused",
      "rate_limited",
      ...everywhere,
    ],
  },
  {
    ...{ method: "post", path: "/flows/act", id: "act", tag: "flows", request: "Action" },
    summary: "What the person does on the screen that the flow shows",
    ok: answer("Answer", "The next screen"),
    refusals: [...ofABody, ...ofAFlow, "browser_mismatch", ...everywhere],
    security: [{ flow: [] }],
  },
  {
    ...{ method: "get", path: "/account", id: "getAccount", tag: "account" },
    summary: "What the account page shows",
    ok: answer("Account", "The account of who is signed in in this browser"),
    refusals: [...onTheAccountPage, ...everywhere],
    security: [{ browser: [] }],
  },
  {
    ...{ method: "post", path: "/account/act", id: "actOnAccount", tag: "account", request: "Act" },
    summary: "What the person changes; some of it takes a proof of the last five minutes",
    ok: answer("AccountAnswer", "What the page shows afterwards, and what is asked next"),
    refusals: [
      ...ofABody,
      ...onTheAccountPage,
      "proof_required",
      "credentials_refused",
      "code_refused",
      "credential_refused",
      "intent_refused",
      "way_not_allowed",
      "password_not_allowed",
      "platform_user_refused",
      "action_refused",
      "email_taken",
      "external_account_taken",
      "factor_exists",
      "last_factor",
      "last_way",
      "key_not_found",
      "link_not_found",
      "session_not_found",
      "password_too_weak",
      "password_unchanged",
      "rate_limited",
      ...everywhere,
    ],
    security: [{ browser: [] }],
  },
  program("sign-in", "signIn", "With name and password", "SignIn"),
  program("sign-up", "signUp", "Makes an account, where the tenant lets people make one", "SignUp"),
  program(
    "forgot",
    "forgot",
    "Sends a code, the same whether there is an account or not",
    "Forgot",
  ),
  program("reset", "reset", "A new password, with the code that was sent", "Reset", [
    "ticket_refused",
  ]),
  program("act", "goOn", "Whatever else the state takes: a factor, a code, «later»", "GoOn", [
    "ticket_refused",
  ]),
  {
    ...{ method: "post", path: "/api/refresh", id: "refresh", tag: "programs", request: "Refresh" },
    summary: "New tokens for a refresh token, which is good once",
    ok: answer("Tokens", "With the refresh token that takes its place"),
    refusals: [
      ...ofABody,
      "origin_refused",
      "refresh_refused",
      "client_credentials_refused",
      ...everywhere,
    ],
    security: [{}, { application: [] }],
  },
  {
    ...{
      method: "post",
      path: "/api/sign-out",
      id: "signOut",
      tag: "programs",
      request: "SignOut",
    },
    summary: "Revokes the refresh token, ends the session",
    ok: { 204: { description: "Done, also where there was nothing left to end" } },
    refusals: [
      ...ofABody,
      "origin_refused",
      "logout_refused",
      "client_credentials_refused",
      ...everywhere,
    ],
    security: [{}, { application: [] }],
  },
  {
    ...{ method: "get", path: "/config/{file}", id: "getPublished", tag: "published" },
    summary: "A published configuration, for ever",
    parameters: hashed("file", "^[0-9a-f]{64}\\.json$", "SHA-256 of the answer in hex, and .json"),
    ok: answer("Published", "What the hash is of, byte for byte"),
    refusals: ["not_found", ...everywhere],
  },
  {
    ...{ method: "get", path: "/logo/{hash}", id: "getLogo", tag: "published" },
    summary: "A logo, for ever",
    parameters: hashed("hash", "^[0-9a-f]{64}$", "SHA-256 of the picture in hex"),
    ok: { 200: { description: "SVG, PNG or WebP", type: "image/*" } },
    refusals: ["not_found", ...everywhere],
  },
  {
    ...{ method: "get", path: "/snippet", id: "getSnippet", tag: "published" },
    summary: "What to paste into an application's page",
    parameters: ["tenantId", "appId"].map((name) => ({
      ...{ name, in: "query", required: true },
      schema: { type: "string", format: "uuid" },
    })),
    ok: answer("Snippet", "Script and element, the script pinned by its integrity value"),
    refusals: [
      "token_missing",
      "token_invalid",
      "token_expired",
      "app_not_found",
      "app_not_ready",
      "invalid_request",
      "not_configured",
      "database_unavailable",
      "busy",
      "internal",
    ],
    security: [{ person: [] }],
  },
];
