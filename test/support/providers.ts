// Played providers: a browser at one follows redirects and forms, signs in, and stops where it would leave for our own pages; a directory's settings.
import type { LdapSettings } from "../../functions/_shared/zitadel/types.ts";
import { baseDn, type Directory } from "../../scripts/stack/providers/directory.ts";

/** Of the played directory, by user name or mail. */
export const directorySettings = (
  { ldapsUrl, bindDn, ca }: Pick<Directory, "ldapsUrl" | "bindDn" | "ca">,
): LdapSettings => ({
  servers: [ldapsUrl],
  startTls: false,
  baseDn,
  bindDn,
  userBase: "dn",
  userObjectClasses: ["inetOrgPerson"],
  userFilters: ["uid", "mail"],
  timeoutSeconds: 5,
  attributes: {
    id: "employeeNumber",
    userName: "uid",
    givenName: "givenName",
    familyName: "sn",
    displayName: "cn",
    email: "mail",
    preferredLanguage: "preferredLanguage",
  },
  ca,
});

const fields = (html: string) =>
  Object.fromEntries(
    [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map((
      [, name, value],
    ) => [name!, unescape(value!)]),
  );
const actionOf = (html: string) =>
  unescape(/<form method="post" action="([^"]+)"/.exec(html)?.[1] ?? "");
const unescape = (text: string) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll(
    "&amp;",
    "&",
  );

export type Way = { authUrl: string } | {
  formPost: { url: string; fields: Record<string, string> };
};

/** Where the browser would end up: the first address that begins with `home`. */
export async function signInAt(
  way: Way,
  who: { username: string; password: string } | "cancel",
  home: string,
): Promise<URL> {
  let response = "authUrl" in way
    ? await fetch(way.authUrl, { redirect: "manual" })
    : await post(way.formPost.url, way.formPost.fields);
  for (let step = 0; step < 10; step++) {
    const location = response.headers.get("location");
    if (location !== null) {
      await response.body?.cancel();
      const next = new URL(location, response.url);
      if (next.href.startsWith(home)) return next;
      response = await fetch(next, { redirect: "manual" });
      continue;
    }
    const html = await response.text();
    const action = actionOf(html);
    if (!action || response.status >= 400) throw new Error(`${response.status}: ${html}`);
    const own = action.includes("/signin") || action.includes("/session") ||
      action.includes("/login");
    const answer = who === "cancel" ? { do: "cancel" } : { do: "sign-in", ...who };
    response = await post(action, { ...fields(html), ...(own ? answer : {}) });
  }
  throw new Error("The browser went around in circles");
}

async function post(url: string, form: Record<string, string>): Promise<Response> {
  return await fetch(url, { method: "POST", body: new URLSearchParams(form), redirect: "manual" });
}
