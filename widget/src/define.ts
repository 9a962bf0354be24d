/** The one script of the snippet: registers the elements. Running it twice does no harm. */
import { GatehouseLogin } from "./login/login.ts";

if (!customElements.get("gatehouse-login")) {
  customElements.define("gatehouse-login", GatehouseLogin);
}
