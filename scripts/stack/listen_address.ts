/** Reads `HOST:PORT` from an environment variable. */
export function listenAddress(variable: string): { hostname: string; port: number } {
  const [, hostname, port] = /^(.+):(\d+)$/.exec(Deno.env.get(variable) ?? "") ?? [];
  if (!hostname) throw new Error(`${variable} must be HOST:PORT`);
  return { hostname, port: Number(port) };
}
