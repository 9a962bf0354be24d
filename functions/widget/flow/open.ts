/** How a flow begins, or goes on after a reload: one way a mode. */
import type { Context } from "hono";
import type { App } from "../../_shared/app.ts";
import { body } from "../../_shared/body.ts";
import { span } from "../../_shared/telemetry.ts";
import { flowBinding, mismatch, requireOwnOrigin } from "../binding.ts";
import { Open, type Opened, type State } from "../contract.ts";
import type { WidgetParts } from "../parts.ts";
import type { z } from "zod";
import { beginWithAccounts } from "./accounts.ts";
import { resumeEmailCode } from "./email_sign_in.ts";
import { asProblem } from "./failures.ts";
import { type Flow } from "./flow.ts";
import { handlers } from "./handlers.ts";
import { openInline } from "./inline.ts";
import { openLink } from "./link.ts";
import { openLogout } from "./logout.ts";
import { lifetimeSeconds, type Memory } from "./memory.ts";
import { next } from "./next.ts";
import { flowFor, keep } from "./request.ts";
import { resumeReset } from "./reset.ts";
import { showStart } from "./start.ts";
import { resumeVerification } from "./verify_email.ts";
import { whereOf, whereOfTenant } from "./where.ts";

type Parsed = z.output<typeof Open>;
export type Mode = Parsed["mode"];
export type OpenOf<M extends Mode> = Extract<Parsed, { mode: M }>;
export type Opener<M extends Mode> = (
  parts: WidgetParts,
  c: Context<App>,
  input: OpenOf<M>,
) => Promise<Begun>;
export interface Begun {
  flow: Flow;
  state: State;
}

const openers: { [M in Mode]: Opener<M> } = {
  page: openPage,
  inline: openInline,
  link: openLink,
  account: openAccount,
  logout: openLogout,
};

export async function open(parts: WidgetParts, c: Context<App>): Promise<Opened> {
  const input = await body(c, Open);
  if (input.mode !== "inline") requireOwnOrigin(c, parts.publicUrl);
  return await span("widget.open", { mode: input.mode }, async () => {
    const opener = openers[input.mode] as Opener<Mode>;
    try {
      const { flow, state } = await opener(parts, c, input);
      return { ...await keep(c, flow, state), ...surroundings(flow) };
    } catch (error) {
      throw asProblem(error);
    }
  });
}

/** What the widget has texts for. */
export const allLanguages = ["en", "ru", "de", "fr", "es", "da", "ar"];

function surroundings({ client, published, request }: Flow) {
  const languages = published?.languages ?? allLanguages;
  // Those that the application asks for come first (OpenID Connect Core, 3.1.2.1: in order of preference).
  const asked = (request?.uiLocales ?? []).flatMap((tag) =>
    languages.filter((language) => language.split("-")[0] === tag.toLowerCase().split("-")[0])
  );
  return {
    about: {
      appName: client.appName,
      tenantName: client.kind === "portal" ? "" : client.tenantName,
    },
    look: published?.look ?? null,
    languages: [...new Set([...asked, ...languages])],
  };
}

/** What a browser has that has shown nothing yet. */
export function newMemory(
  { now }: Pick<WidgetParts, "now">,
  its: Pick<Memory, "mode" | "ref"> & Partial<Memory>,
): Memory {
  const startedAt = Math.floor(now().getTime() / 1000);
  return {
    browser: crypto.randomUUID(),
    startedAt,
    expiresAt: startedAt + lifetimeSeconds,
    screen: "start",
    proven: {},
    changed: {},
    ...its,
  };
}

async function openPage(
  parts: WidgetParts,
  c: Context<App>,
  { authRequest, language }: OpenOf<"page">,
): Promise<Begun> {
  const memory = await flowBinding(parts).find(c, authRequest);
  const where = await whereOf(
    parts,
    memory ?? newMemory(parts, { mode: "page", ref: authRequest }),
  );
  if (memory === undefined) {
    throw mismatch("This browser did not open the sign-in page, or too long ago");
  }
  const again = memory.begun === true;
  memory.begun = true;
  if (language !== undefined) memory.language = language;
  const flow = await flowFor(parts, c, memory, where);
  return { flow, state: again ? await resume(flow) : await begin(flow) };
}

function begin(flow: Flow): Promise<State> {
  const create = flow.request?.prompts.includes("create") && handlers.start.show_register;
  return create ? create(flow, { action: "show_register" }) : beginWithAccounts(flow);
}

/** After a reload: where nobody is known yet, what was seen; else what the policy asks for. */
function resume(flow: Flow): Promise<State> {
  const { screen, person } = flow.memory;
  const seen = resumed[screen];
  if (seen) return seen(flow);
  if (person) return next(flow);
  return screen === "accounts" ? beginWithAccounts(flow) : showStart(flow);
}

/** Screens that are shown again as they were. */
const resumed: Partial<Record<State["screen"], (flow: Flow) => Promise<State>>> = {
  reset_code: resumeReset,
  verify_email: resumeVerification,
  email_code: resumeEmailCode,
};

const accountMark = "account_";

/** Of a flow of mode `account`, the tenant's id. */
export const tenantOfAccountFlow = (ref: string): string | undefined =>
  ref.startsWith(accountMark) ? ref.slice(accountMark.length) : undefined;

/** One flow a tenant and browser, so that a reload and the way back from a provider go on with it. */
async function openAccount(
  parts: WidgetParts,
  c: Context<App>,
  { tenant, language }: OpenOf<"account">,
): Promise<Begun> {
  const where = await whereOfTenant(parts, tenant);
  const { tenantId } = where.client;
  const ref = accountMark + tenantId;
  const before = await flowBinding(parts).find(c, ref);
  const memory = before ?? newMemory(parts, { mode: "account", ref, tenantId, begun: true });
  if (language !== undefined) memory.language = language;
  const flow = await flowFor(parts, c, memory, where);
  return { flow, state: before ? await resume(flow) : await beginWithAccounts(flow) };
}
