import type { Account, AccountAnswer, Act } from "../../../functions/widget/account_contract.ts";
import { ApiProblem, callApi } from "../base/api.ts";
import { PasskeyFault } from "../base/passkeys.ts";
import { button, Stage, type View } from "../base/stage.ts";
import { themeSheet } from "../base/theme.ts";
import { el } from "../dom.ts";
import { picture } from "../icons.ts";
import { leaveFor } from "../login/leave.ts";
import { baseSheet } from "../login/style.ts";
import { takeFromAddress } from "../login/address.ts";
import { accountEn } from "../texts/account_en.ts";
import { en } from "../texts/en.ts";
import { direction, loadTexts, nearestLanguage, problemText, translator } from "../texts/texts.ts";
import { accountSheet } from "./style.ts";
import type { Desk } from "./desk.ts";
import { headOf, sections } from "./sections.ts";
import { steps } from "./steps.ts";

const scriptFolder = document.currentScript instanceof HTMLScriptElement
  ? new URL(".", document.currentScript.src).href
  : undefined;

const english = { ...en, ...accountEn };

/**
 * The account page: who one is, how one signs in, where one is signed in. On our own pages only, since its API knows the person by
 * a cookie; nobody signed in is sent to sign in.
 *
 * @attr tenant - whose people sign in here
 * @attr api - address of the `widget` function; default: the script's folder
 * @attr theme, lang - as of `<gatehouse-login>`
 * @csspart section, fact, view, heading, button, form, field, label, input, error
 * @cssprop as of `<gatehouse-login>`
 */
export class GatehouseAccount extends HTMLElement {
  readonly #root = this.attachShadow({ mode: "open" });
  #texts = english;
  #language = "en";
  #account: Account | undefined;
  /** Asked for when a proof was wanting: sent again after it. */
  #waiting: Act | undefined;
  #pending = false;
  /** What opened the dialogue gets the focus back; it is drawn anew meanwhile, so it is found by its name. */
  #opener: string | undefined;

  readonly #options = {
    texts: () => this.#texts,
    problem: (error: unknown) =>
      error instanceof PasskeyFault
        ? this.#texts[`passkey_${error.kind}`]
        : problemText(this.#texts, error instanceof ApiProblem ? error.slug : "other"),
  };
  readonly #page = new Stage({ heading: "h1", ...this.#options });
  readonly #stage = new Stage({ heading: "h2", ...this.#options });
  readonly #close = el("button", { type: "button", class: "tool", onclick: () => this.#cancel() });
  readonly #dialog = el("dialog", { part: "dialog" }, this.#close, this.#stage.frame);

  connectedCallback(): void {
    this.#root.adoptedStyleSheets = [baseSheet(), accountSheet()];
    this.#root.replaceChildren(el("div", { class: "turning soon" }));
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#cancel();
    });
    void this.#start();
  }

  async #start(): Promise<void> {
    const { id, token, ticket } = takeFromAddress();
    const page = (this.closest("[lang]") as HTMLElement | null)?.lang || navigator.language;
    try {
      const account = this.#account = await callApi<Account>(this.#api(), "account");
      if (account.look) this.#root.adoptedStyleSheets.push(themeSheet(account.look.tokens));
      await this.#speak(nearestLanguage(account.profile.language || page, account.languages));
      this.#draw();
      if (id && token && ticket) {
        await this.#page.run(() => this.#act({ action: "intent", id, token, ticket }));
      }
    } catch (error) {
      if (this.#signedOut(error)) return;
      await this.#speak(nearestLanguage(page, []));
      this.#root.replaceChildren(el("main", this.#place(), this.#page.frame));
      this.#page.show({ heading: this.#texts.accountTitle, body: [] });
      this.#page.refuse(this.#options.problem(error));
    }
  }

  async #speak(language: string): Promise<void> {
    const [shared, own] = await Promise.all([
      loadTexts(en, this.#api(), language),
      loadTexts(accountEn, this.#api(), language, "account."),
    ]);
    this.#language = language;
    this.#texts = { ...shared, ...own, ...this.#account?.look?.texts[language] };
    document.documentElement.lang = language;
    document.documentElement.dir = direction(language);
    document.title = this.#texts.accountTitle;
  }

  #place() {
    return { class: "account", lang: this.#language, dir: direction(this.#language) };
  }

  #desk(): Desk {
    return {
      t: translator(this.#texts, this.#language),
      account: this.#account!,
      language: this.#language,
      stage: this.#stage,
      act: (act) => this.#act(act),
      press: (act, by) => {
        this.#opener = by?.getAttribute("aria-label") ?? by?.textContent ?? undefined;
        void this.#page.run(() => this.#act(act), by);
      },
      ask: (view) => this.#ask(view),
      confirm: (question, act, { hint, verb } = {}) => {
        const go = button(verb ?? this.#texts.remove, {
          class: "primary",
          onclick: () => void this.#stage.run(() => this.#act(act), go),
        });
        this.#ask({ heading: question, lead: hint, body: [go], focus: go });
      },
      cancel: () => this.#cancel(),
      changeLanguage: async (language) => {
        await this.#speak(language);
        this.#draw();
        this.#root.querySelector("select")?.focus();
        // Beside whatever else is pressed: nobody waits for a language to be kept.
        await this.#act({ action: "set_language", language })
          .catch((error) => this.#page.refuse(this.#options.problem(error)));
      },
    };
  }

  /** @throws {ApiProblem} */
  async #act(act: Act): Promise<void> {
    try {
      this.#take(act, await callApi<AccountAnswer>(this.#api(), "account/act", { input: act }));
    } catch (error) {
      if (this.#signedOut(error)) return await new Promise(() => {}); // the page is being left
      const slug = error instanceof ApiProblem ? error.slug : "";
      if (slug === "proof_required") {
        this.#waiting = act;
        await this.#act({ action: "begin_proof" });
      } else if (/_not_found$|^factor_exists$/.test(slug)) {
        // Another window was quicker: what holds now is shown.
        const account = await callApi<Account>(this.#api(), "account");
        this.#take({ action: "cancel" }, { account, pending: null });
      } else throw error;
    }
  }

  #take(act: Act, { account, pending }: AccountAnswer): void {
    this.#account = account;
    this.#pending = pending !== null;
    const waiting = this.#waiting;
    if (act.action === "prove" && waiting && pending === null) {
      this.#waiting = undefined;
      // Behind the run that brought the proof, which must end first.
      setTimeout(() => void this.#stage.run(() => this.#act(waiting)));
      return;
    }
    if (act.action === "sign_out") return void this.#toSignIn();
    this.#draw();
    if (pending) this.#ask(steps[pending.step](pending as never, this.#desk()));
    else {
      this.#shut();
      if (act.action !== "cancel") this.#page.say(this.#texts.saved);
    }
  }

  #draw(): void {
    const desk = this.#desk();
    const focused = (this.#root.activeElement as HTMLElement | null)?.getAttribute("aria-label");
    this.#close.setAttribute("aria-label", this.#texts.close);
    this.#close.replaceChildren(picture("close"));
    this.#page.show({
      heading: this.#texts.accountTitle,
      body: [headOf(desk), ...sections(desk)],
    }, { focus: false });
    if (this.#page.frame.parentElement?.lang !== this.#language) {
      this.#root.replaceChildren(el("main", this.#place(), this.#page.frame, this.#dialog));
    }
    this.#focus(focused ?? undefined);
  }

  #ask(view: View): void {
    if (!this.#dialog.open) {
      this.#opener ??= (this.#root.activeElement as HTMLElement | null)
        ?.getAttribute("aria-label") ?? undefined;
      this.#dialog.showModal();
    }
    this.#stage.show(view);
  }

  /** Whoever closes the dialogue gives up what it was for; the function is told, so that nothing half done stays. */
  #cancel(): void {
    this.#waiting = undefined;
    this.#shut();
    if (this.#pending) void this.#page.run(() => this.#act({ action: "cancel" }));
  }

  #shut(): void {
    if (!this.#dialog.open) return;
    this.#stage.show({ heading: "", body: [] }, { focus: false }); // its work is given up
    this.#dialog.close();
    this.#focus(this.#opener);
    this.#opener = undefined;
  }

  /** Buttons are drawn anew with every answer: the one of the same name gets the focus. */
  #focus(name: string | undefined): void {
    if (name === undefined || this.#dialog.open) return;
    const same = [...this.#root.querySelectorAll<HTMLElement>("section button")]
      .find((made) => (made.getAttribute("aria-label") ?? made.textContent) === name);
    (same ?? this.#root.querySelector<HTMLElement>("h1"))?.focus({ preventScroll: true });
  }

  #signedOut(error: unknown): boolean {
    const out = error instanceof ApiProblem && error.slug === "account_signed_out";
    if (out) this.#toSignIn();
    return out;
  }

  #toSignIn(): void {
    const tenant = encodeURIComponent(this.getAttribute("tenant") ?? "");
    leaveFor(new URL(`login?tenant=${tenant}`, this.#api()).href);
  }

  #api(): string {
    const api = this.getAttribute("api") ?? scriptFolder;
    if (api === undefined) throw new TypeError('<gatehouse-account> needs the attribute "api"');
    return new URL(api.endsWith("/") ? api : `${api}/`, document.baseURI).href;
  }
}
