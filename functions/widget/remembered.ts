/**
 * The accounts that this browser is signed in with, for single sign-on and the account chooser: ZITADEL's sessions in one sealed,
 * http-only cookie. Inline flows neither read nor write it.
 */
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { App } from "../_shared/app.ts";
import { type BindingParts, cookieScope } from "./binding.ts";
import { maxSessionSeconds } from "./policy.ts";
import { sealing } from "./sealing.ts";

export interface Account {
  /** ZITADEL's session, and what hands it over. */
  id: string;
  token: string;
  userId: string;
  orgId: string;
  tenantId: string;
  loginName: string;
  displayName: string;
  /** Unix seconds. */
  signedInAt: number;
  /** Sessions of the same person that this one replaced: applications still refresh by them, and signing out ends them too. */
  earlier: string[];
}

const maxEarlier = 8;

const name = "gatehouse_accounts";
/** Browsers keep 4096 bytes of name, value and attributes together. */
const maxLength = 3900;

export interface Remembered {
  /** Newest first. */
  list(): Account[];
  find(id: string): Account | undefined;
  /** One session a person. */
  put(account: Omit<Account, "earlier">): void;
  remove(id: string): void;
  /** Sets the cookie where something changed. */
  keep(c: Context<App>): Promise<void>;
}

export async function remembered(parts: BindingParts, c: Context<App>): Promise<Remembered> {
  const sealer = sealing(parts.keyring);
  const cookie = getCookie(c, name);
  const opened = cookie && await sealer.open("widget_accounts", "all", cookie) as Account[];
  let accounts = opened || [];
  let changed = false;
  const without = (drop: (account: Account) => boolean) => {
    accounts = accounts.filter((account) => !drop(account));
    changed = true;
  };
  return {
    list: () => accounts,
    find: (id) => accounts.find((account) => account.id === id),
    put(account) {
      const before = accounts.find(({ userId }) => userId === account.userId);
      const ids = before ? [before.id, ...before.earlier] : [];
      without(({ userId }) => userId === account.userId);
      const earlier = ids.filter((id) => id !== account.id).slice(0, maxEarlier);
      accounts.unshift({ ...account, earlier });
    },
    remove: (id) => without((account) => account.id === id),
    async keep(c) {
      if (!changed) return;
      const scope = cookieScope(parts.publicUrl);
      if (accounts.length === 0) return void deleteCookie(c, name, scope);
      let sealed: string;
      // As many as fit, the newest first: four as a rule.
      do sealed = await sealer.seal("widget_accounts", "all", accounts); while (
        sealed.length > maxLength && accounts.pop()
      );
      setCookie(c, name, sealed, { ...scope, maxAge: maxSessionSeconds });
    },
  };
}

/** Of an inline flow: nobody is known and nobody is kept. */
export const rememberedNothing: Remembered = {
  list: () => [],
  find: () => undefined,
  put: () => {},
  remove: () => {},
  keep: () => Promise.resolve(),
};
