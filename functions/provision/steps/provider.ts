import { fromBase64, openText } from "../../_shared/secrets.ts";
import { ZitadelError } from "../../_shared/zitadel/errors.ts";
import type { ProviderInput } from "../../_shared/zitadel/types.ts";
import { faultOf } from "../fault.ts";
import type { SealedProviderSecret } from "../ledger.ts";
import { completeSettings } from "../providers/settings.ts";
import { type ProviderRow, type Rows } from "../state.ts";
import { defineStep, type Json, type Refusals, type StepContext } from "../step.ts";

const refusals: Refusals = {
  invalid_argument: "provider_refused",
  already_exists: "provider_name_taken",
  secret_missing: "provider_secret_missing",
  out_of_range: "provider_host_outside",
};

/** Every provider that was ever enabled, and what is left of removed ones. One that ZITADEL refuses does not hold up the others. */
export const provider = defineStep<Rows, Json>({
  name: "provider",
  input: (state) =>
    state.providers.length === 0 && state.removedProviders.length === 0 ||
      organizationId(state) === null
      ? null
      : {
        organizationId: organizationId(state),
        providers: state.providers.map(({ state: _confirmed, idpId: _known, ...asked }) =>
          ({ ...asked }) as Json
        ),
        removed: state.removedProviders.map(({ id }) => id),
      },
  async run(_input, context) {
    const { state } = context;
    let changed = false;
    let refused: unknown;
    for (const removed of state.removedProviders) {
      changed = await remove(removed, context) || changed;
    }
    for (const row of state.providers) {
      try {
        changed = await ensure(row, context) || changed;
      } catch (error) {
        const fault = faultOf(error, refusals);
        if (fault === null) throw error;
        await context.ledger.settleProvider(row.id, { state: "error", fault });
        if (fault.retryable) throw error;
        refused ??= error;
      }
    }
    if (refused !== undefined) throw refused;
    return { changed };
  },
  refusals,
});

/** Null: the platform's own organization, of which the first run learns only after its rows were read. */
function organizationId({ tenant }: Rows): string | null {
  return tenant.organizationId ?? (tenant.kind === "platform" ? null : tenant.id);
}

async function ensure(
  row: ProviderRow,
  { state, zitadel, ledger }: StepContext<Rows>,
): Promise<boolean> {
  if (row.enabled && row.outside !== null) {
    throw new ZitadelError({
      code: "out_of_range",
      message: `"${row.outside}" lies outside the networks of this installation`,
    });
  }
  const orgId = organizationId(state)!;
  const sealed = await ledger.providerSecret(row.id);
  const input = {
    ...completeSettings(row),
    orgId,
    idpId: row.idpId ?? undefined,
    name: row.name,
    options: row.options,
    secret: sealed === null ? undefined : await opened(sealed, state.tenant.id, row.id),
    mayExist: row.state === "error", // a call may have been answered too late for us
  } as ProviderInput;
  const made = await zitadel.ensureProvider(input);
  // Never taken out again: ZITADEL would drop everybody's links. A disabled one is not offered (private.sign_in_providers).
  const active = row.enabled && (await zitadel.ensureProviderActive(orgId, made.id)).changed;
  await ledger.settleProvider(row.id, {
    state: "active",
    idpId: made.id,
    ...(sealed ? { secretSetAt: sealed.setAt } : {}),
  });
  return made.changed || active;
}

async function opened(sealed: SealedProviderSecret, tenantId: string, id: string): Promise<string> {
  return await openText(
    { keyId: sealed.keyId, ciphertext: fromBase64(sealed.ciphertext) },
    providerSecretPlace(tenantId, id),
  );
}

export const providerSecretPlace = (tenantId: string, id: string) => ({
  table: "provider_secrets",
  tenantId,
  id,
});

async function remove(
  { id, idpId, name }: Rows["removedProviders"][number],
  { state, zitadel, ledger }: StepContext<Rows>,
): Promise<boolean> {
  const orgId = organizationId(state)!;
  const known = await zitadel.listProviders(orgId);
  const kept = new Set(state.providers.map((row) => row.name));
  // Without an id: made by a run that was cut off before it wrote the id down. A provider that has taken the name over is another.
  const gone = known.filter((found) =>
    idpId === null ? found.name === name && !kept.has(name) : found.id === idpId
  );
  for (const found of gone) await zitadel.removeProvider(orgId, found.id);
  await ledger.forgetRemovedProvider(id);
  return gone.length > 0;
}
