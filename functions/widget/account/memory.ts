/** What the account page remembers from one request to the next, sealed in a cookie of its own beside the accounts (remembered.ts). */
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { App } from "../../_shared/app.ts";
import type { AuthenticationMethod } from "../../_shared/zitadel/types.ts";
import type { ProofMethod } from "../account_contract.ts";
import { type BindingParts, cookieScope } from "../binding.ts";
import { maxSessionSeconds } from "../policy.ts";
import { sealing } from "../sealing.ts";

export interface AccountMemory {
  /** ZITADEL's session: whose page it is, whoever signs in in another tab. */
  session: string;
  /** Unix seconds. When the person last showed here who they are. */
  provenAt: number;
  /** Set up here, so not asked of this very session. */
  setUp: AuthenticationMethod[];
  /** What the last answer asked for. One at a time. */
  pending?: Pending;
}

export type Pending =
  | { kind: "proof"; method: ProofMethod }
  | { kind: "verify_email"; email: string; code: string; expiresAt: number; resendAt: number }
  | { kind: "setup_totp" }
  | { kind: "setup_key"; method: "passkey" | "security_key"; id: string }
  | { kind: "link"; idpId: string; ticket: string };

const name = "gatehouse_account";

export async function readMemory(
  { keyring }: BindingParts,
  c: Context<App>,
): Promise<AccountMemory | undefined> {
  const cookie = getCookie(c, name);
  return cookie === undefined
    ? undefined
    : await sealing(keyring).open("widget_account", "page", cookie) as AccountMemory | undefined;
}

export async function keepMemory(
  { keyring, publicUrl }: BindingParts,
  c: Context<App>,
  memory: AccountMemory,
): Promise<void> {
  const sealed = await sealing(keyring).seal("widget_account", "page", memory);
  setCookie(c, name, sealed, { ...cookieScope(publicUrl), maxAge: maxSessionSeconds });
}

export function dropMemory({ publicUrl }: BindingParts, c: Context<App>): void {
  deleteCookie(c, name, cookieScope(publicUrl));
}
