/**
 * Providers of one organization, which ZITADEL has as v1 templates only. Adding is not idempotent and names are not unique there, so each
 * is looked for before it is made; an update replaces what it leaves out, so all of it is sent every time.
 * Next: provider_wire.ts (a kind's paths and fields).
 */
import type { Wire } from "./call.ts";
import { awaited, listAll, orNull } from "./ensure.ts";
import { ZitadelError } from "./errors.ts";
import { agrees, body, pathOf, takesSecret, typeOf, type WireProvider } from "./provider_wire.ts";
import type { ProviderCalls, ProviderInput } from "./types.ts";

const templates = "/management/v1/idps/templates";

export function providers(wire: Wire) {
  async function search(orgId: string, ...queries: object[]): Promise<WireProvider[]> {
    return await listAll(async (query) => {
      const { result } = await wire.rest<{ result?: WireProvider[] }>(
        "POST",
        `${templates}/_search`,
        { query, queries: [{ ownerTypeQuery: { ownerType: "IDP_OWNER_TYPE_ORG" } }, ...queries] },
        { orgId },
      );
      return result;
    });
  }

  async function find({ orgId, idpId, name, mayExist }: ProviderInput) {
    if (idpId !== undefined) {
      const [known] = await search(orgId, { idpIdQuery: { id: idpId } });
      if (known) return known;
    }
    const byName = async () =>
      (await search(orgId, {
        idpNameQuery: { name, method: "TEXT_QUERY_METHOD_EQUALS" },
      })).toSorted((a, b) => BigInt(a.id) < BigInt(b.id) ? -1 : 1)[0] ?? null; // of several the first, ever
    return await (mayExist ? awaited(byName) : byName());
  }

  return {
    async ensureProvider(input) {
      const { orgId, name } = input;
      const path = pathOf(input);
      const found = await find(input);
      if (found === null) {
        if (takesSecret(input) && !input.secret) {
          throw new ZitadelError({
            code: "secret_missing",
            message: `ZITADEL has no provider "${name}", and making one takes its secret`,
          });
        }
        const { id } = await wire.rest<{ id: string }>("POST", path, body(input), { orgId });
        return { id, changed: true };
      }
      if (found.type !== typeOf(input)) {
        throw new ZitadelError({
          code: "already_exists",
          message: `Provider "${name}" is there as another kind`,
        });
      }
      if (!input.secret && agrees(found, input)) return { id: found.id, changed: false };
      await wire.rest("PUT", `${path}/${found.id}`, body(input), { orgId });
      return { id: found.id, changed: true };
    },

    async listProviders(orgId) {
      return (await search(orgId)).map(({ id, name = "" }) => ({ id, name }));
    },

    async removeProvider(orgId, idpId) {
      await orNull(wire.rest("DELETE", `${templates}/${idpId}`, undefined, { orgId }));
    },
  } satisfies Partial<ProviderCalls>;
}
