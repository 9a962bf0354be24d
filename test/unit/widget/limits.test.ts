// What is counted before anything is tried, and what a blocked caller hears. The counts themselves: PER-01 and on, test/sql.
import assert from "node:assert/strict";
import type { Permit } from "../../../functions/widget/permits.ts";
import { appOf, makeWorld, ownOrigin, Visitor } from "./world_support.ts";

function given(wait: (permit: Permit) => number = () => 0) {
  const world = makeWorld();
  const taken: Permit[] = [];
  const back: Permit[] = [];
  const app = appOf(world, {
    permits: {
      take: (permit) => (taken.push(permit), Promise.resolve(wait(permit))),
      giveBack: (permit) => (back.push(permit), Promise.resolve()),
    },
  });
  return { world, app, visitor: new Visitor(app), taken, back };
}

Deno.test("widget limits: a try is counted by the name as typed, whether anybody has it; a right one is given back", async () => {
  const { world, visitor, taken, back } = given();
  const { moment } = await visitor.arrive(world.request({}));
  for (
    const [loginName, password] of [
      ["alice", "wrong"],
      ["nobody", "wrong"],
      [" ALICE ", "password of alice"],
    ] as const
  ) {
    await visitor.act(moment, { action: "password", loginName, password });
  }
  assert.deepEqual(taken.map(({ kind, account }) => [kind, account]), [
    ["guess", "alice"],
    ["guess", "nobody"],
    ["guess", "alice"],
  ]);
  assert.deepEqual(back, [taken[2]]);
});

Deno.test("widget limits: who is blocked hears how long, and nothing is tried", async () => {
  const { world, visitor, app } = given(() => 42);
  const { moment } = await visitor.arrive(world.request({}));
  const cookie = [...moment.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  for (const loginName of ["alice", "nobody"]) {
    const response = await app.request("/widget/flows/act", {
      method: "POST",
      headers: {
        ...{ "content-type": "application/json", "x-gatehouse-flow": moment.flow },
        ...{ cookie, origin: ownOrigin },
      },
      body: JSON.stringify({ action: "password", loginName, password: `password of ${loginName}` }),
    });
    assert.equal(response.status, 429);
    assert.equal(response.headers.get("retry-after"), "42");
    assert.equal((await response.json()).type, "urn:gatehouse:problem:rate_limited");
  }
  assert.equal(world.sessions.size, 0);
});

Deno.test("widget limits: the address is the one that our own proxy saw, not what the client says of itself", async () => {
  const { world, app, visitor, taken } = given();
  const { moment } = await visitor.arrive(world.request({}));
  const cookie = [...moment.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const response = await app.request("/widget/flows/act", {
    method: "POST",
    headers: {
      ...{ "content-type": "application/json", "x-gatehouse-flow": moment.flow },
      ...{ cookie, origin: ownOrigin, "x-forwarded-for": "198.51.100.9, 192.0.2.7" },
    },
    body: JSON.stringify({ action: "password", loginName: "alice", password: "wrong" }),
  });
  await response.body?.cancel();
  assert.equal(taken[0]!.address, "192.0.2.7");
});

Deno.test("widget limits: codes are counted for the person, mails apart from guesses, inline openings by address", async () => {
  const { world, visitor, taken } = given();
  const { moment } = await visitor.arrive(world.request({}));
  const signIn = (loginName: string) =>
    ({ action: "password", loginName, password: `password of ${loginName}` }) as const;
  const factor = await visitor.act(moment, signIn("bob"));
  await visitor.act(factor.moment, { action: "code", code: "wrong" });
  assert.deepEqual(taken.slice(1).map(({ kind, account }) => [kind, account]), [["guess", "bob"]]);
  const { moment: second } = await visitor.arrive(world.request({}));
  await visitor.act(second, { action: "passkey", loginName: "carol" });
  await visitor.openInline();
  assert.deepEqual(taken.slice(2).map(({ kind, account }) => [kind, account]), [
    ["look", "carol"],
    ["look", undefined],
  ]);
});
