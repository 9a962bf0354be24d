import { encodeBase64Url } from "hono/utils/encode";

/** Without padding (RFC 7515, 2), which hono leaves there and browsers refuse in WebAuthn's JSON. */
export const base64url = (bytes: ArrayBuffer): string => encodeBase64Url(bytes).replaceAll("=", "");
