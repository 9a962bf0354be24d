// ZITADEL's session in our words.
import type { OtherFactor, Session } from "./types.ts";

interface Factor {
  verifiedAt?: string;
}
export interface WireSession {
  id: string;
  creationDate?: string;
  changeDate?: string;
  expirationDate?: string;
  userAgent?: { fingerprintId?: string; ip?: string; description?: string };
  factors?: {
    user?: Factor & {
      id?: string;
      loginName?: string;
      displayName?: string;
      organizationId?: string;
    };
    password?: Factor;
    webAuthN?: Factor & { userVerified?: boolean };
    intent?: Factor;
    totp?: Factor;
    otpSms?: Factor;
    otpEmail?: Factor;
    recoveryCode?: Factor;
  };
}

export function readSession(session: WireSession): Session {
  const { user, password, webAuthN, ...others } = session.factors ?? {};
  const { fingerprintId, ip, description } = session.userAgent ?? {};
  return {
    id: session.id,
    createdAt: session.creationDate ?? "",
    ...(session.changeDate ? { changedAt: session.changeDate } : {}),
    ...(session.expirationDate ? { expiresAt: session.expirationDate } : {}),
    ...(session.userAgent
      ? {
        userAgent: {
          ...(fingerprintId ? { fingerprintId } : {}),
          ...(ip ? { ip } : {}),
          ...(description ? { description } : {}),
        },
      }
      : {}),
    ...(user?.id
      ? {
        user: {
          id: user.id,
          orgId: user.organizationId ?? "",
          loginName: user.loginName ?? "",
          displayName: user.displayName ?? "",
          verifiedAt: user.verifiedAt ?? "",
        },
      }
      : {}),
    ...(password?.verifiedAt ? { passwordVerifiedAt: password.verifiedAt } : {}),
    otherFactors: [...passkeyFactor(webAuthN), ...codeFactors(others)],
  };
}

function passkeyFactor(webAuthN?: Factor & { userVerified?: boolean }): OtherFactor[] {
  if (!webAuthN?.verifiedAt) return [];
  const { verifiedAt, userVerified = false } = webAuthN;
  return [{ kind: "web_authn", verifiedAt, userVerified }];
}

const kinds = {
  intent: "intent",
  totp: "totp",
  otpSms: "otp_sms",
  otpEmail: "otp_email",
  recoveryCode: "recovery_code",
} as const;

function codeFactors(factors: Partial<Record<keyof typeof kinds, Factor>>): OtherFactor[] {
  return Object.entries(kinds).flatMap(([key, kind]): OtherFactor[] => {
    const verifiedAt = factors[key as keyof typeof kinds]?.verifiedAt;
    return verifiedAt ? [{ kind, verifiedAt }] : [];
  });
}
