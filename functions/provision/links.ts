import type { Caller } from "../_shared/auth.ts";
import { config } from "../_shared/config.ts";
import { asCaller, type AsCallerOptions, database } from "../_shared/db.ts";
import { linkAddress } from "../_shared/links.ts";
import { databaseMailer, mailKeyring } from "../_shared/mailer.ts";
import { Problem } from "../_shared/problem.ts";
import { isZitadelError, ZitadelError } from "../_shared/zitadel/errors.ts";
import type { Provisioner, User } from "../_shared/zitadel/types.ts";
import { zitadelOf } from "./environment.ts";

export interface LinkRequest {
  kind: "reset" | "invitation";
  /** `link`: the caller hands it over; `mail`: it goes to the person's own address. */
  by: "link" | "mail";
}

export interface IssuedLink {
  /** Shown this once. Absent by mail. */
  link?: string;
  /** As ZITADEL's own generators say; an instance may have set others. */
  expiresAt: string;
}

/** ZITADEL's (cmd/defaults.yaml). */
const livesMs = { reset: 3_600_000, invitation: 72 * 3_600_000 };

/**
 * A link by which a person chooses a new password or takes their invitation. On record before ZITADEL is asked, so none is made off
 * the record; the one before it is dead.
 * @throws {Problem} not_allowed, user_not_found, platform_user_refused, mail_not_available, user_has_credentials, zitadel_unavailable
 */
export async function issueLink(
  caller: Caller,
  userId: string,
  { kind, by }: LinkRequest,
  options: AsCallerOptions = {},
): Promise<IssuedLink> {
  const mailer = databaseMailer({ sql: () => options.sql ?? database(), keyring: mailKeyring() });
  if (by === "mail" && !mailer.available) {
    throw new Problem("mail_not_available", "There is no mail server: ask for the link itself");
  }
  const person = await asCaller(caller, async (sql) => {
    const [row] = await sql<{ person: Person }[]>`
      select private.begin_user_link(${userId}, ${kind}, ${by}) as person`;
    return row!.person;
  }, options);
  const zitadel = zitadelOf(config()).zitadel();
  const { user, code } = await codeFor(zitadel, person, kind);
  const link = linkAddress(config().publicUrl, { kind, userId: user.id, code });
  const expiresAt = new Date(Date.now() + livesMs[kind]);
  if (by === "link") return { link, expiresAt: expiresAt.toISOString() };
  await mailer.send({
    ...(kind === "reset"
      ? { kind: "password_reset" as const, code, link }
      : { kind: "invitation" as const, link, inviterName: person.inviterName ?? undefined }),
    displayName: user.profile?.displayName || undefined,
    tenantId: person.tenantId,
    userId: user.id,
    to: user.profile?.email ?? "",
    language: user.profile?.preferredLanguage,
    expiresAt,
  });
  return { expiresAt: expiresAt.toISOString() };
}

interface Person {
  tenantId: string;
  /** ZITADEL's id. */
  subject: string;
  organizationId: string | null;
  inviterName: string | null;
}

async function codeFor(
  zitadel: Provisioner,
  { subject, organizationId }: Person,
  kind: LinkRequest["kind"],
): Promise<{ user: User; code: string }> {
  try {
    const user = await zitadel.getUser(subject);
    // What the database says of a person is a mirror: ZITADEL says whose they are.
    if (user?.kind !== "human" || user.orgId !== organizationId) {
      throw new Problem("user_not_found", "ZITADEL has no such person in the tenant");
    }
    const code = kind === "reset"
      ? await zitadel.createResetCode(subject)
      : await zitadel.createInviteCode(subject);
    return { user, code };
  } catch (error) {
    if (!(error instanceof ZitadelError)) throw error;
    if (kind === "invitation" && isZitadelError(error, "failed_precondition")) {
      throw new Problem(
        "user_has_credentials",
        "An invitation is for who has nothing to sign in with yet: reset the password instead",
        { cause: error },
      );
    }
    throw new Problem("zitadel_unavailable", "ZITADEL made no code", { cause: error });
  }
}
