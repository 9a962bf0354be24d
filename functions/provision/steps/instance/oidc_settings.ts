import type { OidcSettingsInput } from "../../../_shared/zitadel/types.ts";
import type { InstanceState } from "../../state.ts";
import { defineStep } from "../../step.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Services check access tokens without asking anybody, so those are short-lived: ZITADEL's own default is twelve hours. */
export const tokenLifetimes = {
  accessTokenLifetimeSeconds: 10 * minute,
  idTokenLifetimeSeconds: hour,
  refreshTokenIdleSeconds: 30 * day,
  refreshTokenLifetimeSeconds: 90 * day,
} satisfies OidcSettingsInput;

export const oidcSettings = defineStep<InstanceState, typeof tokenLifetimes>({
  name: "oidc_settings",
  input: () => tokenLifetimes,
  async run(input, { zitadel }) {
    const { changed } = await zitadel.ensureOidcSettings(input);
    return { changed };
  },
});
