// Whole sign-ins by password on our own page: from the application's redirect, by the page, flows/open and flows/act, to the address with the code. Beside them the
// same calls to ZITADEL, made by the adapter with no function between: what is left of the time is ours. ZITADEL is played by the double.
import assert from "node:assert/strict";
import type { LoginClient } from "../../functions/_shared/zitadel/types.ts";
import { maxSessionSeconds } from "../../functions/widget/policy.ts";
import { publicUrl } from "../integration/widget_support.ts";
import { openSigning, type Person, type Signing } from "./sign_in_house.ts";
import { type Figure, inTurns } from "./support.ts";

const crowds = [1, 8, 32];
/** Twice the largest crowd: nobody signs in twice at once. */
const persons = 64;
const seconds = 3;
const rounds = 5;

type SignIn = (person: Person) => Promise<void>;

export async function signIn(): Promise<Figure[]> {
  await using signing = await openSigning(persons);
  const { house: { zitadel } } = signing;
  await checkSame(signing);
  const figures: Figure[] = [];
  for (const crowd of crowds) {
    const through = measure(signing, crowd, (person) => throughFunction(signing, person));
    const alone = measure(signing, crowd, (person) => callsAlone(signing, zitadel, person));
    const rates = await inTurns({ through: through.run, alone: alone.run }, rounds);
    figures.push(
      {
        name: `sign-ins by password through function and double, ${crowd} at once`,
        value: rates.through,
        unit: "/s",
        note:
          `${through.told()}; function ${through.processor()} ms of processor a sign-in; the calls alone ${
            rates.alone.toFixed(1)
          }/s, ${alone.told()}`,
      },
      {
        name: `sign-ins ÷ their calls to ZITADEL alone, ${crowd} at once`,
        value: rates.through / rates.alone,
        unit: "×",
      },
    );
  }
  return figures;
}

/** As long as `seconds`, `crowd` people at a time; gives sign-ins a second. */
function measure({ people, processorMs }: Signing, crowd: number, signIn: SignIn) {
  const times: number[] = [];
  let usedMs = 0;
  return {
    async run(): Promise<number> {
      const usedBefore = await processorMs();
      const began = performance.now();
      const until = began + seconds * 1_000;
      const before = times.length;
      await Promise.all(Array.from({ length: crowd }, async (_, first) => {
        for (let n = first; performance.now() < until; n = (n + crowd) % people.length) {
          const at = performance.now();
          await signIn(people[n]!);
          times.push(performance.now() - at);
        }
      }));
      const rate = (times.length - before) / ((performance.now() - began) / 1_000);
      usedMs += await processorMs() - usedBefore;
      return rate;
    },
    told() {
      const sorted = times.toSorted((a, b) => a - b);
      const p = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(0);
      return `p50 ${p(0.5)}, p95 ${p(0.95)} ms`;
    },
    processor: () => (usedMs / times.length).toFixed(1),
  };
}

/** As a browser that has the page's files, and one session cookie for the flow. */
async function throughFunction({ url, house, tenant }: Signing, person: Person): Promise<void> {
  const authRequest = await house.authorize(tenant.clientId);
  const page = await fetch(`${url}/login?authRequest=${authRequest}`, {
    headers: { "x-forwarded-for": person.address },
  });
  await page.body?.cancel();
  let cookie = cookieOf(page);
  const post = async (path: string, body: object) => {
    const response = await fetch(`${url}/flows/${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-gatehouse-flow": authRequest,
        "x-forwarded-for": person.address,
        origin: publicUrl,
        cookie,
      },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    assert.equal(response.status, 200, JSON.stringify(answer));
    cookie = cookieOf(response);
    return answer;
  };
  await post("open", { mode: "page", authRequest });
  const { loginName, password } = person;
  const { state } = await post("act", { action: "password", loginName, password });
  assert.equal(state.screen, "done");
}

const cookieOf = (response: Response) =>
  response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");

/** What the function asks ZITADEL for, in its order and side by side where it does. */
async function callsAlone(
  { house, tenant: { clientId, organizationId: orgId } }: Signing,
  zitadel: LoginClient,
  { loginName, password, address: ip }: Person,
): Promise<void> {
  const id = await house.authorize(clientId);
  await zitadel.getAuthRequest(id); // the page
  await zitadel.getAuthRequest(id); // flows/open
  await zitadel.loginSettings(orgId);
  await zitadel.getAuthRequest(id); // flows/act
  await zitadel.loginSettings(orgId);
  const [user] = await zitadel.findUsers({ orgId, loginName, byEmail: true });
  const userId = user!.id;
  const session = await zitadel.createSession({
    ...{ userId, password, lifetimeSeconds: maxSessionSeconds },
    userAgent: { fingerprintId: crypto.randomUUID(), ip },
  });
  await Promise.all([
    zitadel.loginSettings(orgId),
    zitadel.passwordExpiry(orgId),
    zitadel.getUser(userId),
    zitadel.authenticationMethods(userId),
  ]);
  await zitadel.createCallback(id, session);
}

/** @throws where the function has come to ask ZITADEL for something else */
async function checkSame(signing: Signing): Promise<void> {
  const { house, tenant, people: [person] } = signing;
  const asked = async (act: (zitadel: LoginClient) => Promise<unknown>) => {
    const calls: string[] = [];
    await act(
      new Proxy(house.zitadel, {
        get(target, name) {
          calls.push(String(name));
          return Reflect.get(target, name);
        },
      }),
    );
    return calls;
  };
  const byFunction = await asked(async (zitadel) => {
    house.parts = { zitadel };
    const { browser } = await house.open(await house.authorize(tenant.clientId));
    await browser.openFlow();
    const { state } = await browser.sendPassword(person!.loginName, person!.password);
    assert.equal(state?.screen, "done");
  });
  assert.deepEqual(byFunction, await asked((zitadel) => callsAlone(signing, zitadel, person!)));
}
