// Passkeys, and security keys as second factors: registered in two steps, removed. [S] internal/command/user_v2_passkey.go
import { ApiError, invalidArgument, notFound } from "../errors.ts";
import type { Authenticator } from "../model_people.ts";
import { type Call, details, type Service } from "../service.ts";
import { checkCode, coded, newCode } from "./codes.ts";
import { type Change, change, needHuman, type Person } from "./humans.ts";
import { loginNames } from "./login_names.ts";
import { creationOptions, newChallenge, verifyRegistration } from "./webauthn.ts";

type Kind = Authenticator["kind"];
const events: Record<Kind, string> = { passkey: "passwordless.token", u2f: "mfa.u2f.token" };

interface Start {
  userId: string;
  domain?: string;
  authenticator?: string;
  code?: { id: string; code: string };
}
interface Finish {
  userId: string;
  publicKeyCredential: Record<string, unknown>;
  passkeyName?: string;
  tokenName?: string;
}

/** `ownDomain`: the relying party where a request names none. */
export const authenticators = (ownDomain: string): Service => ({
  CreatePasskeyRegistrationLink(
    call: Call,
    { userId, returnCode }: { userId: string; returnCode?: object },
  ) {
    const user = needHuman(call.store, userId);
    const id = call.store.newId();
    const code = newCode(call.store, "passkey");
    const payload = { id, ...coded(code), codeReturned: returnCode !== undefined };
    const at = change(
      call,
      user,
      [["passwordless.initialization.code.requested", payload]],
      { passkeyCodes: { ...user.human.passkeyCodes, [id]: code } },
    );
    return {
      details: details(user.organizationId, at),
      ...(returnCode ? { code: { id, code: code.code } } : {}),
    };
  },

  RegisterPasskey(call: Call, request: Start) {
    const user = needHuman(call.store, request.userId);
    if (request.code) spendCode(call, user, request.code);
    else call.caller.needFor(user, "user.passkey.write");
    const { id, options, at } = start(call, "passkey", request, ownDomain);
    return {
      details: details(user.organizationId, at),
      passkeyId: id,
      publicKeyCredentialCreationOptions: options,
    };
  },

  async VerifyPasskeyRegistration(call: Call, request: Finish) {
    const { organizationId } = needHuman(call.store, request.userId);
    const at = await finish(call, "passkey", request, request.passkeyName ?? "");
    return { details: details(organizationId, at) };
  },

  RemovePasskey: (call: Call, request: { userId: string; passkeyId: string }) =>
    remove(call, "passkey", request.userId, request.passkeyId),

  RegisterU2F(call: Call, request: Start) {
    const user = needHuman(call.store, request.userId);
    call.caller.needFor(user, "user.credential.write");
    const { id, options, at } = start(call, "u2f", request, ownDomain);
    return {
      details: details(user.organizationId, at),
      u2fId: id,
      publicKeyCredentialCreationOptions: options,
    };
  },

  async VerifyU2FRegistration(call: Call, request: Finish) {
    const { organizationId } = needHuman(call.store, request.userId);
    const at = await finish(call, "u2f", request, request.tokenName ?? "");
    return { details: details(organizationId, at) };
  },

  RemoveU2F: (call: Call, request: { userId: string; u2fId: string }) =>
    remove(call, "u2f", request.userId, request.u2fId),
});

/** @throws COMMAND-Eeb2a, whatever is wrong with it */
function spendCode(call: Call, user: Person, { id, code }: { id: string; code: string }): void {
  const { [id]: kept, ...passkeyCodes } = user.human.passkeyCodes ?? {};
  const name = "passwordless.initialization.code.check";
  try {
    checkCode(kept, code);
  } catch {
    change(call, user, [[`${name}.failed`, { id }]], {});
    throw invalidArgument("COMMAND-Eeb2a", "Errors.User.Code.Invalid");
  }
  change(call, user, [[`${name}.succeeded`, { id }]], { passkeyCodes });
}

/** One registration of a kind is open at a time: a new one takes the place of an unfinished one. */
function start(call: Call, kind: Kind, request: Start, ownDomain: string) {
  const { store } = call;
  const user = needHuman(store, request.userId);
  const id = store.newId();
  const challenge = newChallenge();
  const rpId = request.domain || ownDomain;
  const all = user.human.authenticators ?? [];
  const at = change(
    call,
    user,
    [[`${events[kind]}.added`, { webAuthNTokenId: id, challenge, rpID: rpId }]],
    {
      authenticators: [
        ...all.filter((one) => one.kind !== kind || one.ready),
        { id, kind, rpId, name: "", ready: false, challenge, counter: 0 },
      ],
    },
  );
  const attachment = request.authenticator?.replace("PASSKEY_AUTHENTICATOR_", "").toLowerCase()
    .replace("_", "-");
  const options = creationOptions({
    rpId,
    challenge,
    userVerification: kind === "passkey" ? "required" : "discouraged",
    ...(attachment === "platform" || attachment === "cross-platform" ? { attachment } : {}),
    user: {
      id: user.id,
      name: loginNames(store, user)[0] ?? user.human.email,
      displayName: user.human.displayName,
    },
    others: all.filter((one) => one.kind === kind && one.rpId === rpId),
  });
  return { id, options, at };
}

/** The open registration of this kind is meant; the id in the request is not looked at, as in ZITADEL. */
async function finish(
  call: Call,
  kind: Kind,
  { userId, publicKeyCredential }: Finish,
  name: string,
): Promise<string> {
  const { store, caller } = call;
  const pending = needHuman(store, userId).human.authenticators?.find((one) =>
    one.kind === kind && !one.ready
  );
  caller.needFor(needHuman(store, userId), "user.credential.write");
  if (!pending) throw new ApiError("internal", "WEBAU-5M9so", "Errors.User.WebAuthN.NotFound");
  const { aaguid, ...made } = await verifyRegistration(pending, publicKeyCredential);
  const user = needHuman(store, userId);
  const verified: Change = [`${events[kind]}.verified`, {
    webAuthNTokenId: pending.id,
    webAuthNTokenName: name,
    keyId: made.credentialId,
    publicKey: made.publicKey,
    attestationType: "none",
    aaguid,
    signCount: made.counter,
  }];
  return change(call, user, [verified], {
    authenticators: (user.human.authenticators ?? []).map(({ challenge, ...one }) =>
      one.id === pending.id ? { ...one, ...made, name, ready: true } : { ...one, challenge }
    ),
  });
}

function remove(call: Call, kind: Kind, userId: string, id: string) {
  const user = needHuman(call.store, userId);
  call.caller.needFor(user, "user.write");
  const all = user.human.authenticators ?? [];
  if (!all.some((one) => one.kind === kind && one.id === id)) {
    throw notFound("COMMAND-DAfb2", "Errors.User.WebAuthN.NotFound");
  }
  const at = change(call, user, [[`${events[kind]}.removed`, { webAuthNTokenId: id }]], {
    authenticators: all.filter((one) => one.id !== id),
  });
  return { details: details(user.organizationId, at) };
}
