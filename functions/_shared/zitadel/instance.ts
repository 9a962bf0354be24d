// What holds for the whole ZITADEL instance: sign-in address, lifetimes, security policy, signing keys, event hints.
import type { Wire } from "./call.ts";
import { anyChanged, awaited, orNull, sameSet, updated, written } from "./ensure.ts";
import { ZitadelError } from "./errors.ts";
import type { OidcSettingsInput, Provisioner, WebKey } from "./types.ts";

const features = "zitadel.feature.v2.FeatureService";
const settings = "zitadel.settings.v2.SettingsService";
const webKeys = "zitadel.webkey.v2.WebKeyService";
const actions = "zitadel.action.v2.ActionService";
const oidcSettingsPath = "/admin/v1/settings/oidc";

interface SecuritySettings {
  embeddedIframe?: { enabled?: boolean; allowedOrigins?: string[] };
  enableImpersonation?: boolean;
}
interface Target {
  id: string;
  endpoint?: string;
  timeout?: string;
  signingKey?: string;
  restAsync?: object;
}

export function instance(wire: Wire) {
  return {
    async ensureLoginV2({ baseUri }) {
      const asAsked = async () => {
        const { loginV2 } = await wire.connect<
          { loginV2?: { required?: boolean; baseUri?: string } }
        >(features, "GetInstanceFeatures", { inheritance: true });
        return loginV2?.required === true && loginV2.baseUri === baseUri;
      };
      if (await asAsked()) return { id: "login_v2", changed: false };
      const write = wire.connect(features, "SetInstanceFeatures", {
        loginV2: { required: true, baseUri },
      });
      return { id: "login_v2", changed: await updated(write, asAsked) };
    },

    async ensureOidcSettings(input) {
      const asked = lifetimes(input);
      const read = async () =>
        (await orNull(
          wire.rest<{ settings?: Record<string, string> }>("GET", oidcSettingsPath),
        ))?.settings ?? null;
      const agrees = (found: Record<string, string> | null) =>
        found !== null && Object.entries(asked).every(([key, value]) => found[key] === value);
      const found = await read();
      if (agrees(found)) return { id: "oidc_settings", changed: false };
      const changed = found === null
        ? await written(wire.rest("POST", oidcSettingsPath, asked), "already_exists")
        : await updated(
          wire.rest("PUT", oidcSettingsPath, asked),
          async () => agrees(await read()),
        );
      return { id: "oidc_settings", changed };
    },

    async ensureSecurityPolicy({ embeddedOrigins, enableImpersonation }) {
      const asAsked = async () => {
        const { settings: found = {} } = await wire.connect<{ settings?: SecuritySettings }>(
          settings,
          "GetSecuritySettings",
          {},
        );
        return (found.embeddedIframe?.enabled ?? false) === (embeddedOrigins.length > 0) &&
          sameSet(found.embeddedIframe?.allowedOrigins ?? [], embeddedOrigins) &&
          (found.enableImpersonation ?? false) === enableImpersonation;
      };
      if (await asAsked()) return { id: "security_policy", changed: false };
      const write = wire.connect(settings, "SetSecuritySettings", {
        embeddedIframe: { enabled: embeddedOrigins.length > 0, allowedOrigins: embeddedOrigins },
        enableImpersonation,
      });
      return { id: "security_policy", changed: await updated(write, asAsked) };
    },

    async listWebKeys() {
      const { webKeys: keys = [] } = await wire.connect<
        { webKeys?: { id: string; state?: string }[] }
      >(webKeys, "ListWebKeys", {});
      return keys.map(({ id, state = "" }): WebKey => ({
        id,
        state: state.slice(6).toLowerCase() as WebKey["state"],
      }));
    },

    async createWebKey() {
      const { id } = await wire.connect<{ id: string }>(webKeys, "CreateWebKey", {
        rsa: { bits: "RSA_BITS_2048", hasher: "RSA_HASHER_SHA256" },
      });
      return id;
    },

    async activateWebKey(id) {
      await wire.connect(webKeys, "ActivateWebKey", { id });
    },

    async removeWebKey(id) {
      await wire.connect(webKeys, "DeleteWebKey", { id });
    },

    async ensureEventHint({ name, endpoint, timeoutMs, eventGroups }) {
      const timeout = `${timeoutMs / 1000}s`;
      const read = async () =>
        (await wire.connect<{ targets?: Target[] }>(actions, "ListTargets", {
          filters: [{
            targetNameFilter: { targetName: name, method: "TEXT_FILTER_METHOD_EQUALS" },
          }],
        })).targets?.[0] ?? null;
      // Asynchronous, JSON: a hint must not hold up or break what ZITADEL does, and signed bodies of other kinds never arrive.
      const body = { endpoint, timeout, restAsync: {}, payloadType: "PAYLOAD_TYPE_JSON" };
      const changes: boolean[] = [];
      let target = await read();
      if (target === null) {
        const create = wire.connect<Target>(actions, "CreateTarget", { name, ...body });
        changes.push(await written(create, "already_exists", "V3-DKcYh"));
        target = changes[0] ? await create : await awaited(read);
      }
      if (target === null) {
        throw new ZitadelError({ code: "not_found", message: `There is no target "${name}"` });
      }
      if (
        !changes[0] &&
        (target.endpoint !== endpoint || target.timeout !== timeout ||
          target.restAsync === undefined)
      ) {
        await wire.connect(actions, "UpdateTarget", { id: target.id, ...body });
        changes.push(true);
      }
      for (const group of eventGroups) {
        const condition = { event: { group } };
        const { executions = [] } = await wire.connect<{ executions?: { targets?: string[] }[] }>(
          actions,
          "ListExecutions",
          { filters: [{ inConditionsFilter: { conditions: [condition] } }] },
        );
        if (sameSet(executions[0]?.targets ?? [], [target.id])) continue;
        await wire.connect(actions, "SetExecution", { condition, targets: [target.id] });
        changes.push(true);
      }
      return { ...anyChanged(target.id, changes), signingKey: target.signingKey ?? "" };
    },
  } satisfies Partial<Provisioner>;
}

function lifetimes(input: OidcSettingsInput): Record<string, string> {
  return {
    accessTokenLifetime: `${input.accessTokenLifetimeSeconds}s`,
    idTokenLifetime: `${input.idTokenLifetimeSeconds}s`,
    refreshTokenIdleExpiration: `${input.refreshTokenIdleSeconds}s`,
    refreshTokenExpiration: `${input.refreshTokenLifetimeSeconds}s`,
  };
}
