/** Every language but English; for the build and the tests, never for a browser's script. */
import { accountAr } from "./account_ar.ts";
import { accountDa } from "./account_da.ts";
import { accountDe } from "./account_de.ts";
import { accountEs } from "./account_es.ts";
import { accountFr } from "./account_fr.ts";
import { accountRu } from "./account_ru.ts";
import type { AccountTexts } from "./account_en.ts";
import { ar } from "./ar.ts";
import { da } from "./da.ts";
import { de } from "./de.ts";
import { es } from "./es.ts";
import { fr } from "./fr.ts";
import { ru } from "./ru.ts";
import type { Texts } from "./en.ts";

export const translations: Record<string, { "": Texts; "account.": AccountTexts }> = {
  ru: { "": ru, "account.": accountRu },
  de: { "": de, "account.": accountDe },
  fr: { "": fr, "account.": accountFr },
  es: { "": es, "account.": accountEs },
  da: { "": da, "account.": accountDa },
  ar: { "": ar, "account.": accountAr },
};
