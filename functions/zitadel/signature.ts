/**
 * ZITADEL's signature of an Actions v2 call: `ZITADEL-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>]`,
 * HMAC-SHA256 with the target's signing key over `t.body` (pkg/actions/signing.go).
 */

/** ZITADEL's own limit, either way. */
const toleranceSeconds = 300;

export async function signatureHolds(
  header: string | undefined,
  body: Uint8Array<ArrayBuffer>,
  signingKey: string,
  nowSeconds: number,
): Promise<boolean> {
  const parsed = parseSignature(header);
  if (!parsed || Math.abs(nowSeconds - parsed.timestamp) > toleranceSeconds) return false;
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(signingKey),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );
  const head = new TextEncoder().encode(`${parsed.timestampText}.`);
  const content = new Uint8Array(head.byteLength + body.byteLength);
  content.set(head);
  content.set(body, head.byteLength);
  // `verify` compares in constant time; every signature is tried, so the time does not tell which one held.
  const held = await Promise.all(
    parsed.signatures.map((signature) => crypto.subtle.verify("HMAC", key, signature, content)),
  );
  return held.includes(true);
}

function parseSignature(header: string | undefined) {
  if (header === undefined || header.length > 2000) return null;
  let timestampText: string | undefined;
  const signatures: Uint8Array<ArrayBuffer>[] = [];
  for (const part of header.split(",")) {
    const [name, value = ""] = part.trim().split("=", 2);
    if (name === "t" && /^\d{1,12}$/.test(value)) {
      if (timestampText !== undefined) return null;
      timestampText = value;
    } else if (name === "v1" && /^[0-9a-f]{64}$/i.test(value)) {
      signatures.push(
        Uint8Array.from(value.match(/../g)!, (byte) => parseInt(byte, 16)),
      );
    }
  }
  if (timestampText === undefined || signatures.length === 0) return null;
  return { timestamp: Number(timestampText), timestampText, signatures };
}
