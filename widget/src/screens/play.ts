/** What a screen has at hand. Which screens there are, and what each may send: functions/widget/contract.ts. */
import type { About, Action, Screen, State } from "../../../functions/widget/contract.ts";
import type { z } from "zod";
import type { Stage, View } from "../base/stage.ts";
import { button } from "../base/stage.ts";
import type { TextKey } from "../texts/en.ts";
import type { Translate } from "../texts/texts.ts";

export interface Play {
  t: Translate<TextKey>;
  stage: Stage;
  about: z.output<typeof About>;
  /** Sends it and shows what comes next. @throws {ApiProblem} */
  act(action: Action): Promise<void>;
  /** The same from a button: it turns meanwhile, a refusal is shown. */
  press(action: Action, by?: HTMLElement): void;
  /** The way that leads to our own page; absent there. */
  redirect?(): void;
  /** Typed on an earlier screen of this flow, so that nobody types it twice. The password: should it have to be changed next. */
  typed: { loginName?: string; discovered?: string; password?: string | undefined };
  /** Leaves for another page. */
  leave(url: string, fields?: Record<string, string>): void;
  /** The end: what becomes of the callback address is the way's business. */
  finish(callbackUrl: string): void;
}

export type StateOf<S extends Screen> = Extract<State, { screen: S }>;
export type Draw<S extends Screen> = (state: StateOf<S>, play: Play) => View;

/** What most screens share: back to the beginning. */
export const goBack = (play: Play) => ({ back: () => play.press({ action: "back" }) });

export const linkButton = (text: string, onclick: (event: Event) => void) =>
  button(text, { class: "link", onclick });
