// WGC: a theme that cannot be read is refused with the pair named. The reckoning is held to one of its own here, written from WCAG 2.2's text.
import assert from "node:assert/strict";
import { join } from "node:path";
import { as, refusal, tenants } from "../support/actors.ts";
import { root } from "../support/paths.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

/** A repeatable stream of numbers below `n` (mulberry32). */
function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** WCAG 2.2, "relative luminance" and "contrast ratio", with the threshold of its errata. */
function ratio(one: string, other: string): number {
  const luminance = (colour: string) => {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const value = parseInt(colour.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4);
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

/** `color-mix(in srgb, one share, other)`: channel by channel. */
function mixed(one: string, other: string, share: number): string {
  const channels = [1, 3, 5].map((at) => {
    const [a, b] = [one, other].map((colour) => parseInt(colour.slice(at, at + 2), 16));
    return Math.round(share * a! + (1 - share) * b!).toString(16).padStart(2, "0");
  });
  return `#${channels.join("")}`;
}

const colour = (roll: (n: number) => number) =>
  `#${[0, 1, 2].map(() => roll(256).toString(16).padStart(2, "0")).join("")}`;

Deno.test("WGC-01 the ratio of any two colours is what WCAG says it is", async () => {
  const seed = Number(Deno.env.get("SEED") ?? 45);
  const roll = dice(seed);
  const pairs = Array.from({ length: 5000 }, () => [colour(roll), colour(roll)] as const);
  pairs.push(["#000000", "#ffffff"], ["#ffffff", "#ffffff"], ["#0a0a0a", "#0b0b0b"]);
  const rows = await database().sql<{ r: number }[]>`
    select private.contrast_ratio(a, b) as r
      from unnest(${pairs.map(([a]) => a)}::text[], ${
    pairs.map(([, b]) => b)
  }::text[]) with ordinality as x (a, b, n) order by n`;
  for (const [index, [a, b]] of pairs.entries()) {
    assert.ok(Math.abs(rows[index]!.r - ratio(a, b)) < 1e-9, `${a} ${b}, seed ${seed}`);
  }
});

Deno.test("WGC-02 known ratios: black on white 21, the greys at the borders of 4.5 and 3", async () => {
  const [row] = await database().sql`
    select private.contrast_ratio('#000000', '#ffffff') as most,
      private.contrast_ratio('#777777', '#ffffff') as below,
      private.contrast_ratio('#767676', '#ffffff') as above,
      private.contrast_ratio('#959595', '#ffffff') as edge_below,
      private.contrast_ratio('#949494', '#ffffff') as edge_above`;
  assert.equal(Math.round(row!.most * 1e9), 21e9);
  assert.ok(row!.below < 4.5 && row!.above >= 4.5 && row!.edge_below < 3 && row!.edge_above >= 3);
});

Deno.test("WGC-03 random themes: saving takes exactly those that an independent check takes, and names a failing pair", async () => {
  const seed = Number(Deno.env.get("SEED") ?? 1945);
  const roll = dice(seed);
  const { sql } = database();
  const colours = await sql<{ token: string; light: string; dark: string }[]>`
    select * from private.widget_colours()`;
  const pairs = await sql<{ front: string; ground: string; needed: string }[]>`
    select * from private.widget_pairs()`;
  let taken = 0;
  await as(sql, "alice", async (tx) => {
    for (let round = 0; round < 150; round++) {
      // One token of one scheme, nudged: about half of them pass.
      const scheme = (["light", "dark"] as const)[roll(2)]!;
      const one = colours[roll(colours.length)]!;
      const nudged = `#${
        [1, 3, 5].map((at) => {
          const value = parseInt(one[scheme].slice(at, at + 2), 16) + roll(121) - 60;
          return Math.max(0, Math.min(255, value)).toString(16).padStart(2, "0");
        }).join("")
      }`;
      const theme = { [scheme]: { [one.token]: nudged } };
      const value = (token: string): string => {
        if (token === "tint") return mixed(value("accent"), value("ground"), 0.09);
        return token === one.token ? nudged : colours.find((c) => c.token === token)![scheme];
      };
      const failing = pairs.filter(({ front, ground, needed }) =>
        ratio(value(front), value(ground)) < Number(needed)
      );
      const saving = tx.savepoint((s) =>
        s`insert into public.widget_configs (tenant_id, theme)
          values (${tenants.A}, ${s.json(theme)})`.then(() => {
          throw undo;
        })
      );
      if (failing.length === 0) {
        taken++;
        await assert.rejects(saving, (error) => error === undo, `${JSON.stringify(theme)}`);
      } else {
        await assert.rejects(saving, (error: { message: string; detail: string }) => {
          assert.equal(error.message, "contrast_too_low", JSON.stringify({ theme, seed }));
          for (const { front, ground, needed } of failing) {
            const shown = Math.floor(ratio(value(front), value(ground)) * 100) / 100;
            const named = `"${front}" on "${ground}" (${scheme}) has ${
              shown.toFixed(2)
            } : 1 and needs ${needed}`;
            assert.ok(error.detail.includes(named), `${named} in ${error.detail}`);
          }
          return true;
        });
      }
    }
  });
  assert.ok(taken > 20 && taken < 130, `${taken} taken: the test tries nothing, seed ${seed}`);
});

const undo = Symbol("undo");

Deno.test("WGC-04 what is refused is checked in both schemes, on change too", async () => {
  await as(database().sql, "alice", async (tx) => {
    const [row] = await tx`
      insert into public.widget_configs (tenant_id) values (${tenants.A}) returning id`;
    for (const scheme of ["light", "dark"]) {
      const theme = { [scheme]: { text: "#808080", field: "#7f7f7f" } };
      await assert.rejects(
        tx.savepoint((s) =>
          s`update public.widget_configs set theme = ${s.json(theme)} where id = ${row!.id}`
        ),
        refusal("contrast_too_low", 422),
      );
    }
  });
});

Deno.test("WGC-05 a builder sees every pair while somebody chooses", async () => {
  await as(database().sql, "bob", async (tx) => {
    const rows = await tx<
      { scheme: string; front: string; ground: string; passes: boolean; ratio: string }[]
    >`select * from public.check_widget_theme('{"light": {"accent": "#cccccc"}}')`;
    assert.deepEqual(
      rows.filter(({ passes }) => !passes).map(({ scheme, front, ground }) => [
        scheme,
        front,
        ground,
      ]).sort(),
      [
        ["light", "accent", "ground"],
        ["light", "accent", "tint"],
        ["light", "on-accent", "accent"],
      ],
    );
    await assert.rejects(
      tx.savepoint((s) => s`select * from public.check_widget_theme('{"light": 1}')`),
      refusal("widget_theme_refused", 422),
    );
  });
});

Deno.test("WGC-06 the widget's own colours pass, and are those of its style sheets", async () => {
  const colours = await database().sql<{ token: string; light: string; dark: string }[]>`
    select * from private.widget_colours()`;
  const failing = await database().sql`
    select * from public.check_widget_theme('{}') where not passes`;
  assert.deepEqual([...failing], []);
  const css = Deno.readTextFileSync(join(root, "widget/src/login/style.ts"));
  const own = [...css.matchAll(
    /var\(--gatehouse-([a-z-]+), light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)\)/g,
  )].map(([, token, light, dark]) => ({ token: token!, light: light!, dark: dark! }));
  assert.ok(own.length >= 8);
  for (const one of own) {
    assert.deepEqual(colours.find(({ token }) => token === one.token), one, one.token);
  }
});
