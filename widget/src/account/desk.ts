/** What the sections of the account page have at hand. */
import type { Account, Act } from "../../../functions/widget/account_contract.ts";
import type { Stage, View } from "../base/stage.ts";
import type { AccountKey } from "../texts/account_en.ts";
import type { TextKey } from "../texts/en.ts";
import type { Translate } from "../texts/texts.ts";

export interface Desk {
  t: Translate<TextKey | AccountKey>;
  account: Account;
  language: string;
  /** Of the dialogue. */
  stage: Stage;
  /** Sends it from the page, `by` turning. */
  press(act: Act, by?: HTMLElement): void;
  /** Sends it from the dialogue. @throws {ApiProblem} */
  act(act: Act): Promise<void>;
  /** Shows a dialogue. */
  ask(view: View): void;
  /** Asks before it is sent. */
  confirm(question: string, act: Act, options?: { hint?: string; verb?: string }): void;
  /** Closes the dialogue; what is pending is dropped. */
  cancel(): void;
  changeLanguage(language: string): void;
}
