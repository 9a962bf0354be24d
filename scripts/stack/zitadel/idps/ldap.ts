/**
 * A directory: bind, find one entry, bind as it. As ZITADEL does it ([S] internal/idp/providers/ldap/session.go), with what it does
 * wrong: the user name goes into the filter as it is, and StartTLS takes no authority of the provider's own.
 */
import { Client } from "ldapts";
import { invalidArgument } from "../errors.ts";
import type { ExternalPerson, Idp } from "../model_idps.ts";

interface LdapFields {
  servers?: string[];
  startTls?: boolean;
  baseDn?: string;
  bindDn?: string;
  userObjectClasses?: string[];
  userFilters?: string[];
  timeout?: string;
  attributes?: Record<string, string>;
  rootCa?: string;
}
type Entry = Record<string, string | string[] | Uint8Array | Uint8Array[]>;

/** @throws ApiError COMMAND-nzun2i: no such user or another password; Error: the directory itself */
export async function directoryPerson(
  idp: Idp,
  userName: string,
  password: string,
): Promise<ExternalPerson> {
  const fields = idp.fields as LdapFields;
  let away: unknown = new Error("the provider names no server");
  for (const server of fields.servers ?? []) {
    const client = connect(server, fields);
    try {
      if (server.startsWith("ldap:") && fields.startTls) await client.startTLS({});
      await client.bind(fields.bindDn ?? "", idp.secret ?? "");
      return asPerson(await entryOf(client, fields, userName, password), fields);
    } catch (error) {
      if (error instanceof Refused) {
        throw invalidArgument("COMMAND-nzun2i", "Errors.User.ExternalIDP.LoginFailed");
      }
      away = error; // the next server is tried
    } finally {
      await client.unbind().catch(() => {});
    }
  }
  throw away;
}

class Refused extends Error {}

function connect(url: string, { timeout, rootCa }: LdapFields): Client {
  const timeoutMs = Number((timeout ?? "10s").replace(/s$/, "")) * 1000;
  return new Client({
    url,
    timeout: timeoutMs,
    connectTimeout: timeoutMs,
    strictDN: false,
    ...(url.startsWith("ldaps:") && rootCa ? { tlsOptions: { ca: [atob(rootCa)] } } : {}),
  });
}

async function entryOf(
  client: Client,
  fields: LdapFields,
  userName: string,
  password: string,
): Promise<Entry> {
  const classes = (fields.userObjectClasses ?? []).map((name) => `(objectClass=${name})`);
  const names = (fields.userFilters ?? []).map((name) => `(${name}=${userName})`);
  const { searchEntries } = await client.search(fields.baseDn ?? "", {
    scope: "sub",
    filter: `(&${classes.join("")}(|${names.join("")}))`,
  });
  if (searchEntries.length !== 1 || password === "") throw new Refused();
  const entry = searchEntries[0]! as unknown as Entry;
  try {
    await client.bind(String(entry.dn), password);
  } catch {
    throw new Refused();
  }
  return entry;
}

function asPerson(entry: Entry, { attributes = {} }: LdapFields): ExternalPerson {
  const read = (attribute: string): string => {
    const name = attributes[attribute];
    const value = name === undefined ? undefined : entry[name];
    const first = Array.isArray(value) ? value[0] : value;
    return typeof first === "string" ? first : "";
  };
  const language = read("preferredLanguageAttribute");
  return {
    id: read("idAttribute"),
    userName: read("preferredUsernameAttribute"),
    human: {
      givenName: read("firstNameAttribute"),
      familyName: read("lastNameAttribute"),
      displayName: read("displayNameAttribute"),
      ...(language ? { preferredLanguage: language } : {}),
      email: read("emailAttribute"),
      emailVerified: read("emailVerifiedAttribute").toLowerCase() === "true",
    },
    raw: { id: read("idAttribute") },
    access: {
      ldap: {
        attributes: Object.fromEntries(
          Object.entries(entry).flatMap(([name, value]) =>
            typeof value === "string" ? [[name, [value]]] : []
          ),
        ),
      },
    },
  };
}
