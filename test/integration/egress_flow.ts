/**
 * One of our own ways out after the other, each by the code that takes it in production, behind whatever proxy the environment names.
 * Standard input is nothing; FLOWS has [{ id, kind, … }]; prints { id: null | why it failed }.
 */
import { door } from "../../functions/_shared/outbound.ts";
import { wire } from "../../functions/_shared/zitadel/call.ts";
import { testConnection } from "../../functions/provision/providers/test_connection.ts";
import { directoryPerson } from "../../scripts/stack/zitadel/idps/ldap.ts";
import { authorizationUrl } from "../../scripts/stack/zitadel/idps/oauth.ts";
import { ask } from "../../scripts/stack/zitadel/idps/reach.ts";
import type { Idp } from "../../scripts/stack/zitadel/model_idps.ts";

export type Flow =
  & { id: string }
  & (
    | { kind: "send"; url: string }
    | { kind: "connect"; host: string; port: number }
    | { kind: "test"; provider: string; settings: Record<string, unknown>; secret?: string }
    | { kind: "directory"; fields: Record<string, unknown>; secret: string; person: Person }
    | { kind: "discover"; issuer: string; keys: string }
    | { kind: "zitadel"; issuer: string }
  );

interface Person {
  userName: string;
  password: string;
}

const idps = { issuer: "http://127.0.0.1:1", played: null, intentMs: 0 };

async function take(flow: Flow): Promise<void> {
  switch (flow.kind) {
    case "send": {
      const { status } = await (await door()).send({ url: flow.url, body: "{}", timeoutMs: 5_000 });
      if (status !== 200) throw new Error(`status ${status}`);
      return;
    }
    case "connect":
      return (await (await door()).connect({ ...flow, timeoutMs: 5_000 })).close();
    case "test": {
      const { ok, checks } = await testConnection(
        { kind: flow.provider, settings: flow.settings, problem: null, outside: null },
        { door: await door(), secret: flow.secret ?? null, now: 0 },
      );
      if (!ok) throw new Error(checks.at(-1)!.slug);
      return;
    }
    case "discover": {
      const idp = {
        type: "OIDC",
        fields: { issuer: flow.issuer, clientId: "x" },
      } as unknown as Idp;
      await authorizationUrl(idps, idp, "1", undefined);
      await ask(idps, flow.keys);
      return;
    }
    case "directory": {
      const idp = { type: "LDAP", fields: flow.fields, secret: flow.secret } as unknown as Idp;
      await directoryPerson(idp, flow.person.userName, flow.person.password);
      return;
    }
    case "zitadel":
      await wire({
        profile: "embedded",
        issuer: flow.issuer,
        tokenFile: Deno.env.get("TOKEN_FILE")!,
      })
        .connect("zitadel.org.v2.OrganizationService", "ListOrganizations", {});
  }
}

const outcome: Record<string, string | null> = {};
for (const flow of JSON.parse(Deno.env.get("FLOWS")!) as Flow[]) {
  outcome[flow.id] = await take(flow).then(() => null, (error: Error) => error.message);
}
console.log(JSON.stringify(outcome));
Deno.exit(0);
