/** The ways in: how a flow begins and what becomes of its answer. redirect and popup are a button; the others a form. */
import type { Action, Open } from "../../../functions/widget/contract.ts";
import {
  type AuthorizationRequest,
  isPopupAnswer,
  newRequest,
  readAnswer,
  type SignInError,
  type SignInResult,
  startAuthorization,
  takeAnswer,
} from "../oidc.ts";
import { takeFromAddress } from "./address.ts";
import { leaveFor } from "./leave.ts";
import type { Way } from "./run.ts";

export type Answer = SignInResult | SignInError;
type Settings = Pick<Way, "api" | "language">;

const accountTenant = "gatehouse-account-tenant";
const messageType = "gatehouse-answer";

/** The form within the customer's page. Verifier, state and nonce never leave this function but in the answer. */
export async function inlineWay(
  settings: Settings,
  request: AuthorizationRequest,
  { announce, redirect }: { announce(answer: Answer): void; redirect(): void },
): Promise<Way> {
  const { state, codeChallenge, scope, pending } = await newRequest(request);
  return {
    ...settings,
    ownPage: false,
    redirect,
    open: {
      mode: "inline",
      clientId: request.clientId,
      redirectUri: request.redirectUri,
      codeChallenge,
      state,
      nonce: pending.nonce,
      scope,
      loginHint: request.loginHint,
      language: settings.language,
    },
    finish(callbackUrl) {
      const { searchParams } = new URL(callbackUrl);
      announce(
        searchParams.get("state") === state
          ? readAnswer(searchParams, pending)
          : { error: "state_mismatch", description: "The answer is for another request" },
      );
    },
  };
}

/** On our own pages: the auth request that the page names, a link from a mail, the account page's sign-in, or signing out. */
export function pageWay(
  settings: Settings,
  attribute: (name: string) => string | null,
): Way | undefined {
  const { language } = settings;
  const authRequest = attribute("flow");
  const tenant = attribute("tenant") ?? "";
  const mode = attribute("mode");
  if (authRequest === null && !/^(account|logout|link)$/.test(mode ?? "")) return undefined;
  const taken = takeFromAddress(); // never on a customer's page: its address is its own
  let open: Open;
  if (authRequest !== null) open = { mode: "page", authRequest, language };
  else if (mode === "account") {
    open = { mode, tenant, language };
    sessionStorage.setItem(accountTenant, tenant);
  } else if (mode === "logout") open = { mode, token: taken.logout_token ?? "", language };
  else {
    open = {
      mode: "link",
      kind: (taken.kind ?? "") as "reset",
      userId: taken.userId ?? "",
      code: taken.code ?? "",
      authRequest: taken.authRequest,
      language,
    };
  }
  return {
    ...settings,
    ownPage: true,
    open,
    then: providerAnswer(taken),
    finish: finishOnPage,
    finished: (what) => {
      if (what !== "signed_in") return;
      // The account page stands beside this one. From a provider one comes back without the tenant in the address.
      const whose = tenant || sessionStorage.getItem(accountTenant) || "";
      leaveFor(new URL(`me?tenant=${encodeURIComponent(whose)}`, settings.api).href);
    },
  };
}

/** What a provider sent back: whom it vouches for, or why not. */
function providerAnswer(
  { id, token, ticket, error }: Record<string, string | undefined>,
): Action | undefined {
  if (id && token && ticket) return { action: "intent", id, token, ticket };
  return error === undefined ? undefined : { action: "intent_failed", error: error.slice(0, 200) };
}

/** The page goes to the address with the code, or, in a popup, hands it to who opened it: to the application's own origin alone. */
function finishOnPage(callbackUrl: string): void {
  const address = new URL(callbackUrl);
  if (opener !== null && isPopupAnswer(address) && /^https?:$/.test(address.protocol)) {
    opener.postMessage({ type: messageType, callbackUrl }, address.origin);
  } else leaveFor(callbackUrl);
}

/**
 * Opens our sign-in page in a window of its own. Answers what came back; undefined when the window was closed before, or when
 * the browser let none be opened: then this page itself goes there.
 */
export async function popupWay(
  request: AuthorizationRequest,
  api: string,
): Promise<Answer | undefined> {
  // Before anything is awaited: afterwards it is no longer the click's.
  const popup = open("about:blank", "_blank", "popup,width=480,height=720");
  if (popup === null) {
    location.assign(await startAuthorization(request));
    return new Promise(() => {});
  }
  const url = await startAuthorization({ ...request, popup: true });
  const heard = new AbortController();
  const channel = new BroadcastChannel(messageType);
  try {
    return await new Promise<Answer | undefined>((resolve) => {
      const take = (callbackUrl: unknown) => {
        const answer = typeof callbackUrl === "string" && takeAnswer(new URL(callbackUrl));
        if (answer) resolve(answer);
        return Boolean(answer);
      };
      addEventListener("message", ({ data, origin, source }) => {
        if (source === popup && origin === new URL(api).origin && data?.type === messageType) {
          take(data.callbackUrl);
        }
      }, { signal: heard.signal });
      // A provider's page may cut the window loose; then it comes to the redirect address, which is this origin.
      channel.onmessage = ({ data }) => {
        if (take(data)) channel.postMessage(true);
      };
      popup.location.href = url;
      const watch = setInterval(() => {
        if (popup.closed) resolve(undefined);
      }, 500);
      heard.signal.addEventListener("abort", () => clearInterval(watch));
    });
  } finally {
    heard.abort();
    channel.close();
    popup.close();
  }
}

/** An answer that reached the redirect address in a popup: the window that asked takes it, and this one closes. False if nobody does. */
export async function handToOpener(address: URL): Promise<boolean> {
  if (!isPopupAnswer(address)) return false;
  const channel = new BroadcastChannel(messageType);
  const heard = new Promise<boolean>((resolve) => {
    channel.onmessage = ({ data }) => data === true && resolve(true);
    setTimeout(() => resolve(false), 1000); // as long as another window may need to wake
  });
  channel.postMessage(address.href);
  const taken = await heard;
  channel.close();
  if (taken) close();
  return taken;
}
