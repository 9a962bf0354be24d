/**
 * The played providers of one stack. Never in a bundle.
 *
 * Environment: PROVIDERS_LISTEN (host:port), PROVIDERS_REDIRECT_URI (ZITADEL's), PROVIDERS_CREDENTIALS (a file: client secret, the password
 * of everybody, the SAML provider's keys). Prints `ready` when it answers. SIGTERM and SIGINT stop it: exit 0.
 */
import type { Certificate } from "../certificate.ts";
import { people } from "./people.ts";
import { playProviders } from "./server.ts";

export const clientId = "gatehouse";

/** Made for one stack. */
export interface PlayedCredentials {
  clientSecret: string;
  /** Of everybody at every provider. */
  password: string;
  saml: Certificate;
}

function needed(name: string): string {
  const value = Deno.env.get(name);
  if (value) return value;
  console.error(`${name} is missing`);
  Deno.exit(2);
}

if (import.meta.main) {
  const listen = needed("PROVIDERS_LISTEN");
  const credentials: PlayedCredentials = JSON.parse(
    await Deno.readTextFile(needed("PROVIDERS_CREDENTIALS")),
  );
  for (const person of people) person.password = credentials.password;
  const at = listen.lastIndexOf(":");
  const played = await playProviders({
    hostname: listen.slice(0, at),
    port: Number(listen.slice(at + 1)),
    clients: [{
      id: clientId,
      secret: credentials.clientSecret,
      redirectUris: [needed("PROVIDERS_REDIRECT_URI")],
    }],
    samlKeys: credentials.saml,
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, async () => {
      await played.close();
      Deno.exit(0);
    });
  }
  console.log("ready");
}
