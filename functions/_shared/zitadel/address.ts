import { ZitadelError } from "./errors.ts";
import type { ZitadelAddress } from "./types.ts";

/** Where the API is, and the header that names the instance when that is not the issuer's own address. */
export function apiAddress(
  config: ZitadelAddress,
): { url: string; headers: Record<string, string> } {
  refuseUnsafeIssuer(config);
  const url = (config.url ?? config.issuer).replace(/\/+$/, "");
  const host = new URL(config.issuer).host;
  return {
    url,
    headers: new URL(url).host === host ? {} : { "x-zitadel-instance-host": host },
  };
}

/** @throws {ZitadelError} `unsafe_issuer`: outside the embedded profile tokens of a plain or loopback issuer prove nothing. */
export function refuseUnsafeIssuer({ profile, issuer }: ZitadelAddress): void {
  if (profile === "embedded") return;
  const { protocol, hostname } = new URL(issuer);
  if (protocol === "https:" && !isLoopback(hostname)) return;
  throw new ZitadelError({
    code: "unsafe_issuer",
    message:
      `Cannot use issuer "${issuer}": outside the embedded profile it must be https, not loopback`,
  });
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" ||
    hostname === "[::]" || hostname === "0.0.0.0" || /^127\./.test(hostname) ||
    /^\[::ffff:7f/.test(hostname); // ::ffff:127.0.0.1 as URL writes it
}
