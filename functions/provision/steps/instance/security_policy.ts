import type { InstanceState } from "../../state.ts";
import { defineStep } from "../../step.ts";

/** Nobody embeds ZITADEL's own pages, nobody acts in another's name. */
export const securityPolicy = defineStep<
  InstanceState,
  { embeddedOrigins: string[]; enableImpersonation: boolean }
>({
  name: "security_policy",
  input: () => ({ embeddedOrigins: [], enableImpersonation: false }),
  async run(input, { zitadel }) {
    const { changed } = await zitadel.ensureSecurityPolicy(input);
    return { changed };
  },
});
