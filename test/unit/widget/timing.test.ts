// Who measures answers learns nothing of accounts: two samples, known names and unknown ones, come from one distribution.
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Action } from "../../../functions/widget/contract.ts";
import type { WidgetParts } from "../../../functions/widget/parts.ts";
import { appOf, makeWorld, Visitor } from "./world_support.ts";

const floorMs = 300;
const perSample = 80;

/** Kolmogorov and Smirnov: the largest distance between two samples' distribution functions, 0 to 1. */
function distance(a: number[], b: number[]): number {
  const below = (sample: number[], x: number) =>
    sample.filter((y) => y <= x).length / sample.length;
  return Math.max(...[...a, ...b].map((x) => Math.abs(below(a, x) - below(b, x))));
}

/** Two samples of one distribution are further apart once in a million times: c(1e-6) = 2.69. */
const critical = 2.69 * Math.sqrt(2 / perSample);

/** ZITADEL takes its time with a person who is there, as it hashes and looks up; with nobody it is quick. */
function slowWorld() {
  const world = makeWorld();
  const zitadel = world.client();
  const slowly =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) => async (...args: A) => {
      await new Promise((resolve) => setTimeout(resolve, 25));
      return await call(...args);
    };
  const slow = {
    createSession: slowly(zitadel.createSession),
    authenticationMethods: slowly(zitadel.authenticationMethods),
    requestPasswordReset: slowly(zitadel.requestPasswordReset),
  };
  const client = new Proxy(zitadel, {
    get: (target, name) => Reflect.get(slow, name) ?? Reflect.get(target, name),
  });
  return { world, zitadel: client };
}

interface More {
  before?: Action;
  /** Default: alice and carol. */
  known?: string[];
  parts?: Partial<WidgetParts>;
}

async function measure(
  refusalFloorMs: number,
  act: (loginName: string, n: number) => Action,
  { before, known: whom = ["alice", "carol"], parts }: More = {},
): Promise<{ known: number[]; unknown: number[] }> {
  const { world, zitadel } = slowWorld();
  const visitor = new Visitor(appOf(world, { zitadel, refusalFloorMs, ...parts }));
  const known: number[] = [];
  const unknown: number[] = [];
  // In an order that is drawn once, and in crowds: what the machine does meanwhile hits both alike.
  const names = fc.sample(fc.constantFrom(...whom, "nobody", "no one"), {
    numRuns: perSample * 4,
    seed: 7,
  });
  const log = console.log;
  console.log = () => {};
  try {
    for (let start = 0; start < names.length; start += 40) {
      await Promise.all(
        names.slice(start, start + 40).map(async (name, n) => {
          const sample = name.startsWith("no") ? unknown : known;
          let { moment } = await visitor.arrive(world.request({}));
          if (before) ({ moment } = await visitor.act(moment, before));
          const startedAt = performance.now();
          await visitor.act(moment, act(name, start + n));
          sample.push(performance.now() - startedAt);
        }),
      );
    }
  } finally {
    console.log = log;
  }
  return { known: known.slice(0, perSample), unknown: unknown.slice(0, perSample) };
}

/** A code by e-mail may be the whole sign-in. */
const byEmailCode = {
  find: () =>
    Promise.resolve({
      ...{ hash: "0".repeat(64), languages: ["en"] },
      look: { tokens: {}, layout: "card" as const, texts: {} },
      flows: { password: true, passkey: true, email_code: true, register: true, reset: true },
    }),
};

/** Of who is there the address has an account; every other one is new. */
const registering = (loginName: string, n: number): Action => ({
  ...{ action: "register", givenName: "N", familyName: "N", password: "Correct-Horse-7" },
  email: loginName === "erin@mail.example" ? loginName : `new${n}@mail.example`,
});

const ways: [string, (loginName: string, n: number) => Action, More?][] = [
  ["a wrong password", (loginName) => ({ action: "password", loginName, password: "wrong" })],
  ["asking for a passkey", (loginName) => ({ action: "passkey", loginName })],
  ["asking for a reset", (loginName) => ({ action: "reset", loginName }), {
    before: { action: "show_reset" },
  }],
  ["asking for a code by e-mail", (loginName) => ({ action: "email_code", loginName }), {
    known: ["dan", "dan"],
    parts: { looks: byEmailCode },
  }],
  ["registering", registering, {
    before: { action: "show_register" },
    known: ["erin@mail.example", "erin@mail.example"],
  }],
];

for (const [what, act, more] of ways) {
  Deno.test(`widget flows: ${what} takes the same time for known and unknown names`, async () => {
    const { known, unknown } = await measure(floorMs, act, more);
    assert.equal(known.length, unknown.length);
    assert.ok(distance(known, unknown) < critical, `${distance(known, unknown)}`);
  });
}

Deno.test("widget flows: without the floor the same measurement tells them apart", async () => {
  const { known, unknown } = await measure(0, ways[0]![1]);
  assert.ok(distance(known, unknown) > critical);
});
