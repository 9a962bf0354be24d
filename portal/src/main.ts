/** The portal: who is not signed in sees `welcome`, everybody else the tenants. */
import { loadConfig, type PortalConfig } from "./config.ts";
import { messageOf } from "./dom.ts";
import { finishSignIn, type SignedIn, startSignIn } from "./sign_in.ts";
import { tenantsApi } from "./tenants_api.ts";
import { tenantsPage } from "./views/tenants_page.ts";
import { welcome } from "./views/welcome.ts";

const root = document.getElementById("portal")!;

async function start(): Promise<HTMLElement> {
  let config: PortalConfig;
  try {
    config = await loadConfig();
  } catch (error) {
    return welcome({ notice: messageOf(error) });
  }
  const signIn = () => startSignIn(config);
  let signedIn: SignedIn | null;
  try {
    signedIn = await finishSignIn(config);
    if (signedIn === null) return welcome({ signIn });
    const api = tenantsApi(config, signedIn);
    return tenantsPage(api, signedIn, await api.startSession());
  } catch (error) {
    return welcome({ notice: `Signing in failed: ${messageOf(error)}`, signIn });
  }
}

root.replaceChildren(await start());
