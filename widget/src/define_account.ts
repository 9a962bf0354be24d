/** The account page's own script: the sign-in does not carry it. */
import { GatehouseAccount } from "./account/account.ts";

if (!customElements.get("gatehouse-account")) {
  customElements.define("gatehouse-account", GatehouseAccount);
}
