/** What the portal must know before anybody signs in; public by nature. Served by the `session` function. */
export interface PortalConfig {
  issuer: string;
  clientId: string;
  /** Space-separated; names Gatehouse's own audience. */
  scope: string;
  restUrl: string;
  functionsUrl: string;
  anonKey: string;
}

/** The portal stands at `<prefix>/portal/`, so everything of ours is found from its own address. */
export const portalUrl = new URL(".", location.href).href;

export async function loadConfig(): Promise<PortalConfig> {
  const response = await fetch(new URL("../functions/v1/session/config", portalUrl));
  if (!response.ok) throw new Error(`The server is not ready yet: it answered ${response.status}`);
  return await response.json();
}
