// A browser on the account page: signed in by a flow of mode `account`, then the page's own requests.
import type { Account, Act, Pending } from "../../functions/widget/account_contract.ts";
import type { State } from "../../functions/widget/contract.ts";
import { Browser, type SignInHouse } from "./widget_support.ts";

export interface AccountReply {
  status: number;
  slug: string | undefined;
  account: Account;
  pending: Pending | null;
  body: Record<string, unknown>;
}

/** A host with a name: addresses are no relying party. */
export const publicUrl = "http://localhost:8000";

export class AccountBrowser {
  readonly flows: Browser;

  constructor(private readonly here: SignInHouse) {
    this.flows = new Browser(here);
    this.flows.origin = publicUrl;
  }

  /** By password, "later" to the offer of a second factor. */
  async signIn(tenant: string, loginName: string, password: string): Promise<State | undefined> {
    await this.flows.post("open", { mode: "account", tenant });
    return (await this.flows.signIn(loginName, password)).state;
  }

  show(headers: Record<string, string> = {}): Promise<AccountReply> {
    return this.#request("account", { headers });
  }

  act(act: Act, headers: Record<string, string> = {}): Promise<AccountReply> {
    return this.#request("account/act", {
      method: "POST",
      body: JSON.stringify(act),
      headers: { "content-type": "application/json", ...headers },
    });
  }

  page(path: string): Promise<Response> {
    return this.flows.get(path, { sameSite: true });
  }

  async #request(path: string, init: RequestInit): Promise<AccountReply> {
    const response = await this.here.app.request(`/widget/${path}`, {
      ...init,
      headers: {
        cookie: this.flows.cookie,
        origin: publicUrl,
        "user-agent": "Account browser",
        "x-forwarded-for": "192.0.2.8",
        ...init.headers as Record<string, string>,
      },
    });
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = line.split(";")[0]!.split(/=(.*)/s);
      if (/; Max-Age=0(;|$)/.test(line)) this.flows.cookies.delete(name);
      else this.flows.cookies.set(name, value);
    }
    const body = await response.json();
    return {
      status: response.status,
      slug: body.type?.split(":").pop(),
      account: body.account ?? body,
      pending: body.pending ?? null,
      body,
    };
  }
}
