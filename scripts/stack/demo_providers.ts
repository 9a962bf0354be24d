// Providers of the demo tenant: everything that is played here, made the way an administrator makes it.
import { Failure } from "./failure.ts";
import type { Layout } from "./layout.ts";
import { clientId, type PlayedCredentials } from "./providers/main.ts";
import { directoryId } from "./providers/microsoft.ts";

export async function seedProviders(
  layout: Layout,
  { clientSecret: secret }: PlayedCredentials,
  accessToken: string,
  tenantId: string,
): Promise<void> {
  const options = { linkingAllowed: true, creationAllowed: true };
  const common = { tenantId, enabled: true, options };
  const { providersUrl } = layout;
  const wanted = [
    { name: "Google", kind: "google", settings: { clientId }, secret },
    { name: "GitHub", kind: "github", settings: { clientId }, secret },
    { name: "Microsoft", kind: "microsoft", settings: { clientId, tenant: directoryId }, secret },
    {
      name: "Corporate sign-in",
      kind: "oidc",
      settings: { issuer: `${providersUrl}/oidc`, clientId },
      secret,
    },
    { name: "Corporate directory", kind: "saml", metadataUrl: `${providersUrl}/saml/metadata` },
  ];
  for (const provider of wanted) {
    const response = await fetch(`${layout.functionsUrl}/provision/providers`, {
      method: "POST",
      headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
      body: JSON.stringify({ ...common, ...provider }),
    });
    const text = await response.text();
    // An interrupted start made it.
    if (!response.ok && !text.includes("provider_name_taken")) {
      throw new Failure(`The demo's provider ${provider.name} was refused: ${text}`);
    }
  }
}
