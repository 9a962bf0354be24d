import assert from "node:assert/strict";
import { accountEn } from "../../widget/src/texts/account_en.ts";
import { translations } from "../../widget/src/texts/all.ts";
import { en } from "../../widget/src/texts/en.ts";
import {
  direction,
  languages,
  loadTexts,
  nearestLanguage,
  problemText,
  readTexts,
  translator,
} from "../../widget/src/texts/texts.ts";
import { shapeOf, textFile } from "../../scripts/build/texts.ts";
import { problems } from "../../functions/_shared/problems.ts";

const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();

Deno.test("texts: every language has every text, filled in at the same places, on one line", () => {
  assert.deepEqual(
    Object.keys(translations).sort(),
    languages.filter((tag) => tag !== "en").sort(),
  );
  for (const [language, sets] of Object.entries(translations)) {
    for (const [english, own] of [[en, sets[""]], [accountEn, sets["account."]]] as const) {
      for (const [key, text] of Object.entries(english as Record<string, string>)) {
        const translated = (own as Record<string, string>)[key]!;
        assert.ok(translated.trim() !== "", `${language}: ${key} is empty`);
        assert.deepEqual(holes(translated), holes(text), `${language}: ${key}`);
        assert.ok(!/[\n\r]/.test(translated), `${language}: ${key} has two lines`);
      }
    }
  }
});

Deno.test("texts: no key of the two English sets is the same, and each is used somewhere", async () => {
  const shared = Object.keys(en).filter((key) => key in accountEn);
  assert.deepEqual(shared, []);
  const source = (await Promise.all(
    ["base", "login", "screens", "account"].map(async (folder) => {
      const dir = new URL(`../../widget/src/${folder}/`, import.meta.url);
      const files = await Array.fromAsync(Deno.readDir(dir));
      return await Promise.all(files.map(({ name }) => Deno.readTextFile(new URL(name, dir))));
    }),
  )).flat().join("\n") + await Deno.readTextFile(
    new URL("../../widget/src/texts/texts.ts", import.meta.url),
  );
  /** Named by what the contract calls them. */
  const byState = /^(x_\w+|passkey_\w+|totp|passkey|security_key|email_code|recovery_code)$/;
  const unused = [...Object.keys(en), ...Object.keys(accountEn)]
    .filter((key) => !byState.test(key) && !new RegExp(`["'.]${key}\\b`).test(source));
  assert.deepEqual(unused, []);
});

Deno.test("texts: a file is read in the order of the English keys; one for other keys is not read at all", () => {
  const de = translations.de![""];
  const file = textFile(en, de);
  assert.deepEqual(readTexts(en, file, shapeOf(en)), de);
  assert.equal(readTexts(en, file, shapeOf(accountEn)), undefined);
  assert.equal(readTexts(en, "<!doctype html>", shapeOf(en)), undefined);
});

Deno.test("texts: what was not built, or does not come, leaves English", async () => {
  assert.equal(await loadTexts(en, "http://127.0.0.1:9/", "de"), en);
});

Deno.test("texts: the nearest language of those offered, else the first of them", () => {
  assert.equal(nearestLanguage("de-AT", []), "de");
  assert.equal(nearestLanguage("DE", []), "de");
  assert.equal(nearestLanguage("xx", []), "en");
  assert.equal(nearestLanguage(undefined, []), "en");
  assert.equal(nearestLanguage("en-GB", ["da", "de"]), "da");
  assert.equal(nearestLanguage("de", ["da", "de"]), "de");
  assert.equal(nearestLanguage("pl", ["pl", "fr"]), "fr", "one that the widget has no texts for");
  assert.deepEqual(["ar", "de"].map(direction), ["rtl", "ltr"]);
});

Deno.test("texts: holes are filled in once; what has no value stays; Arabic keeps names apart", () => {
  const t = translator({ a: "{x} and {y}" });
  assert.equal(t("a", { x: "{y}" }), "{y} and {y}");
  assert.equal(translator({ a: "إلى {x}" }, "ar")("a", { x: "Shop" }), "إلى \u2068Shop\u2069");
});

Deno.test("texts: a problem without a text of its own gets the general one; those with one exist", () => {
  assert.equal(problemText(en, "credentials_refused"), en.x_credentials_refused);
  assert.equal(problemText(en, "password_too_weak"), en.weak);
  assert.equal(problemText(en, "something_new"), en.x_other);
  assert.equal(problemText(en, "toString"), en.x_other);
  const widgetsOwn = ["offline", "other"];
  const accountPages = ["last_factor", "last_way", "email_taken"]; // the account function's, to come
  const unknown = [...Object.keys(en), ...Object.keys(accountEn)]
    .filter((key) => key.startsWith("x_")).map((key) => key.slice(2))
    .filter((slug) => !(slug in problems) && ![...widgetsOwn, ...accountPages].includes(slug));
  assert.deepEqual(unknown, []);
});
