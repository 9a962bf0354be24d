import { exportJWK, generateKeyPair } from "jose";
import { ApiError, failedPrecondition, notFound } from "../errors.ts";
import type { WebKey } from "../model.ts";
import type { Call, Service } from "../service.ts";
import type { Store } from "../store.ts";

const states = {
  initial: "STATE_INITIAL",
  active: "STATE_ACTIVE",
  inactive: "STATE_INACTIVE",
} as const;

export const webKeys: Service = {
  async CreateWebKey(call: Call, request: { rsa?: { bits: string; hasher: string } }) {
    if (!request.rsa) {
      throw new ApiError("unimplemented", undefined, "The double makes RSA keys only");
    }
    const key = await addWebKey(call.store, call.caller.userId, call.instance.id, "initial");
    await call.oidc.keysChanged();
    return { id: key.id, creationDate: key.createdAt };
  },

  async ActivateWebKey(call: Call, { id }: { id: string }) {
    const { store, caller, instance } = call;
    const key = store.get("web_key", id);
    if (!key) throw notFound("COMMAND-teiG3", "Errors.WebKey.NotFound");
    if (key.state === "active") return { changeDate: key.changedAt };
    const active = store.all("web_key").filter((other) => other.state === "active");
    const at = store.push(caller.userId, [
      event(instance.id, id, "web_key.activated"),
      ...active.map((other) => event(instance.id, other.id, "web_key.deactivated")),
    ]);
    for (const other of active) {
      store.patch("web_key", other.id, { state: "inactive", changedAt: at });
    }
    store.patch("web_key", id, { state: "active", changedAt: at });
    await call.oidc.keysChanged();
    return { changeDate: at };
  },

  async DeleteWebKey(call: Call, { id }: { id: string }) {
    const { store, caller, instance } = call;
    const key = store.get("web_key", id);
    if (!key) return { deletionDate: store.now() }; // missing is success
    if (key.state === "active") {
      throw failedPrecondition("COMMAND-Chai1", "Errors.WebKey.ActiveDelete");
    }
    store.remove("web_key", id);
    const at = store.push(caller.userId, [event(instance.id, id, "web_key.removed")]);
    await call.oidc.keysChanged();
    return { deletionDate: at };
  },

  ListWebKeys({ store }: Call) {
    return {
      webKeys: store.seenAll("web_key").map((key) => ({
        id: key.id,
        creationDate: key.createdAt,
        changeDate: key.changedAt,
        state: states[key.state],
        rsa: { bits: key.bits, hasher: key.hasher },
      })),
    };
  },
};

const event = (instanceId: string, id: string, type: string) => ({
  aggregateType: "web_key",
  aggregateId: id,
  type,
  resourceOwner: instanceId,
});

export async function addWebKey(
  store: Store,
  editor: string,
  instanceId: string,
  state: WebKey["state"],
): Promise<WebKey> {
  const { privateKey } = await generateKeyPair("RS256", { modulusLength: 2048, extractable: true });
  const jwk = await exportJWK(privateKey);
  const id = store.newId();
  const at = store.push(editor, [event(instanceId, id, "web_key.added")]);
  const key: WebKey = {
    id,
    state,
    bits: "RSA_BITS_2048",
    hasher: "RSA_HASHER_SHA256",
    privateJwk: { ...jwk as JsonWebKey, kid: id, alg: "RS256", use: "sig" },
    createdAt: at,
    changedAt: at,
  };
  store.put("web_key", id, key);
  return key;
}
