// Keeps secrets out of log lines: by the name of the field, and by the shape of the text.

const secretNames =
  /^(authorization|proxy-authorization|cookie|set-cookie|apikey|x-api-key|x-internal-auth|webhook-signature|zitadel-signature)$|(password|passwd|secret|private_?key|ciphertext|verifier|(^|[_-])(code|otp)$|token$)/i;

/** JSON Web Tokens, webhook secrets, and the credentials of a header or an address. */
const secretShapes: [RegExp, string][] = [
  [/\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, "[redacted]"],
  [/\bwhs[ek]c?_[\w+/=-]+/g, "[redacted]"],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, "$1 [redacted]"],
  [/(\w+:\/\/)[^\s/@:]*:[^\s/@]*@/g, "$1[redacted]@"],
];

/** A copy fit for a log. Errors keep name, message, code and stack: a database's own detail quotes rows, so it stays out. */
export function redact(value: unknown, name = "", depth = 0): unknown {
  if (value === null || value === undefined) return value;
  if (secretNames.test(name)) return "[redacted]";
  if (typeof value === "string") {
    return secretShapes.reduce((text, [shape, with_]) => text.replace(shape, with_), value);
  }
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object") return typeof value === "function" ? undefined : value;
  if (depth > 6) return "[deep]";
  if (value instanceof Error) return describe(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Headers) return redact(Object.fromEntries(value), name, depth + 1);
  if (Array.isArray(value)) return value.map((item) => redact(item, "", depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, redact(item, key, depth + 1)]),
  );
}

function describe(error: Error, depth: number): Record<string, unknown> {
  const { code, constraint_name } = error as Error & { code?: unknown; constraint_name?: unknown };
  return {
    name: error.name,
    message: redact(error.message),
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    ...(typeof constraint_name === "string" ? { constraint: constraint_name } : {}),
    stack: redact(error.stack),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, "", depth + 1) }),
  };
}
