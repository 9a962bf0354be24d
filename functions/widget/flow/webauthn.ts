/** What a browser says of an authenticator's answer, checked before ZITADEL hears it: ZITADEL takes the origin from the answer itself. */
import { decodeBase64Url } from "hono/utils/encode";
import { Problem } from "../../_shared/problem.ts";
import type { Flow } from "./flow.ts";

/** The relying party: our page's host. */
export const relyingParty = ({ parts }: Pick<Flow, "parts">) => new URL(parts.publicUrl).hostname;

/** The page that the person sees. */
const pageOrigin = ({ parts, memory }: Flow) =>
  memory.mode === "inline" ? memory.origin : new URL(parts.publicUrl).origin;

/** WebAuthn level 3, 5.1.3: a page may use the passkeys of its own host and of a parent domain. */
export function passkeysFit(flow: Flow): boolean {
  const origin = pageOrigin(flow);
  if (origin === undefined) return false;
  const { hostname, protocol } = new URL(origin);
  const domain = relyingParty(flow);
  const secure = protocol === "https:" || hostname === "localhost";
  const named = !/^[\d.]+$|^\[/.test(domain); // an address is no relying party
  return secure && named && (hostname === domain || hostname.endsWith(`.${domain}`));
}

/** @throws {Problem} credential_refused, unless it was made on this flow's page for this purpose */
export function requireOwnPage(
  flow: Flow,
  { response }: { response: Record<string, unknown> },
  type: "webauthn.get" | "webauthn.create",
): void {
  const said = readClientData(response.clientDataJSON);
  const ours = said?.type === type && said.origin === pageOrigin(flow) &&
    said.crossOrigin !== true;
  if (!ours) throw credentialRefused();
}

function readClientData(
  encoded: unknown,
): { type?: unknown; origin?: unknown; crossOrigin?: unknown } | null {
  try {
    return JSON.parse(new TextDecoder().decode(decodeBase64Url(String(encoded))));
  } catch {
    return null;
  }
}

/** Whether the authenticator verified its user: bit 2 of the flags (WebAuthn level 3, 6.1), which its signature covers. */
export function verifiedUser({ response }: { response: Record<string, unknown> }): boolean {
  try {
    return ((decodeBase64Url(String(response.authenticatorData))[32] ?? 0) & 0b100) !== 0;
  } catch {
    return false;
  }
}

export const credentialRefused = (cause?: unknown) =>
  new Problem("credential_refused", "The passkey or security key was not accepted", { cause });
