// What a mail says: the code and link are in it in both forms, and nobody's name is more than a name.
import assert from "node:assert/strict";
import { type Draft, writeMail } from "../../../functions/_worker/mail/write.ts";
import { languages } from "../../../functions/_worker/mail/texts/texts.ts";
import { clean, duration, greetable } from "../../../functions/_worker/mail/values.ts";
import { themeOf } from "../../../functions/_worker/mail/palette.ts";
import type { MailContent } from "../../../functions/_shared/mailer.ts";

const link = "https://id.example/functions/v1/widget/link#kind=reset&userId=3&code=A1B2C3&x=%22";
const contents: MailContent[] = [
  { kind: "verification", displayName: "Vera", code: "A1B2C3", link },
  { kind: "password_reset", displayName: "Vera", code: "A1B2C3", link },
  { kind: "invitation", displayName: "Vera", inviterName: "Ada", link },
  { kind: "sign_in_code", displayName: "Vera", appName: "Shop", code: "123456" },
  { kind: "address_changed", displayName: "Vera", newAddress: "v…@new.example" },
];

function write(content: MailContent, more: Partial<Draft> = {}) {
  return writeMail({
    content,
    language: "en",
    look: { tenantName: "Acme" },
    validMs: 600_000,
    ...more,
  });
}

/** What a person reads, roughly: markup away, entities back. */
const visible = (page: string) =>
  page.replace(/^[\s\S]*<body/, "").replace(/<[^>]+>/g, "")
    .replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">").replaceAll("&amp;", "&");

Deno.test("every kind in every language fills everything in, in both forms", () => {
  for (const language of Object.keys(languages)) {
    for (const content of contents) {
      const { subject, text, html, senderName } = write(content, { language });
      const name = `${language} ${content.kind}`;
      for (const part of [subject, text, html.replace(/<style>[^<]*<\/style>/, "")]) {
        assert.doesNotMatch(part, /\{\w*\}|undefined|\[object/, name);
      }
      assert.equal(senderName, "Acme");
      assert(subject.includes("Acme"), name);
      for (const part of [text, visible(html)]) {
        assert(part.includes("Vera"), name);
        assert(part.includes("Acme"), name);
        if ("code" in content) assert(part.includes(content.code), name);
        if ("link" in content) assert(part.includes(link), name);
        if (content.kind === "invitation") assert(part.includes("Ada"), name);
        if (content.kind === "sign_in_code") assert(part.includes("Shop"), name);
        if (content.kind === "address_changed") assert(part.includes("v…@new.example"), name);
      }
      assert.match(
        html,
        new RegExp(`<html lang="${language}" dir="${language === "ar" ? "rtl" : "ltr"}">`),
      );
      assert(!("code" in content && subject.includes(content.code)), "servers log subjects");
    }
  }
});

Deno.test("Arabic stands right, codes and addresses from the left within it", () => {
  const { html } = write(contents[1]!, { language: "ar" });
  assert.doesNotMatch(html, /text-align:left|align="left"/);
  assert.match(html, /<bdi dir="ltr">A1B2C3<\/bdi>/);
  assert.match(html, /<a class="muted" dir="ltr"/);
  const english = write(contents[1]!).html;
  assert.doesNotMatch(english, /text-align:right|align="right"/);
});

Deno.test("hostile names are text: no markup, no line of their own, no turn of direction", () => {
  const evil = `<img src=x onerror=alert(1)>"'&{tenant}\r\nBcc: x@evil.example\u202e`;
  const { subject, html, text, senderName } = write(
    { kind: "sign_in_code", code: "123456", appName: evil },
    { look: { tenantName: evil, tokens: {} } },
  );
  assert.doesNotMatch(html, /<img|onerror=alert\(1\)>"|\u202e/);
  assert.match(html, /&lt;img src=x onerror=alert\(1\)&gt;&quot;&#39;&amp;\{tenant\}/);
  for (const line of [subject, senderName]) assert.doesNotMatch(line, /[\r\n\u202e]/);
  assert.doesNotMatch(text, /\u202e|^Bcc:/m);
});

Deno.test("a person's name that says more than a name is not repeated", () => {
  const names = [
    "Vera",
    "Jean-Luc O’Neill",
    "Dr. J. R. Smith",
    "Вера",
    "عمر",
    "李小龙",
    "Louis 14",
  ];
  for (const name of names) assert.equal(greetable(name), name);
  const others = [
    "",
    undefined,
    "win at evil.example now",
    "https://evil.example",
    "www.evil.example",
    "Call 0900 123456",
    "a@b.example",
    "You won! Click",
    "x".repeat(61),
    "<b>",
  ];
  for (const name of others) assert.equal(greetable(name), undefined, String(name));
  const { text, html } = write({
    kind: "verification",
    displayName: "win at evil.example",
    code: "A1B2C3",
  });
  assert(!text.includes("evil") && !html.includes("evil"));
});

Deno.test("long names are cut between characters", () => {
  assert.equal(clean("😀".repeat(5), 3), "😀😀…");
  assert.equal(clean(" a\u0000\n\tb\u200f "), "a b");
});

Deno.test("nothing is loaded from anywhere: no remote image, font, script or style", () => {
  const logo = { mediaType: "image/png", data: "AAAA" };
  for (const content of contents) {
    const { html } = write(content, { look: { tenantName: "Acme", logo } });
    assert.doesNotMatch(html, /<script|<link|@import|url\(|@font-face|<iframe|<object/i);
    const sources = [...html.matchAll(/\b(?:src|background|srcset)="([^"]*)"/g)].map(([, v]) => v);
    assert.deepEqual(sources, ["cid:logo@gatehouse"]);
    const hrefs = new Set([...html.matchAll(/\bhref="([^"]*)"/g)].map(([, v]) => v));
    assert.deepEqual(
      [...hrefs],
      "link" in content ? [link.replaceAll("&", "&amp;")] : [],
    );
  }
});

Deno.test("a tenant's theme is taken as it was published, plain values only", () => {
  const { light, dark } = themeOf({ accent: "light-dark(#112233, #aabbcc)" });
  assert.deepEqual([light.accent, dark.accent], ["#112233", "#aabbcc"]);
  const ours = themeOf({});
  assert.equal(light.text, ours.light.text);
  for (
    const accent of [
      "#112233",
      "red;}",
      "url(https://evil.example)",
      "light-dark(#112233, red)",
      "light-dark(#112233, #aabbcc);color:red",
    ]
  ) assert.deepEqual(themeOf({ accent }), ours, accent);
  const shapes = themeOf({ radius: "4px", font: '"Acme Sans", serif' });
  assert.deepEqual([shapes.radius, shapes.font], ["4px", "'Acme Sans', serif"]);
  for (const font of ["x;color:red", "url(//evil)", "a</style>"]) {
    assert.equal(themeOf({ font }).font, ours.font);
  }
  assert.equal(themeOf({ radius: "9;x" }).radius, "10px");
});

Deno.test("text stands out from its ground at least 4.5 : 1, in light and dark", () => {
  const { light, dark } = themeOf({});
  for (const palette of [light, dark]) {
    const pairs: [string, string][] = [
      [palette.text, palette.ground],
      [palette.muted, palette.ground],
      [palette.muted, palette.backdrop],
      [palette["on-accent"], palette.accent],
    ];
    for (const [one, other] of pairs) {
      assert(contrast(one, other) >= 4.5, `${one} on ${other}: ${contrast(one, other)}`);
    }
  }
});

Deno.test("how long a code is good is told in words of the language", () => {
  assert.equal(duration(599_000, "en"), "10 minutes");
  assert.equal(duration(1_000, "en"), "1 minute");
  assert.equal(duration(2 * 3_600_000, "de"), "2 Stunden");
  assert.equal(duration(7 * 86_400_000, "da"), "7 dage");
  assert.match(duration(600_000, "ar"), /^10 /);
});

/** WCAG 2.2, relative luminance. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4) as [
        number,
        number,
        number,
      ];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}
