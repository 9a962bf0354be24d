/**
 * WebAuthn as ZITADEL does it with a `domain` given: that is the relying-party id, and the origin is believed from the browser's own
 * clientData. [S] internal/webauthn/webauthn.go. Its failures are `internal` there, as if ZITADEL were at fault.
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import {
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import { ApiError } from "../errors.ts";
import type { Authenticator, WebAuthnChallenge } from "../model_people.ts";

const timeoutMs = 300_000;
const failed = (id: string, key: string) =>
  new ApiError("internal", id, `Errors.User.WebAuthN.${key}`);

export const newChallenge = () => randomBytes(32).toString("base64url");
const descriptors = (authenticators: Authenticator[]) =>
  authenticators.filter((one) => one.ready).map(({ credentialId }) => ({
    type: "public-key",
    id: credentialId!,
  }));

export function creationOptions(
  input: {
    rpId: string;
    challenge: string;
    userVerification: "required" | "discouraged";
    attachment?: "platform" | "cross-platform";
    user: { id: string; name: string; displayName: string };
    others: Authenticator[];
  },
): object {
  const excluded = descriptors(input.others);
  return {
    publicKey: {
      rp: { name: "ZITADEL", id: input.rpId },
      user: { ...input.user, id: Buffer.from(input.user.id).toString("base64url") },
      challenge: input.challenge,
      pubKeyCredParams: [-7, -35, -36, -257, -258, -259, -37, -38, -39, -8].map((alg) => ({
        type: "public-key",
        alg,
      })),
      timeout: timeoutMs,
      ...(excluded.length ? { excludeCredentials: excluded } : {}),
      authenticatorSelection: {
        ...(input.attachment ? { authenticatorAttachment: input.attachment } : {}),
        userVerification: input.userVerification,
      },
      attestation: "none",
    },
  };
}

/** @throws WEBAU-sEr8c, WEBAU-3Vb9s */
export async function verifyRegistration(
  pending: Authenticator,
  credential: Record<string, unknown>,
): Promise<Pick<Authenticator, "credentialId" | "publicKey" | "counter"> & { aaguid: string }> {
  const response = credential as unknown as RegistrationResponseJSON;
  const origin = originOf(response.response?.clientDataJSON);
  if (origin === null) throw failed("WEBAU-sEr8c", "ErrorOnParseCredential");
  const checked = await verifyRegistrationResponse({
    response: { ...response, clientExtensionResults: {} },
    expectedChallenge: pending.challenge!,
    expectedOrigin: origin,
    expectedRPID: pending.rpId,
    requireUserVerification: pending.kind === "passkey",
  }).catch(() => null);
  if (!checked?.verified) throw failed("WEBAU-3Vb9s", "CreateCredentialFailed");
  const { credential: made, aaguid } = checked.registrationInfo;
  return {
    credentialId: made.id,
    publicKey: Buffer.from(made.publicKey).toString("base64url"),
    counter: made.counter,
    aaguid,
  };
}

/** @throws WEBAU-4G8sw: nothing of this relying party is ready */
export function requestOptions(
  { rpId, challenge, userVerification }: WebAuthnChallenge,
  authenticators: Authenticator[],
): object {
  const allowed = descriptors(authenticators);
  if (allowed.length === 0) throw failed("WEBAU-4G8sw", "BeginLoginFailed");
  return {
    publicKey: { challenge, timeout: timeoutMs, rpId, allowCredentials: allowed, userVerification },
  };
}

/**
 * Which authenticator it was. A counter that does not rise is noted as a clone by ZITADEL's library, and let in by its session API:
 * the counter stays as it was. @throws WEBAU-ADgv4, WEBAU-3M9si
 */
export async function verifyAssertion(
  { rpId, challenge, userVerification }: WebAuthnChallenge,
  authenticators: Authenticator[],
  assertion: Record<string, unknown>,
): Promise<{ authenticator: Authenticator; counter: number; userVerified: boolean }> {
  const response = assertion as unknown as AuthenticationResponseJSON;
  const origin = originOf(response.response?.clientDataJSON);
  if (origin === null) throw failed("WEBAU-ADgv4", "ValidateLoginFailed");
  const authenticator = authenticators.find((one) => one.ready && one.credentialId === response.id);
  const checked = authenticator && await verifyAuthenticationResponse({
    response: { ...response, clientExtensionResults: {} },
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: rpId,
    credential: {
      id: authenticator.credentialId!,
      publicKey: new Uint8Array(Buffer.from(authenticator.publicKey!, "base64url")),
      counter: 0, // compared below, as ZITADEL does
    },
    requireUserVerification: userVerification === "required",
  }).catch(() => null);
  if (!authenticator || !checked?.verified) throw failed("WEBAU-3M9si", "ValidateLoginFailed");
  const { newCounter, userVerified } = checked.authenticationInfo;
  return {
    authenticator,
    counter: newCounter > authenticator.counter ? newCounter : authenticator.counter,
    userVerified,
  };
}

function originOf(clientData: unknown): string | null {
  try {
    const { origin } = JSON.parse(Buffer.from(String(clientData), "base64url").toString());
    return typeof origin === "string" ? origin : null;
  } catch {
    return null;
  }
}
