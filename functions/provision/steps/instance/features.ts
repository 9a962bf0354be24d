import type { InstanceState } from "../../state.ts";
import { defineStep } from "../../step.ts";

/** Sends everybody who signs in to our sign-in page: ZITADEL adds `/login?authRequest=…` to the address. */
export const features = defineStep<InstanceState, { baseUri: string }>({
  name: "features",
  input: ({ functionsUrl }) => ({ baseUri: `${functionsUrl}/widget` }),
  async run(input, { zitadel }) {
    const { changed } = await zitadel.ensureLoginV2(input);
    return { externalId: input.baseUri, changed };
  },
});
