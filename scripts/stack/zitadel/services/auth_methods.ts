// What somebody can sign in with, as lists. Each is a projection: late.
import type { User } from "../model.ts";
import type { Authenticator } from "../model_people.ts";
import { type Call, type Service } from "../service.ts";
import type { Store } from "../store.ts";
import { seeHuman } from "./humans.ts";
import { notFound } from "../errors.ts";

type Method =
  | "PASSWORD"
  | "PASSKEY"
  | "IDP"
  | "TOTP"
  | "U2F"
  | "OTP_EMAIL"
  | "RECOVERY_CODE";

/** What is ready to be used. */
export function methodsOf(store: Store, { id, human }: Pick<User, "id" | "human">): Method[] {
  const ready = (kind: Authenticator["kind"]) =>
    human?.authenticators?.some((one) => one.kind === kind && one.ready);
  const holds: [Method, boolean | undefined][] = [
    ["PASSWORD", human?.passwordHash !== undefined],
    ["PASSKEY", ready("passkey")],
    ["IDP", store.seenAll("idp_link").some((link) => link.userId === id)],
    ["TOTP", human?.totp?.ready],
    ["U2F", ready("u2f")],
    ["OTP_EMAIL", human?.otpEmail],
    ["RECOVERY_CODE", (human?.recoveryCodes?.length ?? 0) > 0],
  ];
  return holds.flatMap(([method, held]) => held ? [method] : []);
}

export const authMethods: Service = {
  ListAuthenticationMethodTypes({ store, caller }: Call, { userId }: { userId: string }) {
    const user = store.seen("user", userId);
    if (!user) throw notFound("QUERY-Dfbg2", "Errors.User.NotFound");
    caller.needFor(user, "user.read");
    const types = methodsOf(store, user).map((method) => `AUTHENTICATION_METHOD_TYPE_${method}`);
    return {
      details: { totalResult: String(types.length), timestamp: store.now() },
      authMethodTypes: types,
    };
  },

  ListAuthenticationFactors(
    call: Call,
    request: { userId: string; authFactors?: string[]; states?: string[] },
  ) {
    const { human } = seeHuman(call, request.userId);
    const kinds = request.authFactors?.length
      ? request.authFactors
      : ["OTP", "OTP_SMS", "OTP_EMAIL", "U2F"];
    const states = request.states?.length ? request.states : ["AUTH_FACTOR_STATE_READY"];
    const all = [
      ...(human.totp ? [{ kind: "OTP", state: stateOf(human.totp), otp: {} }] : []),
      ...(human.otpEmail
        ? [{ kind: "OTP_EMAIL", state: "AUTH_FACTOR_STATE_READY", otpEmail: {} }]
        : []),
      ...(human.authenticators ?? []).filter(({ kind }) => kind === "u2f").map((one) => ({
        kind: "U2F",
        state: stateOf(one),
        u2f: { id: one.id, name: one.name },
      })),
    ];
    return {
      result: all.filter(({ kind, state }) => kinds.includes(kind) && states.includes(state))
        .map(({ kind: _kind, ...factor }) => factor),
    };
  },

  ListPasskeys(call: Call, { userId }: { userId: string }) {
    const { human } = seeHuman(call, userId);
    const result = (human.authenticators ?? []).filter(({ kind, ready }) =>
      kind === "passkey" && ready
    ).map(({ id, name, ...one }) => ({ id, name, state: stateOf(one) }));
    return {
      details: { totalResult: String(result.length), timestamp: call.store.now() },
      result,
    };
  },
};

const stateOf = ({ ready }: { ready: boolean }) =>
  ready ? "AUTH_FACTOR_STATE_READY" : "AUTH_FACTOR_STATE_NOT_READY";
