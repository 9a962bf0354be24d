// LGO: a logo is a picture and nothing else. What an SVG could do besides being seen is tried here.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { TransactionSql } from "postgres";
import { as, refusal, tenants } from "../support/actors.ts";
import { asOwner, eventsOf } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();
const xmlns = 'xmlns="http://www.w3.org/2000/svg"';
const svg = (inside: string, attributes = "") => `<svg ${xmlns} ${attributes}>${inside}</svg>`;
const bytes = (text: string) => new TextEncoder().encode(text);
const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(/\s/g, ""));

async function add(tx: TransactionSql, picture: Uint8Array) {
  const [row] = await tx`
    insert into public.widget_logos (tenant_id, bytes) values (${tenants.A}, ${picture})
    returning hash, type, size_bytes`;
  return row!;
}

/** 1 × 1, the smallest there are. */
const png = hex(`89504e470d0a1a0a 0000000d49484452 0000000100000001 0806000000 1f15c489
  0000000d49444154 789c6360f8cf50 0f0003860180 5a34 7d6b 0000000049454e44ae426082`);
const webp = hex(`52494646 1a000000 57454250 5650384c 0d000000 2f00000010 0710111188 8808 0700`);

Deno.test("LGO-01 the bytes say what a logo is; its hash is theirs", async () => {
  const drawn = svg(
    `<title>Shop &amp; Co</title><!-- drawn by hand -->
     <defs><linearGradient id="g"><stop offset="0" stop-color="#fff"/></linearGradient></defs>
     <g transform="translate(1 2)" style="fill:url(#g);stroke:#000"><path d='M0 0h9v9z' fill="url('#g')"/></g>
     <use href="#g"/><text x="1" y="2" font-family="serif">Shop</text>`,
    'viewBox="0 0 32 32" width="32" xmlns:xlink="http://www.w3.org/1999/xlink"',
  );
  const pictures: [Uint8Array, string][] = [
    [bytes(drawn), "image/svg+xml"],
    [
      bytes(`\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- x -->\n${svg("")}`),
      "image/svg+xml",
    ],
    [png, "image/png"],
    [webp, "image/webp"],
  ];
  await as(database().sql, "alice", async (tx) => {
    for (const [picture, type] of pictures) {
      assert.deepEqual(await add(tx, picture), {
        hash: createHash("sha256").update(picture).digest("hex"),
        type,
        size_bytes: picture.byteLength,
      });
    }
    const events = await asOwner(tx, () => eventsOf(tx, tenants.A, "widget_logo.created"));
    assert.equal(events.length, pictures.length);
    assert.ok(events.every(({ data }) => !("bytes" in data.after!) && "hash" in data.after!));
  });
});

const hostile: Record<string, string> = {
  "a script": svg("<script>alert(1)</script>"),
  "a script in capitals": svg("<SCRIPT>alert(1)</SCRIPT>"),
  "a script of a prefix": svg('<svg:script xmlns:svg="http://www.w3.org/2000/svg">1</svg:script>'),
  "a script in a comment that ends early": svg("<!-- --><script>1</script><!-- -->"),
  "a handler": svg("", 'onload="alert(1)"'),
  "a handler in single quotes": svg("<path onclick='alert(1)'/>"),
  "a handler without quotes": svg("<path onclick=alert(1) />"),
  "a handler after a slash": svg('<path/onclick="alert(1)"/>'),
  "markup of HTML": svg("<foreignObject><body/></foreignObject>"),
  "a frame": svg('<iframe src="https://eve.example/"/>'),
  "a picture from elsewhere": svg('<image href="https://eve.example/p.png"/>'),
  "a picture as data": svg('<image href="data:image/svg+xml,x"/>'),
  "a link": svg('<a href="https://eve.example/"><path/></a>'),
  "a use from elsewhere": svg('<use href="https://eve.example/s.svg#x"/>'),
  "a use from elsewhere, old way": svg('<use xlink:href="//eve.example/s.svg#x"/>'),
  "a use of data": svg('<use href="data:image/svg+xml;base64,AA==#x"/>'),
  "an address as href": svg('<use href="javascript:alert(1)"/>'),
  "an address of entities": svg('<use href="&#106;avascript:alert(1)"/>'),
  "an animation that makes a link": svg('<animate attributeName="href" to="javascript:1"/>'),
  "a set": svg('<set attributeName="onload" to="alert(1)"/>'),
  "a style sheet": svg("<style>@import url(https://eve.example/)</style>"),
  "a style from elsewhere": svg('<path style="fill:url(https://eve.example/x#y)"/>'),
  "a style with an escape": svg('<path style="fill:u\\72l(https://eve.example/)"/>'),
  "a style of image-set": svg("<path style=\"mask:image-set('x' 1x)\"/>"),
  "a fill from elsewhere": svg('<path fill="url(//eve.example/x#y)"/>'),
  "a fill after one of its own": svg('<path fill="url(#a) url(http://eve.example/)"/>'),
  "a mask from elsewhere": svg("<path mask=\"url('https://eve.example/x#y')\"/>"),
  "an entity": `<!DOCTYPE svg [<!ENTITY x "<script/>">]>${svg("&x;")}`,
  "a doctype": `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://eve.example/dtd">${svg("")}`,
  "a style sheet by instruction": `<?xml-stylesheet href="https://eve.example/"?>${svg("")}`,
  "an instruction inside": svg("<?php echo 1 ?>"),
  "CDATA": svg("<![CDATA[<script/>]]>"),
  "another namespace": svg('<g xmlns="http://www.w3.org/1999/xhtml"><path/></g>'),
  "a base": svg("", 'xml:base="https://eve.example/"'),
  "a tag that is not closed": svg("<path").replace("</svg>", ""),
  "HTML": "<!doctype html><script>alert(1)</script>",
  "HTML that holds one": `<html><body>${svg("")}</body></html>`,
  "no namespace": "<svg></svg>",
  "text": "a logo",
  "nothing": "",
};

Deno.test("LGO-02 an SVG that is more than a picture is refused", async () => {
  await as(database().sql, "alice", async (tx) => {
    for (const [name, text] of Object.entries(hostile)) {
      await assert.rejects(
        tx.savepoint((s) => add(s, bytes(text))),
        refusal("widget_logo_refused", 422),
        name,
      );
    }
  });
});

Deno.test("LGO-03 what is too large is refused: bytes, and pixels in few bytes", async () => {
  const wide = png.slice();
  wide.set(hex("00010000"), 16);
  const high = png.slice();
  high.set(hex("00000800"), 20);
  const canvas = hex(
    "52494646 1a000000 57454250 56503858 0a000000 00000000 ff0f00 000000 00000000",
  );
  const large = new Uint8Array(100_001);
  large.set(png);
  const cases: Record<string, Uint8Array> = {
    "65536 wide": wide,
    "2048 high": high,
    "a WebP 4096 wide": canvas,
    "100001 bytes": large,
    "an SVG of 30001": bytes(svg("x".repeat(30_000))),
    "a PNG that is cut off": png.slice(0, 20),
    "a WebP that is cut off": webp.slice(0, 20),
    "bytes that are no text": hex("ff00fe"),
    "a zero in text": bytes(svg("\0")),
  };
  await as(database().sql, "alice", async (tx) => {
    for (const [name, picture] of Object.entries(cases)) {
      await assert.rejects(
        tx.savepoint((s) => add(s, picture)),
        refusal("widget_logo_refused", 422),
        name,
      );
    }
  });
});

Deno.test("LGO-04 the check of a hostile SVG ends: 30000 bytes made to be slow", async () => {
  const slow = [
    "<g ",
    "<g a",
    '<g a="',
    "<!--",
    "<!-- -",
    "<",
    "&amp;",
    "&",
    "url(",
    "-",
    '" ',
    "<g><",
  ];
  await as(database().sql, "alice", async (tx) => {
    await tx`set local statement_timeout = '5s'`; // a slow machine's second, twentyfold
    for (const piece of slow) {
      const text = svg(piece.repeat(Math.floor(29_000 / piece.length)));
      await tx.savepoint((s) => add(s, bytes(text))).catch((error) =>
        assert.equal(error.message, "widget_logo_refused", piece)
      );
      const inside = svg(`<path d="${"url( ".repeat(5_000)}"/>`);
      await tx.savepoint((s) => add(s, bytes(inside))).catch((error) =>
        assert.equal(error.message, "widget_logo_refused")
      );
    }
  });
});

Deno.test("LGO-05 a draft shows its own tenant's logo only; one that is published stays", async () => {
  const arrange = (tx: TransactionSql) =>
    tx`insert into public.widget_logos (tenant_id, bytes)
       values (${tenants.E}, ${bytes(svg("<desc>of E</desc>"))})`;
  await as(database().sql, "alice", async (tx) => {
    const [foreign] = await asOwner(
      tx,
      () => tx`select hash from public.widget_logos where tenant_id = ${tenants.E}`,
    );
    const put = (s: TransactionSql, hash: string) =>
      s`insert into public.widget_configs (tenant_id, logo_hash) values (${tenants.A}, ${hash})
        returning id`;
    await assert.rejects(tx.savepoint((s) => put(s, foreign!.hash)), {
      constraint_name: "widget_config_logo_unknown",
    });
    const { hash } = await add(tx, png);
    const [draft] = await put(tx, hash);
    const [version] = await tx`
      select body from public.publish_widget_config(${tenants.A}, ${draft!.id})`;
    assert.equal(JSON.parse(version!.body).look.logoUrl, `logo/${hash}`);
    await tx`update public.widget_configs set logo_hash = null`;
    await assert.rejects(tx.savepoint((s) => s`delete from public.widget_logos`), {
      code: "23503",
    });
    await tx`delete from public.widget_configs`;
    assert.equal((await tx`delete from public.widget_logos`).count, 1);
    assert.equal(
      (await tx`delete from public.widget_logos where hash = ${foreign!.hash}`).count,
      0,
    );
  }, { arrange });
});

Deno.test("LGO-06 a tenant keeps fifty logos at most", async () => {
  await as(database().sql, "alice", async (tx) => {
    for (let index = 0; index < 50; index++) await add(tx, bytes(svg(`<desc>${index}</desc>`)));
    await assert.rejects(
      tx.savepoint((s) => add(s, png)),
      refusal("widget_logos_too_many", 409),
    );
  });
});
