/** Accounts at providers that sign this person in. */
import { Problem } from "../../_shared/problem.ts";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import { directoryRefused } from "../../_shared/zitadel/intents.ts";
import type { IntentToken, StartedIntent } from "../../_shared/zitadel/types.ts";
import type { Pending } from "../account_contract.ts";
import { refused } from "../flow/flow.ts";
import { takePermit } from "../flow/limits.ts";
import type { ActOf, Deed, Outcome } from "./act.ts";
import { offeredProviders } from "./view.ts";
import type { Visit } from "./visit.ts";

/** Off to the provider; the browser comes back to the account page, whose script has the cookie that the way back has not. */
export const link: Deed<"link"> = async (visit, { providerId: idpId, directory }) => {
  const { flow, memory } = visit;
  const { publicUrl, intents } = flow.parts;
  const { kind } = await needOffered(visit, idpId);
  if (kind === "ldap") return await linkByDirectory(visit, idpId, directory);
  const ticket = crypto.randomUUID();
  const back = new URL(`${publicUrl}/functions/v1/widget/me`);
  back.search = new URLSearchParams({ tenant: flow.client.tenantId, ticket }).toString();
  const urls = { successUrl: back.href, failureUrl: back.href };
  const started = await intents.startIntent({ idpId, urls });
  memory.pending = { kind: "link", idpId, ticket };
  return { pending: external(started) };
};

async function needOffered(visit: Visit, idpId: string) {
  const found = (await offeredProviders(visit)).find(({ id }) => id === idpId);
  if (!found?.offered) {
    throw new Problem("way_not_allowed", "The organization lets nobody link this provider");
  }
  return found;
}

/** The directory answers on the spot; each try is a guess at somebody's password there. */
async function linkByDirectory(
  visit: Visit,
  idpId: string,
  directory: ActOf<"link">["directory"],
): Promise<Outcome> {
  const { flow } = visit;
  if (directory === undefined) {
    throw new Problem("invalid_request", "A directory asks for a name and its password", {
      pointers: [{ pointer: "#/directory", detail: "required for this provider" }],
    });
  }
  const giveBack = await takePermit(flow, { kind: "guess", account: directory.username });
  const started = await flow.parts.intents.startIntent({ idpId, ldap: directory })
    .catch((error) => {
      throw directoryRefused(error) ? refused(error) : error;
    });
  await giveBack();
  if (!("intent" in started)) {
    throw new Problem("internal", "ZITADEL sent the browser elsewhere for a directory");
  }
  return await linkIntent(visit, idpId, started.intent);
}

function external(started: StartedIntent): Pending {
  if ("authUrl" in started) return { step: "external", url: started.authUrl };
  if ("formPost" in started) return { step: "external", ...started.formPost };
  throw new Problem("internal", "ZITADEL asked a directory where it was to send the browser");
}

/** Back from the provider: only to the browser that was sent there, for the provider it was sent to, once. */
export const intent: Deed<"intent"> = async (visit, { id, token, ticket }) => {
  const { pending } = visit.memory;
  if (pending?.kind !== "link" || pending.ticket !== ticket) throw foreign();
  const outcome = await linkIntent(visit, pending.idpId, { id, token });
  delete visit.memory.pending;
  return outcome;
};

async function linkIntent(
  visit: Visit,
  idpId: string,
  { id, token }: IntentToken,
): Promise<Outcome> {
  const { flow: { parts }, user } = visit;
  const found = await parts.intents.retrieveIntent({ id, token }).catch((error) => {
    const used = isZitadelError(error, "permission_denied") ||
      isZitadelError(error, "failed_precondition") || isZitadelError(error, "not_found");
    throw used ? foreign(error) : error;
  });
  if (found.idpId !== idpId) throw foreign();
  await needOffered(visit, idpId);
  if (found.linkedUserId !== undefined && found.linkedUserId !== user.id) throw taken();
  if (found.linkedUserId === undefined) {
    const { userId: externalUserId, userName: externalUserName } = found.external;
    await parts.zitadel.addIdpLink(user.id, { idpId, externalUserId, externalUserName })
      .catch((error) => {
        throw isZitadelError(error, "already_exists") ? taken(error) : error;
      });
  }
  return { until: ({ providers }) => providers.some((one) => one.id === idpId && one.linked) };
}

const foreign = (cause?: unknown) =>
  new Problem("intent_refused", "This browser did not ask the provider for this answer", {
    cause,
  });
const taken = (cause?: unknown) =>
  new Problem("external_account_taken", "The account at the provider is linked to somebody else", {
    cause,
  });

export const unlink: Deed<"unlink"> = async (visit, { providerId: idpId, externalId }) => {
  const { flow: { parts: { zitadel } }, user } = visit;
  const links = await zitadel.listIdpLinks(user.id);
  const found = links.find((one) => one.idpId === idpId && one.externalUserId === externalId);
  if (found === undefined) {
    throw new Problem("link_not_found", "The person has no such account at the provider");
  }
  await requireAnotherWay(visit, { link: found });
  await zitadel.removeIdpLink(user.id, { idpId, externalUserId: externalId });
  return {
    until: ({ providers }) =>
      !providers.some((one) => one.id === idpId && one.linked?.externalId === externalId),
  };
};

/** @throws {Problem} last_way, where nothing would be left to sign in by */
export async function requireAnotherWay(
  { flow, user, methods, settings }: Visit,
  leaving: { passkeys?: true; link?: { idpId: string; externalUserId: string } },
): Promise<void> {
  const local = settings.allowLocalAuthentication;
  const password = local && methods.includes("password");
  const passkey = local && settings.passkeysAllowed && methods.includes("passkey") &&
    !leaving.passkeys;
  if (password || passkey) return;
  const links = settings.allowExternalIdp ? await flow.parts.zitadel.listIdpLinks(user.id) : [];
  const left = links.filter((one) =>
    one.idpId !== leaving.link?.idpId || one.externalUserId !== leaving.link.externalUserId
  );
  if (left.length > 0) return;
  throw new Problem("last_way", "Nothing would be left to sign in by: set up something else first");
}
