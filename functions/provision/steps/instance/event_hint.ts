import { openText, seal } from "../../../_shared/secrets.ts";
import { hintKeyName, hintKeyPlace } from "../../../zitadel/signing_key.ts";
import type { InstanceState } from "../../state.ts";
import { defineStep } from "../../step.ts";

type HintInput = { name: string; endpoint: string; timeoutMs: number; eventGroups: string[] };

/**
 * ZITADEL tells us of events as they happen, so that the next poll is at once. Not required: the poll comes anyway each second, and a
 * ZITADEL that may not call us (its deny list names loopback and link-local networks) refuses the address.
 */
export const eventHint = defineStep<InstanceState, HintInput>({
  name: "event_hint",
  input: ({ functionsUrl }) => ({
    name: "gatehouse-event-hint",
    endpoint: `${functionsUrl}/zitadel/events`,
    timeoutMs: 5_000,
    eventGroups: ["user", "session"],
  }),
  async run(input, { state, zitadel, ledger }) {
    const { id, changed, signingKey } = await zitadel.ensureEventHint(input);
    const ring = await state.secretsKeys();
    const sealed = await ledger.readSealedSetting(hintKeyName);
    const kept = sealed && await openText(sealed, hintKeyPlace, ring).catch(() => null);
    if (kept !== signingKey) {
      await ledger.putSealedSetting(hintKeyName, await seal(signingKey, hintKeyPlace, ring));
    }
    return { externalId: id, changed: changed || kept !== signingKey };
  },
  refusals: { invalid_argument: "hint_refused" },
});
