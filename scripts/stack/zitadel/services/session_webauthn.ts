// Passkeys and security keys shown to a session. [S] internal/command/session_webauhtn.go
import { failedPrecondition } from "../errors.ts";
import type { Authenticator, WebAuthnChallenge } from "../model_people.ts";
import { needHuman, type Person } from "./humans.ts";
import { type Checking, passed, userIdOf } from "./session_checks.ts";
import { patchHuman, userEvent } from "./users.ts";
import { verifyAssertion } from "./webauthn.ts";

/** With user verification required passkeys are meant, else security keys; only those of the same relying party. */
export const authenticatorsFor = (
  { human }: Person,
  { userVerification, rpId }: WebAuthnChallenge,
): Authenticator[] => {
  const kind = userVerification === "required" ? "passkey" : "u2f";
  return (human.authenticators ?? []).filter((one) => one.kind === kind && one.rpId === rpId);
};

export function activePerson(checking: Checking): Person {
  const userId = userIdOf(checking);
  if (userId === undefined) {
    throw failedPrecondition("COMMAND-eeR2e", "Errors.User.UserIDMissing");
  }
  const person = needHuman(checking.call.store, userId);
  if (person.state !== "active") {
    throw failedPrecondition("COMMAND-Df4b3", "Errors.User.NotFound");
  }
  return person;
}

/** What fails here writes nothing, neither about the session nor about the user: ZITADEL does not either. */
export async function checkWebAuthN(
  checking: Checking,
  { credentialAssertionData }: { credentialAssertionData: Record<string, unknown> },
): Promise<void> {
  const challenge = checking.session?.webAuthnChallenge;
  if (!challenge) {
    throw failedPrecondition("COMMAND-Ioqu5", "Errors.Session.WebAuthN.NoChallenge");
  }
  const person = activePerson(checking);
  const { authenticator, counter, userVerified } = await verifyAssertion(
    challenge,
    authenticatorsFor(person, challenge),
    credentialAssertionData,
  );
  checking.found.webAuthnChallenge = undefined;
  passed(checking, "webAuthN", "webAuthN", { userVerified });
  const { store, caller } = checking.call;
  checking.then.push(() => {
    const user = needHuman(store, person.id);
    const type = authenticator.kind === "passkey" ? "passwordless.token" : "mfa.u2f.token";
    const at = store.push(caller.userId, [
      userEvent(user, `user.human.${type}.signcount.changed`, {
        webAuthNTokenId: authenticator.id,
        signCount: counter,
      }),
    ]);
    patchHuman(store, user.id, {
      authenticators: user.human.authenticators?.map((one) =>
        one.id === authenticator.id ? { ...one, counter } : one
      ),
    }, at);
  });
}
