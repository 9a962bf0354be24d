import type { Look } from "../../../functions/widget/contract.ts";
import { button } from "../base/stage.ts";
import { themeSheet } from "../base/theme.ts";
import { setAttributes } from "../dom.ts";
import {
  type AuthorizationRequest,
  startAuthorization,
  takeAnswer,
  withoutAnswer,
} from "../oidc.ts";
import { en, type Texts } from "../texts/en.ts";
import { loadTexts, nearestLanguage } from "../texts/texts.ts";
import { Run } from "./run.ts";
import { baseSheet, frameSheet } from "./style.ts";
import { type Answer, handToOpener, inlineWay, pageWay, popupWay } from "./ways.ts";

/** The folder the script came from: the `widget` function. Only known while a classic script first runs. */
export const scriptFolder = document.currentScript instanceof HTMLScriptElement
  ? new URL(".", document.currentScript.src).href
  : undefined;

/**
 * Signs a person in. With `client-id` it is a button on a customer's page, or, with `mode="inline"`, the form itself; with
 * `flow` it is the form on our own sign-in page.
 *
 * ```html
 * <script src="https://gatehouse.example/functions/v1/widget/gatehouse.js"></script>
 * <gatehouse-login issuer="https://id.example" client-id="3204…" redirect-uri="https://shop.example/"></gatehouse-login>
 * ```
 *
 * @attr mode - `redirect` (default): the button leads to our page · `popup`: our page in a window of its own · `inline`: the form
 *   stands here; scripts of this page could read what is typed. On our own pages: `link`, `account`, `logout`
 * @attr client-id - the application's id at the issuer
 * @attr issuer - the issuer's address
 * @attr redirect-uri - where the answer arrives; default: this page without its query
 * @attr scope - default `openid profile email`
 * @attr organization - the organization to sign in to
 * @attr login-hint - a user name to start with
 * @attr prompt - `login`, `select_account`, `create` or `none`, as OpenID Connect has it
 * @attr flow - an auth request's id: show the form for it (sign-in page only)
 * @attr tenant - whose account page it leads to (`mode="account"`)
 * @attr api - address of the `widget` function; default: the script's folder
 * @attr config - the hash of what the tenant published, as the snippet has it: the button's look
 * @attr theme - `light` or `dark`; default: the page's `color-scheme`
 * @attr lang - language of the texts; default: the page's `lang`
 * @attr label - text of the button
 * @fires gatehouse-result - once per answer; `detail` is `{ code, codeVerifier, nonce, redirectUri, clientId, issuer }`
 *   for the page's own server to exchange, or `{ error, description }`
 * @csspart button, back, heading, subheading, form, field, label, input, toggle, fault, error, stopped, rules, ways, row, qr, codes,
 *   view, card, logo; on our own page also page, brand, footer
 * @cssprop --gatehouse-accent, --gatehouse-on-accent, --gatehouse-text, --gatehouse-muted, --gatehouse-field, --gatehouse-border,
 *   --gatehouse-danger, --gatehouse-danger-ground, --gatehouse-ground, --gatehouse-backdrop, --gatehouse-radius, --gatehouse-font
 */
export class GatehouseLogin extends HTMLElement {
  static readonly observedAttributes = ["flow", "mode", "lang", "label"];

  readonly #root = this.attachShadow({ mode: "open", delegatesFocus: true });
  #rendered = false;
  #run: Run | undefined;

  connectedCallback(): void {
    this.#rendered = true;
    this.#render();
    if (this.hasAttribute("client-id")) void this.#takeAnswer();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    // While a parsed element is upgraded its attributes come first, though it is connected.
    if (!this.#rendered || before === after) return;
    if (name === "lang" && this.#run) void this.#run.changeLanguage(after ?? "");
    else this.#render();
  }

  /** Goes to the sign-in page, whatever the mode. The same as a click on the button of `mode="redirect"`. */
  async start(): Promise<void> {
    location.assign(await startAuthorization(this.#request()));
  }

  #render(): void {
    this.#run = undefined;
    const settings = { api: this.#api(), language: this.#language() };
    if (this.getAttribute("mode") === "inline") {
      void inlineWay(settings, this.#request(), {
        announce: (answer) => this.#announce(answer),
        redirect: () => void this.start(),
      }).then((way) => this.#begin(new Run(this.#root, way)));
      return;
    }
    const way = pageWay(settings, (name) => this.getAttribute(name));
    if (way) this.#begin(new Run(this.#root, way));
    else void this.#renderButton(settings);
  }

  #begin(run: Run): void {
    this.#run = run;
    void run.start();
  }

  async #renderButton({ api, language }: { api: string; language: string }): Promise<void> {
    this.#root.adoptedStyleSheets = [baseSheet(), frameSheet()];
    const show = (texts: Texts) => {
      const label = this.getAttribute("label") ?? texts.signIn;
      const made = button(label, { class: "primary open" });
      const setBusy = (busy: boolean) => {
        setAttributes(made, { "aria-disabled": busy && "true" });
        made.querySelector(".text")!.textContent = busy ? texts.working : label;
      };
      made.addEventListener("click", async () => {
        if (made.hasAttribute("aria-disabled")) return;
        setBusy(true);
        try {
          if (this.getAttribute("mode") !== "popup") return await this.start();
          const answer = await popupWay(this.#request(), api);
          if (answer) this.#announce(answer);
        } catch (error) {
          this.#announce({ error: "cannot_start", description: String(error) });
        }
        setBusy(false);
      });
      // Coming back with the browser's Back button shows this page as it was left.
      addEventListener("pageshow", () => setBusy(false), { once: true });
      this.#root.replaceChildren(made);
    };
    show(en);
    void this.#wear(api);
    const texts = await loadTexts(en, api, nearestLanguage(language, []));
    if (texts !== en) show(texts);
  }

  /** The button as the tenant published it. The form gets its look with the flow. */
  async #wear(api: string): Promise<void> {
    const hash = this.getAttribute("config");
    if (!hash) return;
    const response = await fetch(`${api}config/${encodeURIComponent(hash)}.json`).catch(() => null);
    if (!response?.ok) return; // plain is better than none
    const { look } = await response.json() as { look: Pick<Look, "tokens"> };
    this.#root.adoptedStyleSheets = [baseSheet(), frameSheet(), themeSheet(look.tokens)];
  }

  /** Dispatched after the page's own scripts ran, so that a listener added by them hears it. */
  async #takeAnswer(): Promise<void> {
    const address = new URL(location.href);
    const answer = takeAnswer(address);
    if (answer === undefined) return;
    history.replaceState(history.state, "", withoutAnswer(address));
    if (!await handToOpener(address)) afterScripts(() => this.#announce(answer));
  }

  #announce(detail: Answer): void {
    this.dispatchEvent(
      new CustomEvent("gatehouse-result", { detail, bubbles: true, composed: true }),
    );
  }

  #request(): AuthorizationRequest {
    return {
      issuer: this.#required("issuer"),
      clientId: this.#required("client-id"),
      redirectUri: this.getAttribute("redirect-uri") ?? location.origin + location.pathname,
      scope: this.getAttribute("scope") ?? "openid profile email",
      organization: this.getAttribute("organization") ?? undefined,
      loginHint: this.getAttribute("login-hint") ?? undefined,
      prompt: this.getAttribute("prompt") ?? undefined,
      uiLocales: this.#language(),
    };
  }

  #api(): string {
    const api = this.getAttribute("api") ?? scriptFolder;
    if (api === undefined) throw new TypeError('<gatehouse-login> needs the attribute "api"');
    return new URL(api.endsWith("/") ? api : `${api}/`, document.baseURI).href;
  }

  #language(): string {
    return (this.closest("[lang]") as HTMLElement | null)?.lang || navigator.language;
  }

  #required(name: string): string {
    const value = this.getAttribute(name);
    if (!value) throw new TypeError(`<gatehouse-login> needs the attribute "${name}"`);
    return value;
  }
}

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
