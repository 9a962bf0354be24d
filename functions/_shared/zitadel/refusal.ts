import { ZitadelCode, ZitadelError } from "./errors.ts";

/** gRPC's numbers, as the REST gateway gives them. */
const codesByNumber: ZitadelCode[] = [
  "unknown", // 0 would be success
  "canceled",
  "unknown",
  "invalid_argument",
  "deadline_exceeded",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
  "unauthenticated",
];
const knownCodes = new Set<string>(codesByNumber);

const codesByStatus: Record<number, ZitadelCode> = {
  400: "invalid_argument",
  401: "unauthenticated",
  403: "permission_denied",
  404: "unimplemented", // a bare 404 comes from a router, not from ZITADEL's services
  408: "deadline_exceeded",
  429: "resource_exhausted",
  502: "unavailable",
  503: "unavailable",
  504: "unavailable",
};

interface Detail {
  type?: string;
  "@type"?: string;
  id?: string;
  failedAttempts?: number;
  value?: string;
}

/** What an answer outside 200–299 means. Connect spells codes, the gateway numbers them; a proxy sends neither. */
export function refusal(httpStatus: number, text: string): ZitadelError {
  const body = parseBody(text);
  const code = codeOf(body?.code) ?? codesByStatus[httpStatus] ?? "unknown";
  const message = body?.message ?? `ZITADEL answered ${httpStatus}`;
  const details = (body?.details ?? []).map(readDetail);
  return new ZitadelError({
    code,
    message,
    httpStatus,
    id: details.find((detail) => detail.id)?.id ??
      /\(([A-Za-z0-9]+-[A-Za-z0-9]+)\)$/.exec(message)?.[1],
    failedAttempts: details.find((detail) => detail.failedAttempts !== undefined)?.failedAttempts,
  });
}

function parseBody(text: string) {
  try {
    const body = JSON.parse(text) as {
      code?: string | number;
      message?: string;
      details?: Detail[];
    };
    return typeof body === "object" && body !== null ? body : null;
  } catch {
    return null;
  }
}

function codeOf(code: string | number | undefined): ZitadelCode | undefined {
  if (typeof code === "number") return codesByNumber[code];
  return code !== undefined && knownCodes.has(code) ? code as ZitadelCode : undefined;
}

function readDetail(detail: Detail): { id?: string; failedAttempts?: number } {
  const type = (detail["@type"] ?? detail.type ?? "").replace(/^.*\//, "");
  if (type !== "zitadel.v1.ErrorDetail" && type !== "zitadel.v1.CredentialsCheckError") return {};
  const read = detail["@type"] !== undefined ? detail : decodeDetail(detail.value ?? "");
  return {
    ...(read.id ? { id: read.id } : {}),
    ...(type === "zitadel.v1.CredentialsCheckError"
      ? { failedAttempts: read.failedAttempts ?? 0 }
      : {}),
  };
}

/** The protobuf bytes of either detail: field 1 is the id, 3 the failed attempts; Connect's `debug` is not to be relied on. */
function decodeDetail(base64: string): { id?: string; failedAttempts?: number } {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const found: { id?: string; failedAttempts?: number } = {};
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; at < bytes.length; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    const value = varint();
    if ((tag & 7) === 2) {
      if (tag >> 3 === 1) found.id = new TextDecoder().decode(bytes.subarray(at, at + value));
      at += value;
    } else if ((tag & 7) === 0) {
      if (tag >> 3 === 3) found.failedAttempts = value;
    } else break;
  }
  return found;
}
