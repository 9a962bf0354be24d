/** Every language but English; for the build and the tests, never for a browser's script. */
import type { Texts } from "./en.ts";
import type { AccountTexts } from "./account_en.ts";

export const translations: Record<string, { "": Texts; "account.": AccountTexts }> = {};
