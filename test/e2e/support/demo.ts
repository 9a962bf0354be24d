// The demo tenant of a stack from behind: its administrator's API, its people, its mails, its sign-ins on record.
import { join } from "node:path";
import type { Browser } from "playwright-core";
import postgres from "postgres";
import { provisioner } from "../../../functions/_shared/zitadel/provisioner.ts";
import { signIn } from "../../../scripts/stack/sign_in.ts";
import { eventually } from "../../support/eventually.ts";
import type { TestStack } from "../../support/stack.ts";
import { restAs } from "./rest.ts";

export type Demo = Awaited<ReturnType<typeof openDemo>>;

/** What the subjects of widget_whole.test.ts share. */
export interface Here extends Pick<TestStack, "facts" | "dir"> {
  demo: Demo;
  browser: Browser;
}

export async function openDemo({ facts, dir }: TestStack) {
  const tenant = facts.demo.tenant!;
  const sql = postgres(facts.dbUrl, { max: 1, onnotice: () => {} });
  const tokenFile = join(dir, "credentials/zitadel/provisioner.pat");
  const zitadel = provisioner({ profile: "embedded", issuer: facts.issuer, tokenFile });
  const settings = await (await fetch(`${facts.functionsUrl}/session/config`)).json();
  const { accessToken } = await signIn({
    issuer: facts.issuer,
    functionsUrl: facts.functionsUrl,
    clientId: settings.clientId,
    redirectUri: facts.portalUrl,
    scope: settings.scope,
    loginName: tenant.admin.login,
    password: tenant.admin.password,
  });
  const signIns = async (clientId: string) =>
    (await sql`select from public.audit_events
        where tenant_id = ${tenant.id} and type = 'user.signed_in' and data ->> 'client_id' = ${clientId}`)
      .length;
  const ask = async (method: string, path: string, values: object): Promise<void> => {
    const response = await fetch(`${facts.issuer}/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${(await Deno.readTextFile(tokenFile)).trim()}`,
        "content-type": "application/json",
        "x-zitadel-orgid": tenant.organizationId,
      },
      body: JSON.stringify(values),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  };

  const administrator = restAs(facts.restUrl, accessToken);
  const functions = restAs(facts.functionsUrl, accessToken);

  return {
    tenant,
    sql,
    zitadel,
    /** As the tenant's administrator. */
    rest: administrator,
    functions,

    /** Somebody new, by name; without a password somebody who cannot sign in yet. */
    async person(name: string, { password, email = `${name}@people.example` }: {
      password?: string;
      email?: string;
    } = {}): Promise<{ id: string; email: string; loginName: string }> {
      const id = `person-${name}`;
      await zitadel.ensureHuman({
        ...{ orgId: tenant.organizationId, id, userName: name, email, emailVerified: true },
        ...{ givenName: name[0]!.toUpperCase() + name.slice(1), familyName: "Person" },
        ...(password === undefined ? {} : { password }),
      });
      const user = await eventually(`user ${id}`, () => zitadel.getUser(id));
      return { id, email, loginName: user.preferredLoginName };
    },

    /** The administrator asks for a link for somebody; undefined where only the mail has it. */
    async linkFor(personId: string, asked: { kind: string; by: string }) {
      const user = await eventually(`${personId} among the users`, async () => {
        const [row] = await administrator.rows(`users?subject=eq.${personId}&select=id`);
        return row?.id as string | undefined;
      });
      const answer = await functions.ask(`provision/users/${user}/links`, asked);
      if (answer.status !== 200) throw new Error(JSON.stringify(answer));
      return (answer.body as { link?: string }).link;
    },

    /** ZITADEL's v1 management, for what our adapter has no word for. */
    manage: (method: string, path: string, values: object) =>
      ask(method, `management/v1/${path}`, values),

    /** The double's knobs: its README.md. */
    turn: (knobs: object) => ask("POST", "debug/double", knobs),

    /** The first group of what matches in the newest mail to an address, other than `before`. */
    mailed(to: string, pattern: RegExp, before = ""): Promise<string> {
      return eventually(`a mail to ${to}`, async () => {
        const messages = await (await fetch(`${facts.mailUrl}/messages`)).json() as {
          to: string[];
          text: string;
        }[];
        const own = messages.filter((mail) => mail.to.some((address) => address.includes(to)));
        const found = own.map(({ text }) => pattern.exec(text)?.[1]).at(-1);
        return found === before ? undefined : found;
      });
    },

    /** Of sign-ins to one client: `oneMore()` after each, and `isRight()` waits until exactly so many are on record. */
    async record(clientId = tenant.clientId) {
      let known = await signIns(clientId);
      return {
        oneMore: () => void known++,
        isRight: async () => {
          await eventually(`${known} sign-ins`, async () => (await signIns(clientId)) === known);
        },
      };
    },

    [Symbol.asyncDispose]: () => sql.end(),
  };
}

/** A code stands alone on its line. */
export const codeInMail = /^\s*([A-Z0-9]{6,12})\s*$/m;
