/** How often what may be tried, and which answers keep the fixed floor of time. */
import { Problem } from "../../_shared/problem.ts";
import { type Flow } from "./flow.ts";
import type { ActionName, ActionOf } from "./handlers.ts";

type PermitKind = "guess" | "mail" | "look";

interface Cost {
  kind: PermitKind;
  /** Whose count it is: as typed, so that a name counts alike whether anybody has it or not. */
  account: string;
}

/** Where nobody is proven yet by the name that was typed, so that a name counts alike whether anybody has it or not. */
const known = ({ memory }: Flow) =>
  memory.pending && "account" in memory.pending
    ? memory.pending.account
    : memory.person?.userId ?? memory.ref;

const costs: { [A in ActionName]?: (flow: Flow, action: ActionOf<A>) => Cost } = {
  password: (_, { loginName }) => ({ kind: "guess", account: loginName }),
  ldap: (_, { username }) => ({ kind: "guess", account: username }),
  code: (flow) => ({ kind: "guess", account: known(flow) }),
  credential: (flow) => ({ kind: "guess", account: known(flow) }),
  new_password: (flow) => ({ kind: "guess", account: known(flow) }),
  passkey: (_, { loginName }) => ({ kind: "look", account: loginName }),
  discover: (_, { loginName }) => ({ kind: "look", account: loginName }),
  email_code: (_, { loginName }) => ({ kind: "mail", account: loginName }),
  reset: (_, { loginName }) => ({ kind: "mail", account: loginName }),
  register: (_, { email }) => ({ kind: "mail", account: email }),
};

/** Also when they succeed: what they answer is the same for everybody, so its time must be. */
const alwaysLate: ActionName[] = ["passkey", "discover", "email_code", "reset", "register"];

export const isLate = (action: ActionName, refused: boolean): boolean =>
  alwaysLate.includes(action) || refused && action in costs;

/** @throws {Problem} rate_limited */
export async function payFor<A extends ActionName>(flow: Flow, action: ActionOf<A>) {
  const cost = costs[action.action as A]?.(flow, action);
  if (cost === undefined) return async () => {};
  return await takePermit(flow, cost);
}

/** Answers what gives the permit back: whoever is right has not guessed. @throws {Problem} rate_limited */
export async function takePermit(
  { parts, client, userAgent }: Flow,
  { kind, account }: Cost,
): Promise<() => Promise<void>> {
  const permit = {
    tenantId: client.tenantId,
    kind,
    account: account.trim().toLowerCase(),
    address: userAgent.ip,
  };
  const waitSeconds = await parts.permits.take(permit);
  if (waitSeconds > 0) throw rateLimited(waitSeconds);
  return async () => {
    if (kind === "guess") await parts.permits.giveBack(permit);
  };
}

/** What nobody's account is in yet. @throws {Problem} rate_limited */
export async function payByAddress(
  { permits }: Flow["parts"],
  tenantId: string,
  address: string | undefined,
): Promise<void> {
  const wait = await permits.take({ tenantId, kind: "look", account: undefined, address });
  if (wait > 0) throw rateLimited(wait);
}

const rateLimited = (seconds: number) =>
  new Problem("rate_limited", `Too many tries; the next one is taken in ${seconds} s`, {
    headers: { "retry-after": String(seconds) },
  });
