// Every language says everything, fills in the same things, and no text is left from English.
import assert from "node:assert/strict";
import { en } from "../../../functions/_worker/mail/texts/en.ts";
import { languageOf, languages } from "../../../functions/_worker/mail/texts/texts.ts";

/** `invitation.lead` → text. */
function flat(texts: object, path = ""): Record<string, string> {
  return Object.assign(
    {},
    ...Object.entries(texts).map(([key, value]) =>
      typeof value === "string" ? { [path + key]: value } : flat(value, `${path}${key}.`)
    ),
  );
}

const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
const english = flat(en);

Deno.test("seven languages, each with every text and its placeholders", () => {
  assert.deepEqual(Object.keys(languages), ["en", "ru", "de", "fr", "es", "da", "ar"]);
  for (const [tag, texts] of Object.entries(languages)) {
    const own = flat(texts);
    assert.deepEqual(Object.keys(own).sort(), Object.keys(english).sort(), tag);
    for (const [key, text] of Object.entries(own)) {
      assert.notEqual(text.trim(), "", `${tag} ${key}`);
      assert.deepEqual(placeholders(text), placeholders(english[key]!), `${tag} ${key}`);
      if (tag !== "en") assert.notEqual(text, english[key], `${tag} ${key}`);
    }
  }
});

Deno.test("a language is found by its first part; one that is not there is English; Arabic runs from the right", () => {
  const found = (tag: string | null) => {
    const { tag: own, direction } = languageOf(tag);
    return `${own} ${direction}`;
  };
  assert.equal(found("de-AT"), "de ltr");
  assert.equal(found("AR-eg"), "ar rtl");
  for (const other of [null, "", "tlh", "constructor", "__proto__"]) {
    assert.equal(found(other), "en ltr");
  }
});
