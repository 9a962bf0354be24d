// The parts of the widget that need no page.
import assert from "node:assert/strict";
import { deviceName } from "../../widget/src/account/device.ts";
import { ago } from "../../widget/src/account/time.ts";
import { base64url, bytesOf } from "../../widget/src/base/base64url.ts";
import { passwordRules, rulesOf } from "../../widget/src/base/new_password.ts";
import { parse, toJson } from "../../widget/src/base/passkeys.ts";
import { initials } from "../../widget/src/screens/accounts.ts";

const all = { minLength: 8, uppercase: true, lowercase: true, number: true, symbol: true };

Deno.test("widget: the rules of a password are ZITADEL's: ASCII letters and digits, all else is a symbol", () => {
  const missed = (password: string) =>
    rulesOf(all).filter(({ meets }) => !meets(password)).map(({ text }) => text);
  assert.deepEqual(missed(""), [
    "ruleLength",
    "ruleUpper",
    "ruleLower",
    "ruleNumber",
    "ruleSymbol",
  ]);
  assert.deepEqual(missed("Abcdef1!"), []);
  assert.deepEqual(missed("ПАРОЛЬпароль"), ["ruleUpper", "ruleLower", "ruleNumber"]);
  assert.deepEqual(
    missed("😀😀😀Aa1"),
    ["ruleLength"],
    "characters are counted, not halves of them",
  );
  const none = { ...all, uppercase: false, lowercase: false, number: false, symbol: false };
  assert.deepEqual(rulesOf(none).map(({ text }) => text), ["ruleLength"]);
  assert.equal(
    passwordRules(all),
    "minlength: 8; required: upper; required: lower; required: digit; required: special",
  );
});

Deno.test("widget: passkey options and answers in browsers that know no JSON", () => {
  const bytes = new Uint8Array([251, 255, 0, 1]);
  assert.equal(base64url(bytes), "-_8AAQ");
  assert.deepEqual(bytesOf("-_8AAQ"), bytes);

  const parsed = parse({
    challenge: "-_8AAQ",
    rp: { id: "shop.example", name: "Shop" },
    user: { id: "AAE", name: "vera" },
    excludeCredentials: [{ type: "public-key", id: "AQI" }],
    timeout: 1000,
  });
  assert.deepEqual(parsed.challenge, bytes);
  assert.deepEqual(parsed.rp, { id: "shop.example", name: "Shop" }, "a name, not bytes");
  assert.deepEqual(parsed.user, { id: new Uint8Array([0, 1]), name: "vera" });
  assert.deepEqual(parsed.excludeCredentials, [{ type: "public-key", id: new Uint8Array([1, 2]) }]);
  assert.equal(parsed.allowCredentials, undefined);
  assert.equal(parsed.timeout, 1000);

  const json = toJson({
    id: "AQI",
    rawId: new Uint8Array([1, 2]).buffer,
    type: "public-key",
    authenticatorAttachment: "platform",
    response: { clientDataJSON: bytes.buffer, signature: bytes.buffer, userHandle: null },
    getClientExtensionResults: () => ({}),
  } as unknown as PublicKeyCredential);
  assert.deepEqual(json, {
    id: "AQI",
    rawId: "AQI",
    type: "public-key",
    authenticatorAttachment: "platform",
    response: { clientDataJSON: "-_8AAQ", signature: "-_8AAQ" },
    clientExtensionResults: {},
  });
});

Deno.test("account page: a device's name, of what its header says", () => {
  const names = {
    "Mozilla/5.0 (Windows NT 10.0) Chrome/150.0 Safari/537.36 Edg/150.0": "Edge · Windows",
    "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0": "Firefox · Linux",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1":
      "Safari · iPhone",
    "Mozilla/5.0 (Linux; Android 16) Chrome/150.0 Mobile Safari/537.36": "Chrome · Android",
    "curl/8.5": "",
  };
  for (const [header, name] of Object.entries(names)) assert.equal(deviceName(header), name);
});

Deno.test("account page: how long ago, in words", () => {
  const now = Date.parse("2026-11-26T12:00:00Z");
  assert.equal(ago("2026-11-26T11:59:30Z", "en", now), "now");
  assert.equal(ago("2026-11-26T11:57:00Z", "en", now), "3 minutes ago");
  assert.equal(ago("2026-11-26T09:00:00Z", "de", now), "vor 3 Stunden");
  assert.equal(ago("2026-11-25T11:00:00Z", "en", now), "yesterday");
  assert.equal(ago("2026-11-26T12:05:00Z", "en", now), "now", "a clock that is ahead");
});

Deno.test("accounts: two letters of a name", () => {
  assert.deepEqual(
    ["Vera Lindqvist", "vera@acme.example", "Ольга", "  ", "𝒳 y"].map(initials),
    ["VL", "VE", "О", "", "𝒳Y"],
  );
});
