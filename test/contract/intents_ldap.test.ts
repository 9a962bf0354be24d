// Signing in by a directory: a real slapd, over TLS.
import assert from "node:assert/strict";
import { isZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import { directoryRefused, intentClient } from "../../functions/_shared/zitadel/intents.ts";
import type { LdapSettings } from "../../functions/_shared/zitadel/types.ts";
import {
  type Directory,
  hasSlapd,
  startDirectory,
} from "../../scripts/stack/providers/directory.ts";
import { directorySettings } from "../support/providers.ts";
import { Providers } from "./providers_support.ts";
import { suite } from "./support.ts";

const open = suite();
const ignore = Deno.env.get("ZITADEL_URL") !== undefined || !await hasSlapd();
let dir: string;
let directory: Directory;
let providers: Providers;
Deno.test.beforeAll(async () => {
  if (ignore) return;
  dir = await Deno.makeTempDir({ prefix: "gatehouse-directory-" });
  directory = await startDirectory(dir);
  providers = new Providers(open());
});
Deno.test.afterAll(async () => {
  if (ignore) return;
  await directory.close();
  await Deno.remove(dir, { recursive: true });
});

const settings = (more: Partial<LdapSettings> = {}): LdapSettings => ({
  ...directorySettings(directory),
  ...more,
});

async function make(label: string, more: Partial<LdapSettings> = {}, secret?: string) {
  const { orgId } = await open().tenant(label);
  return await providers.make(
    orgId,
    "Directory",
    { kind: "ldap", settings: settings(more) },
    { secret: secret ?? directory.bindPassword },
  );
}

const ask = (idpId: string, username: string, password: string) =>
  providers.intents.startIntent({ idpId, ldap: { username, password } });

Deno.test({
  name: "ldap: the directory takes the password, and says who it was",
  ignore,
  async fn() {
    const idpId = await make("ldap");
    const started = await ask(idpId, "alan", "Played-Horse-2");
    assert.ok("intent" in started);
    const found = await providers.intents.retrieveIntent(started.intent);
    assert.deepEqual(found.external, { userId: "7001", userName: "alan" });
    assert.deepEqual(found.suggested, {
      userName: "alan",
      givenName: "Alan",
      familyName: "Turing",
      displayName: "Alan Turing",
      email: "alan@acme.example",
      emailVerified: false,
      preferredLanguage: "de",
    });
  },
});

Deno.test({
  name: "ldap: wrong, unknown, ambiguous, and what would find somebody else, get one answer",
  ignore,
  async fn() {
    const idpId = await make("refused");
    const refused: [string, string][] = [
      ["alan", "Played-Horse-1"],
      ["nobody", "Played-Horse-2"],
      ["grace@acme.example", "Played-Horse-1"], // two people have this address
      ["*", "Played-Horse-1"],
      ["grace)(uid=*", "Played-Horse-1"],
      ["grace", ""],
      ["", "Played-Horse-1"],
    ];
    for (const [username, password] of refused) {
      await assert.rejects(ask(idpId, username, password), directoryRefused, username);
    }
  },
});

Deno.test({
  name: "ldap: by the mail attribute where it is one person's",
  ignore,
  async fn() {
    const idpId = await make("mail");
    assert.ok("intent" in await ask(idpId, "alan@acme.example", "Played-Horse-2"));
  },
});

Deno.test({
  name:
    "ldap: a server that is away is passed over; none left, a wrong bind, and a stranger's certificate are no refusals",
  ignore,
  async fn() {
    const closed = "ldaps://127.0.0.1:9";
    const second = await make("second", { servers: [closed, directory.ldapsUrl] });
    assert.ok("intent" in await ask(second, "alan", "Played-Horse-2"));
    const away = await make("away", { servers: [closed] });
    const broken = (error: unknown) =>
      isZitadelError(error, "internal") && !directoryRefused(error);
    await assert.rejects(ask(away, "alan", "Played-Horse-2"), broken);
    const unbound = await make("unbound", {}, "not the password");
    await assert.rejects(ask(unbound, "alan", "Played-Horse-2"), broken);
    const untrusted = await make("untrusted", { ca: undefined });
    await assert.rejects(ask(untrusted, "alan", "Played-Horse-2"), broken);
  },
});

Deno.test({
  name: "ldap: an intent for browsers is no directory's, and a directory's none of Google's",
  ignore,
  async fn() {
    const idpId = await make("browser");
    const intents = intentClient(open().instance.config("login-client"));
    await assert.rejects(
      intents.startIntent({ idpId, urls: { successUrl: "http://x/", failureUrl: "http://x/" } }),
      (error) => isZitadelError(error, "invalid_argument"),
    );
  },
});
