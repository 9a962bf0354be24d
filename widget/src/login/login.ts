import { ApiProblem, getFlow, sendPassword } from "../api.ts";
import { el, setAttributes } from "../dom.ts";
import {
  type SignInError,
  type SignInResult,
  startAuthorization,
  takeAnswer,
  withoutAnswer,
} from "../oidc.ts";
import { problemText, type Texts, textsFor } from "../texts/texts.ts";
import { passwordForm } from "./password.ts";
import { styleSheet } from "./style.ts";

/** The folder the script came from: the `widget` function. Only known while a classic script first runs. */
const scriptFolder = document.currentScript instanceof HTMLScriptElement
  ? new URL(".", document.currentScript.src).href
  : undefined;

/**
 * Signs a person in. With `client-id` it is the button on a customer's page; with `flow` it is the form on our own
 * sign-in page.
 *
 * ```html
 * <script src="https://gatehouse.example/functions/v1/widget/gatehouse.js"></script>
 * <gatehouse-login issuer="https://id.example" client-id="3204…" redirect-uri="https://shop.example/"></gatehouse-login>
 * ```
 *
 * @attr client-id - the application's id at the issuer
 * @attr issuer - the issuer's address
 * @attr redirect-uri - where the answer arrives; default: this page without its query
 * @attr scope - default `openid profile email`
 * @attr organization - the organization to sign in to
 * @attr login-hint - a user name to start with
 * @attr prompt - `login`, `select_account`, `create` or `none`, as OpenID Connect has it
 * @attr flow - an auth request's id: show the form for it (sign-in page only)
 * @attr api - address of the `widget` function; default: the script's folder
 * @attr theme - `light` or `dark`; default: the page's `color-scheme`
 * @attr lang - language of the texts; default: the page's `lang`
 * @attr label - text of the button
 * @fires gatehouse-result - once per answer; `detail` is `{ code, codeVerifier, nonce, redirectUri, clientId, issuer }`
 *   for the page's own server to exchange, or `{ error, description }`
 * @csspart button, heading, subheading, form, field, label, input, toggle, fault, error, stopped
 * @cssprop --gatehouse-accent, --gatehouse-on-accent, --gatehouse-text, --gatehouse-muted,
 *   --gatehouse-field, --gatehouse-border, --gatehouse-danger, --gatehouse-danger-ground, --gatehouse-radius,
 *   --gatehouse-font
 */
export class GatehouseLogin extends HTMLElement {
  static readonly observedAttributes = ["flow", "lang", "label"];

  readonly #root = this.attachShadow({ mode: "open", delegatesFocus: true });
  #texts: Texts = textsFor(undefined);
  #rendered = false;

  connectedCallback(): void {
    this.#rendered = true;
    this.#root.adoptedStyleSheets = [styleSheet()];
    this.#render();
    if (!this.hasAttribute("flow")) this.#takeAnswer();
  }

  attributeChangedCallback(_name: string, before: string | null, after: string | null): void {
    // While a parsed element is upgraded its attributes come first, though it is connected.
    if (this.#rendered && before !== after) this.#render();
  }

  /** Goes to the sign-in page. The same as a click on the button. */
  async start(): Promise<void> {
    location.assign(
      await startAuthorization({
        issuer: this.#required("issuer"),
        clientId: this.#required("client-id"),
        redirectUri: this.getAttribute("redirect-uri") ?? location.origin + location.pathname,
        scope: this.getAttribute("scope") ?? "openid profile email",
        organization: this.getAttribute("organization") ?? undefined,
        loginHint: this.getAttribute("login-hint") ?? undefined,
        prompt: this.getAttribute("prompt") ?? undefined,
        uiLocales: this.#language(),
      }),
    );
  }

  #render(): void {
    this.#texts = textsFor(this.#language());
    const flow = this.getAttribute("flow");
    if (flow === null) this.#renderButton();
    else this.#renderForm(flow);
  }

  #renderButton(): void {
    const texts = this.#texts;
    const label = this.getAttribute("label") ?? texts.signIn;
    const button = el("button", { class: "submit", part: "button", type: "button" }, label);
    const setBusy = (busy: boolean) => {
      setAttributes(button, { "aria-disabled": busy && "true" });
      button.textContent = busy ? texts.redirecting : label;
    };
    button.addEventListener("click", async () => {
      if (button.hasAttribute("aria-disabled")) return;
      setBusy(true);
      try {
        await this.start();
      } catch (error) {
        setBusy(false);
        this.#announce({ error: "cannot_start", description: String(error) });
      }
    });
    // Coming back with the browser's Back button shows this page as it was left.
    addEventListener("pageshow", () => setBusy(false), { once: true });
    this.#root.replaceChildren(button);
  }

  #renderForm(authRequest: string): void {
    const texts = this.#texts;
    const subheading = el("p", { class: "subheading", part: "subheading" });
    const form = passwordForm(texts, async (loginName, password) => {
      form.setBusy(true);
      try {
        const { callbackUrl } = await sendPassword(this.#api(), {
          authRequest,
          loginName,
          password,
        });
        leaveFor(callbackUrl);
      } catch (error) {
        form.setBusy(false);
        const slug = error instanceof ApiProblem ? error.slug : "other";
        if (endsTheFlow.has(slug)) this.#renderStopped(slug);
        else form.refuse(problemText(texts, slug));
      }
    });
    this.#root.replaceChildren(
      el("h1", { part: "heading" }, texts.signIn),
      subheading,
      form.element,
    );
    if (document.activeElement === document.body) form.focus();

    getFlow(this.#api(), authRequest).then((flow) => {
      subheading.textContent = flow.tenantName === "" || flow.tenantName === flow.appName
        ? texts.signInTo(flow.appName)
        : texts.signInToOf(flow.appName, flow.tenantName);
      if (!flow.allowed.password) return this.#renderStopped("password_not_allowed");
      if (flow.loginHint) form.setLoginName(flow.loginHint);
    }, (error) => this.#renderStopped(error instanceof ApiProblem ? error.slug : "other"));
  }

  #renderStopped(slug: string): void {
    const texts = this.#texts;
    const heading = el("h1", { part: "heading", tabindex: "-1" }, texts.stopped);
    this.#root.replaceChildren(
      heading,
      el(
        "div",
        { class: "stopped", part: "stopped", role: "alert" },
        el("p", {}, problemText(texts, slug)),
        el("p", {}, texts.startAgain),
      ),
    );
    heading.focus();
  }

  /** Dispatched after the page's own scripts ran, so that a listener added by them hears it. */
  #takeAnswer(): void {
    const address = new URL(location.href);
    const answer = takeAnswer(address);
    if (answer === undefined) return;
    history.replaceState(history.state, "", withoutAnswer(address));
    afterScripts(() => this.#announce(answer));
  }

  #announce(detail: SignInResult | SignInError): void {
    this.dispatchEvent(
      new CustomEvent("gatehouse-result", { detail, bubbles: true, composed: true }),
    );
  }

  #api(): string {
    const api = this.getAttribute("api") ?? scriptFolder;
    if (api === undefined) throw new TypeError('<gatehouse-login> needs the attribute "api"');
    return new URL(api.endsWith("/") ? api : `${api}/`, document.baseURI).href;
  }

  #language(): string | undefined {
    return (this.closest("[lang]") as HTMLElement | null)?.lang || navigator.language;
  }

  #required(name: string): string {
    const value = this.getAttribute(name);
    if (!value) throw new TypeError(`<gatehouse-login> needs the attribute "${name}"`);
    return value;
  }
}

/** After these no other try on the same page can succeed. */
const endsTheFlow = new Set([
  "flow_finished",
  "flow_not_found",
  "browser_mismatch",
  "app_disabled",
  "tenant_suspended",
  "password_not_allowed",
]);

/** Runs once the scripts of the page have run: deferred ones and modules do until DOMContentLoaded, even while it is `interactive`. */
function afterScripts(run: () => void): void {
  if (document.readyState === "complete") return void setTimeout(run);
  const first = new AbortController();
  const once = () => {
    first.abort();
    setTimeout(run);
  };
  document.addEventListener("DOMContentLoaded", once, { signal: first.signal });
  addEventListener("load", once, { signal: first.signal });
}

/** The address is a registered redirect URI, but an address that runs script is never one. */
function leaveFor(callbackUrl: string): void {
  const scheme = new URL(callbackUrl).protocol;
  if (["javascript:", "data:", "vbscript:", "blob:"].includes(scheme)) {
    throw new ApiProblem("other");
  }
  location.assign(callbackUrl);
}
