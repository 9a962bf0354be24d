/**
 * Runs one flow on a shadow root: opens it, shows the screen of each answer, sends what the person does. Where it stands (our own
 * page or a customer's) and what becomes of its end is the way's business: ways.ts.
 */
import type { Action, endings, Open, Opened, State } from "../../../functions/widget/contract.ts";
import { ApiProblem, type FlowApi, flowApi } from "../base/api.ts";
import { PasskeyFault } from "../base/passkeys.ts";
import { Stage, type View } from "../base/stage.ts";
import { themeSheet } from "../base/theme.ts";
import { el } from "../dom.ts";
import { picture } from "../icons.ts";
import { linkButton, type Play } from "../screens/play.ts";
import { screens } from "../screens/table.ts";
import { en, type TextKey, type Texts } from "../texts/en.ts";
import { direction, loadTexts, nearestLanguage, problemText, translator } from "../texts/texts.ts";
import { leaveFor } from "./leave.ts";
import { baseSheet, frameSheet } from "./style.ts";

export interface Way {
  /** Address of the `widget` function. */
  api: string;
  open: Open;
  /** Sent at once after opening: what a provider answered. */
  then?: Action;
  /** On our own page everything around the form is ours too. */
  ownPage: boolean;
  language: string | undefined;
  finish(callbackUrl: string): void;
  /** After the end of a flow without an application. */
  finished?(what: string): void;
  /** To our own page, from a customer's. */
  redirect?(): void;
}

/** After these no other try within the flow can succeed: the contract's `endings`. */
const stops: Record<typeof endings[number], true> = {
  flow_finished: true,
  flow_not_found: true,
  browser_mismatch: true,
  app_disabled: true,
  tenant_suspended: true,
  origin_refused: true,
  inline_refused: true,
};

export class Run {
  readonly #api: FlowApi;
  readonly #stage: Stage;
  readonly #play: Play;
  #texts: Texts = en;
  #language = "en";
  #opened: Opened | undefined;
  /** What is shown: a state, or the slug of what stopped it. */
  #shown: State | string | undefined;

  constructor(private readonly root: ShadowRoot, private readonly way: Way) {
    this.#api = flowApi(way.api);
    this.#stage = new Stage({
      heading: way.ownPage ? "h1" : "h2",
      texts: () => this.#texts,
      problem: (error) => this.#problem(error),
    });
    this.#play = {
      t: (key, values) => translator<TextKey>(this.#texts, this.#language)(key, values),
      stage: this.#stage,
      about: { appName: "", tenantName: "" },
      typed: {},
      act: (action) => this.#act(action),
      press: (action, by) => void this.#stage.run(() => this.#act(action), by),
      redirect: way.redirect,
      leave: leaveFor,
      finish: (callbackUrl) => way.finish(callbackUrl),
    };
  }

  async start(): Promise<void> {
    const { root, way } = this;
    root.adoptedStyleSheets = [baseSheet(), frameSheet()];
    root.replaceChildren(el("div", { class: "turning soon" }));
    const language = nearestLanguage(way.language, []);
    const words = loadTexts(en, way.api, language);
    try {
      const opened = this.#opened = await this.#api.open(way.open);
      Object.assign(this.#play.about, opened.about);
      if (opened.look) root.adoptedStyleSheets.push(themeSheet(opened.look.tokens));
      const offered = nearestLanguage(way.language, opened.languages);
      await this.#speak(offered, offered === language ? await words : undefined);
      this.#frame();
      if (way.then) await this.#stage.run(() => this.#act(way.then!));
      // Refused: what was opened is shown, and what the provider's answer came to stands above it.
      if (this.#shown === undefined) {
        this.#show(opened.state, { keepError: way.then !== undefined });
      }
    } catch (error) {
      await this.#speak(language, await words);
      this.#frame();
      this.#stop(error instanceof ApiProblem ? error.slug : "other");
    }
  }

  /** Another language, by the person or the page. */
  async changeLanguage(language: string): Promise<void> {
    await this.#speak(nearestLanguage(language, this.#opened?.languages ?? []));
    this.#frame();
    if (typeof this.#shown === "string") this.#stop(this.#shown);
    else if (this.#shown) this.#show(this.#shown);
  }

  async #speak(language: string, texts?: Texts): Promise<void> {
    texts ??= await loadTexts(en, this.way.api, language);
    this.#language = language;
    this.#texts = { ...texts, ...this.#opened?.look?.texts[language] };
  }

  async #act(action: Action): Promise<void> {
    try {
      this.#show(await this.#api.act(action));
    } catch (error) {
      const slug = error instanceof ApiProblem ? error.slug : "";
      if (Object.hasOwn(stops, slug)) this.#stop(slug);
      else if (slug === "action_refused" && this.way.open.mode === "page") {
        // Another window has gone on with the flow: this one goes where it is, as after a reload.
        this.#show((await this.#api.open(this.way.open)).state);
      } else throw error;
    }
  }

  #show(state: State, { keepError = false } = {}): void {
    this.#shown = state;
    // Whoever goes on from there may be somebody else.
    if (state.screen === "start" || state.screen === "accounts") delete this.#play.typed.password;
    // Some password managers watch the page, not what lies within an element: this tells them to look again (docs/adr/0009).
    if (this.way.ownPage) queueMicrotask(() => document.body.className = state.screen);
    const draw = screens[state.screen] as (state: State, play: Play) => View;
    this.#display(draw(state, this.#play), keepError);
    if (state.screen === "finished") this.way.finished?.(state.what);
  }

  #stop(slug: string): void {
    this.#shown = slug;
    const { t } = this.#play;
    const { redirect } = this.way;
    this.#display({
      heading: t("stopped"),
      body: [
        el(
          "div",
          { class: "error", part: "stopped", role: "alert" },
          picture("warn"),
          el("span", {}, problemText(this.#texts, slug)),
        ),
        el(
          "p",
          { class: "note" },
          redirect && /^(inline|origin)_/.test(slug)
            ? linkButton(t("openPage"), redirect)
            : t("startAgain"),
        ),
      ],
    });
  }

  #display(view: View, keepError = false): void {
    // In a customer's page the form must not take the focus from where the visitor is.
    const mayFocus = this.way.ownPage || this.root.activeElement !== null ||
      document.activeElement === this.root.host;
    this.#stage.show(view, { focus: mayFocus, keepError });
    if (this.way.ownPage) {
      const { appName } = this.#play.about;
      document.title = appName ? `${view.heading} · ${appName}` : view.heading;
    }
  }

  #problem(error: unknown): string {
    if (error instanceof PasskeyFault) return this.#texts[`passkey_${error.kind}`];
    return problemText(this.#texts, error instanceof ApiProblem ? error.slug : "other");
  }

  /** The frame in the language and look that hold now; the stage within it stays the same. */
  #frame(): void {
    const { ownPage } = this.way;
    const { look, languages = [], about } = this.#opened ?? {};
    const layout = look?.layout ?? "card";
    const logo = look?.logoUrl !== undefined &&
      el("img", { class: "logo", part: "logo", src: look.logoUrl, alt: about?.tenantName ?? "" });
    const place = { lang: this.#language, dir: direction(this.#language), "data-layout": layout };
    const card = el(
      "div",
      { class: "card", part: "card", "data-layout": layout },
      logo,
      this.#stage.frame,
    );
    if (ownPage) {
      document.documentElement.lang = this.#language;
      document.documentElement.dir = place.dir;
    }
    const page = () =>
      el(
        "div",
        { class: "page", part: "page", ...place },
        el(
          "div",
          { class: "brand", part: "brand", "aria-hidden": "true" },
          el("b", {}, about?.appName || about?.tenantName),
        ),
        card,
        el(
          "footer",
          { part: "footer" },
          languages.length > 1 && this.#languageChoice(languages),
          el("span", {}, "Gatehouse"),
        ),
      );
    this.root.replaceChildren(
      ownPage
        ? el("main", { class: "frame" }, page())
        : el("div", { class: "frame", ...place }, card),
    );
  }

  #languageChoice(languages: string[]): HTMLElement {
    const select = el("select", { "aria-label": this.#texts.language, name: "language" });
    for (const tag of languages) {
      const name = new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
      const option = el(
        "option",
        { value: tag, lang: tag },
        name[0]!.toLocaleUpperCase(tag) + name.slice(1),
      );
      option.selected = tag === this.#language;
      select.append(option);
    }
    select.addEventListener("change", async () => {
      await this.changeLanguage(select.value);
      this.root.querySelector("select")?.focus();
    });
    return select;
  }
}
