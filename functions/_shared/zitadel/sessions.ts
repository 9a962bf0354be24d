// Sessions: made, checked, challenged, found, ended.
import type { LoginWire } from "./platform_guard.ts";
import { durationOf } from "./durations.ts";
import { pageLimit } from "./ensure.ts";
import { readSession, type WireSession } from "./session_view.ts";
import type {
  ChangedSession,
  SessionCalls,
  SessionChallenges,
  SessionChecks,
  WebAuthnRequestOptions,
} from "./types.ts";

const service = "zitadel.session.v2.SessionService";

interface Changed {
  sessionId?: string;
  sessionToken: string;
  challenges?: {
    webAuthN?: { publicKeyCredentialRequestOptions?: { publicKey?: WebAuthnRequestOptions } };
    otpEmail?: string;
  };
}

export function sessions({ connect }: LoginWire) {
  return {
    async createSession({ userId, lifetimeSeconds, userAgent, challenges, ...shown }) {
      const made = await connect<Changed>(
        service,
        "CreateSession",
        {
          checks: { user: { userId }, ...checks(shown) },
          ...asked(challenges),
          lifetime: durationOf(lifetimeSeconds), // without one it would never end
          ...(userAgent === undefined ? {} : { userAgent }),
        },
        { settle: true }, // the user is looked for in a projection
      );
      return changed(made.sessionId ?? "", made);
    },

    async setSession({ sessionId, lifetimeSeconds, challenges, ...shown }) {
      const made = checks(shown);
      const set = await connect<Changed>(service, "SetSession", {
        sessionId,
        ...(Object.keys(made).length === 0 ? {} : { checks: made }),
        ...asked(challenges),
        ...(lifetimeSeconds === undefined ? {} : { lifetime: durationOf(lifetimeSeconds) }),
      });
      return changed(sessionId, set);
    },

    async getSession({ sessionId, sessionToken }) {
      const { session } = await connect<{ session: WireSession }>(
        service,
        "GetSession",
        { sessionId, ...(sessionToken === undefined ? {} : { sessionToken }) },
        { settle: true },
      );
      return readSession(session);
    },

    async searchSessions(by) {
      const ids = "ids" in by ? by.ids : undefined;
      if (ids?.length === 0) return []; // ZITADEL would read an empty list as "any"
      const { sessions = [] } = await connect<{ sessions?: WireSession[] }>(
        service,
        "ListSessions",
        {
          query: { limit: pageLimit, asc: false },
          queries: ["userId" in by ? { userIdQuery: { id: by.userId } } : { idsQuery: { ids } }],
          sortingColumn: "SESSION_FIELD_NAME_CREATION_DATE",
        },
      );
      const now = Date.now();
      return sessions.map(readSession).filter(({ expiresAt }) =>
        expiresAt === undefined || Date.parse(expiresAt) > now // ZITADEL lists expired ones too
      );
    },

    async deleteSession({ sessionId, sessionToken }) {
      await connect(service, "DeleteSession", {
        sessionId,
        ...(sessionToken === undefined ? {} : { sessionToken }),
      });
    },
  } satisfies Partial<SessionCalls>;
}

function checks(shown: SessionChecks): object {
  const { password, totp, otpEmail, recoveryCode, webAuthn, idpIntent } = shown;
  return {
    ...(password === undefined ? {} : { password: { password } }),
    ...(totp === undefined ? {} : { totp: { code: totp } }),
    ...(otpEmail === undefined ? {} : { otpEmail: { code: otpEmail } }),
    ...(recoveryCode === undefined ? {} : { recoveryCode: { code: recoveryCode } }),
    ...(webAuthn === undefined ? {} : { webAuthN: { credentialAssertionData: webAuthn } }),
    ...(idpIntent === undefined
      ? {}
      : { idpIntent: { idpIntentId: idpIntent.id, idpIntentToken: idpIntent.token } }),
  };
}

function asked({ webAuthn, otpEmail }: SessionChallenges = {}): object {
  if (!webAuthn && !otpEmail) return {};
  return {
    challenges: {
      ...(webAuthn
        ? {
          webAuthN: {
            domain: webAuthn.domain,
            userVerificationRequirement:
              `USER_VERIFICATION_REQUIREMENT_${webAuthn.userVerification.toUpperCase()}`,
          },
        }
        : {}),
      ...(otpEmail ? { otpEmail: { returnCode: {} } } : {}),
    },
  };
}

function changed(sessionId: string, { sessionToken, challenges = {} }: Changed): ChangedSession {
  const webAuthn = challenges.webAuthN?.publicKeyCredentialRequestOptions?.publicKey;
  return {
    sessionId,
    sessionToken,
    challenges: {
      ...(webAuthn ? { webAuthn } : {}),
      ...(challenges.otpEmail ? { otpEmailCode: challenges.otpEmail } : {}),
    },
  };
}
