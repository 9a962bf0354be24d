/**
 * ZITADEL and our database as the flows see them, in memory, and a witness: at each createCallback it asks the truth of this world,
 * not what the function remembers, whether the session had shown what the organization's policy wants.
 */
import { ZitadelError } from "../../../functions/_shared/zitadel/errors.ts";
import type {
  AuthenticationMethod,
  AuthRequest,
  LoginClient,
  LoginSettings,
  Session,
  SessionChallenges,
  SessionChecks,
  User,
  WebAuthnAssertion,
} from "../../../functions/_shared/zitadel/types.ts";

export interface Person {
  user: User;
  password: string;
  /** The code that is right, always the same; undefined: not set up. */
  totp?: string;
  totpPending?: string;
  recovery: string[];
  passkey?: string;
  /** A plain key, U2F. */
  key?: string;
  /** By what ZITADEL calls the registration. */
  pending: Map<string, "passkey" | "key">;
  emailOtp: boolean;
  /** Proves the address; good once. */
  emailCode?: string;
  resetCode?: string;
}

interface Kept {
  id: string;
  token: string;
  userId: string;
  at: {
    password?: number;
    totp?: number;
    recovery?: number;
    passkey?: number;
    key?: number;
    email?: number;
  };
  challenge?: { text: string; kind: "passkey" | "key" } | undefined;
  emailCode?: string | undefined;
  expiresAt: number;
  ended: boolean;
}

/** By client id. */
export const organizationOf: Record<string, string> = { shop: "acme", "evil shop": "evil" };

const refuse = (code: ZitadelError["code"], id?: string) =>
  new ZitadelError({ code, message: id ?? code, id });

export class World {
  now = Date.parse("2026-11-26T12:00:00Z") / 1000;
  readonly people = new Map<string, Person>();
  readonly settings = new Map<string, LoginSettings>();
  readonly sessions = new Map<string, Kept>();
  readonly requests = new Map<string, AuthRequest & { madeAt: number; finished: boolean }>();
  readonly mails: { to: string; code: string }[] = [];
  /** What went out though it should not have. */
  readonly violations: string[] = [];
  handedOver = 0;
  maxAgeDays = 0;
  /** As the tenant published it. */
  emailCodeAlone = false;
  #next = 0;
  id = (prefix: string) => `${prefix}${++this.#next}`;

  request(change: Partial<AuthRequest>): string {
    const id = this.id("V2_");
    this.requests.set(id, {
      ...{ id, clientId: "shop", scopes: ["openid"], redirectUri: "https://shop.example/cb" },
      ...{ prompts: [], uiLocales: [], madeAt: this.now, finished: false },
      ...change,
    });
    return id;
  }

  #person(userId: string): Person {
    const person = this.people.get(userId);
    if (!person) throw refuse("not_found");
    return person;
  }

  #session(id: string): Kept {
    const session = this.sessions.get(id);
    if (!session || session.ended || session.expiresAt <= this.now) {
      throw refuse("failed_precondition");
    }
    return session;
  }

  #check(session: Kept, shown: SessionChecks): void {
    const person = this.#person(session.userId);
    if (person.user.state !== "active") throw refuse("failed_precondition", "SESSION-Gj4ko");
    const at = { ...session.at };
    if (shown.password !== undefined) {
      if (shown.password !== person.password) throw refuse("invalid_argument", "COMMAND-3M0fs");
      at.password = this.now;
    }
    if (shown.totp !== undefined) {
      if (shown.totp !== person.totp) throw refuse("invalid_argument", "CODE-woT0xc");
      at.totp = this.now;
    }
    if (shown.recoveryCode !== undefined) {
      if (!person.recovery.includes(shown.recoveryCode)) throw refuse("invalid_argument");
      person.recovery = person.recovery.filter((code) => code !== shown.recoveryCode);
      at.recovery = this.now;
    }
    if (shown.otpEmail !== undefined) {
      if (!session.emailCode || shown.otpEmail !== session.emailCode) {
        throw refuse("invalid_argument");
      }
      session.emailCode = undefined;
      at.email = this.now;
    }
    if (shown.webAuthn !== undefined) {
      const { challenge } = session;
      const right = challenge !== undefined && person[challenge.kind] === shown.webAuthn.id &&
        shown.webAuthn.response.signature === challenge.text;
      if (!right) throw refuse("internal", "WEBAU-3M9si");
      session.challenge = undefined;
      // The flags say whether the authenticator saw more than a touch.
      const flags = Uint8Array.fromBase64(shown.webAuthn.response.authenticatorData, {
        alphabet: "base64url",
      })[32]!;
      at[flags & 4 ? "passkey" : "key"] = this.now;
    }
    session.at = at;
  }

  /** Who has a second factor and has shown it in no session sets up nothing and changes no password. */
  #watch(userId: string, what: string): void {
    const { user, totp, recovery, emailOtp, key } = this.#person(userId);
    const { secondFactors } = this.settings.get(user.orgId)!;
    const has = secondFactors.includes("totp") && totp !== undefined ||
      secondFactors.includes("otp_email") && emailOtp ||
      secondFactors.includes("u2f") && key !== undefined ||
      secondFactors.includes("recovery_code") && recovery.length > 0;
    const shown = [...this.sessions.values()].some((session) =>
      session.userId === userId && !session.ended &&
      (session.at.totp ?? session.at.recovery ?? session.at.passkey ?? session.at.key ??
          session.at.email) !== undefined
    );
    if (has && !shown) this.violations.push(`${userId}: ${what} without the second factor`);
  }

  /** What an honest account of this world says against handing the session over; null: nothing. */
  objection(session: Kept, request: AuthRequest & { madeAt: number }): string | null {
    const { user, totp, recovery, emailOtp, key } = this.#person(session.userId);
    const rules = this.settings.get(user.orgId)!;
    const since = request.prompts.includes("login") ? request.madeAt : 0;
    const young = (at: number | undefined, life: number) =>
      at !== undefined && at >= since && at + life > this.now;
    const password = young(session.at.password, rules.passwordCheckLifetimeSeconds) &&
      rules.allowLocalAuthentication;
    const strong = young(session.at.passkey, rules.multiFactorCheckLifetimeSeconds) &&
      rules.allowLocalAuthentication && rules.passkeysAllowed;
    const life = rules.secondFactorCheckLifetimeSeconds;
    const mailed = this.emailCodeAlone && young(session.at.email, life) &&
      rules.allowLocalAuthentication;
    if (user.orgId !== organizationOf[request.clientId]) return "of another organization";
    if (user.state !== "active") return "not active";
    if (!password && !strong && !mailed) return "no first factor";
    const mailedFirst = !password && !strong; // then it is not the second
    const takes = (factor: LoginSettings["secondFactors"][number]) =>
      rules.secondFactors.includes(factor);
    const second = takes("totp") && young(session.at.totp, life) ||
      takes("recovery_code") && young(session.at.recovery, life) ||
      takes("u2f") && young(session.at.key, life) ||
      !mailedFirst && takes("otp_email") && young(session.at.email, life);
    const has = takes("totp") && totp !== undefined ||
      !mailedFirst && takes("otp_email") && emailOtp ||
      takes("u2f") && key !== undefined ||
      takes("recovery_code") && recovery.length > 0;
    if (!strong && !second && (has || rules.forceMfa)) return "no second factor";
    if (password && user.profile!.passwordChangeRequired) return "password to be changed";
    const age = this.now - Date.parse(user.profile!.passwordChangedAt!) / 1000;
    if (password && this.maxAgeDays > 0 && age >= this.maxAgeDays * 86_400) return "expired";
    if (!user.profile!.emailVerified) return "e-mail not verified";
    return null;
  }

  /** Only what the flows call; anything else fails the test by name. */
  client(): LoginClient {
    const methods = (person: Person): AuthenticationMethod[] => [
      "password",
      ...(person.totp === undefined ? [] : ["totp" as const]),
      ...(person.passkey === undefined ? [] : ["passkey" as const]),
      ...(person.key === undefined ? [] : ["u2f" as const]),
      ...(person.emailOtp ? ["otp_email" as const] : []),
      ...(person.recovery.length > 0 ? ["recovery_code" as const] : []),
    ];
    const answer = (session: Kept, challenges: SessionChallenges = {}) => {
      session.token = this.id("token");
      const kind = challenges.webAuthn?.userVerification === "required" ? "passkey" : "key";
      if (challenges.webAuthn) session.challenge = { text: this.id("challenge"), kind };
      if (challenges.otpEmail) session.emailCode = this.id("mail");
      const id = this.#person(session.userId)[kind] ?? "";
      return {
        sessionId: session.id,
        sessionToken: session.token,
        challenges: {
          ...(challenges.webAuthn
            ? {
              webAuthn: {
                challenge: session.challenge!.text,
                allowCredentials: [{ type: "public-key" as const, id }],
              },
            }
            : {}),
          ...(challenges.otpEmail ? { otpEmailCode: session.emailCode! } : {}),
        },
      };
    };
    const options = {
      ...{ challenge: "c", pubKeyCredParams: [], rp: { name: "x" } },
      user: { id: "u", name: "n", displayName: "d" },
    };
    const begin = (userId: string, kind: "passkey" | "key") => {
      const id = this.id("registration");
      this.#person(userId).pending.set(id, kind);
      return id;
    };
    const finish = (userId: string, id: string, kind: "passkey" | "key", credential: string) => {
      const person = this.#person(userId);
      if (person.pending.get(id) !== kind) throw refuse("internal", "WEBAU-1");
      person.pending.delete(id);
      this.#watch(userId, `a ${kind}`);
      person[kind] = credential;
    };
    const calls: Partial<LoginClient> = {
      getAuthRequest: async (id) => await this.requests.get(id) ?? fail(refuse("not_found")),
      createCallback: async (id, outcome) => {
        const request = this.requests.get(id) ?? fail(refuse("not_found"));
        if (request.finished) throw refuse("failed_precondition", "COMMAND-Sx208nt");
        if ("error" in outcome) {
          request.finished = true;
          return { callbackUrl: `${request.redirectUri}?error=${outcome.error}` };
        }
        const session = this.#session(outcome.sessionId);
        if (session.token !== outcome.sessionToken) throw refuse("permission_denied");
        request.finished = true;
        this.handedOver++;
        const objection = this.objection(session, request);
        if (objection) this.violations.push(`${session.userId}: ${objection}`);
        return await { callbackUrl: `${request.redirectUri}?code=${session.userId}` };
      },
      createSession: async ({ userId, challenges, lifetimeSeconds, ...shown }) => {
        const session: Kept = {
          ...{ id: this.id("session"), token: "", userId, at: {}, ended: false },
          expiresAt: this.now + lifetimeSeconds,
        };
        this.#check(session, shown);
        this.sessions.set(session.id, session);
        return await answer(session, challenges);
      },
      setSession: async ({ sessionId, challenges, ...shown }) => {
        const session = this.#session(sessionId);
        this.#check(session, shown);
        return await answer(session, challenges);
      },
      searchSessions: async (by) =>
        await ("ids" in by ? by.ids : []).flatMap((id) => {
          const kept = this.sessions.get(id);
          return kept && !kept.ended && kept.expiresAt > this.now ? [this.#shown(kept)] : [];
        }),
      deleteSession: async ({ sessionId }) => {
        const session = await this.sessions.get(sessionId);
        if (session) session.ended = true;
      },
      findUsers: async ({ orgId, loginName }) =>
        await [...this.people.values()].map(({ user }) => user).filter((user) =>
          user.orgId === orgId && user.userName === loginName.toLowerCase()
        ).map((user) => structuredClone(user)),
      getUser: async (id) => await structuredClone(this.people.get(id)?.user ?? null),
      authenticationMethods: async (id) => await methods(this.#person(id)),
      loginSettings: async (orgId) => await structuredClone(this.settings.get(orgId)!),
      passwordExpiry: async () => await { maxAgeDays: this.maxAgeDays, expireWarnDays: 0 },
      passwordComplexity: async () =>
        await {
          ...{ minLength: 1, requiresUppercase: false, requiresLowercase: false },
          ...{ requiresNumber: false, requiresSymbol: false },
        },
      legalSettings: async () => await {},
      createUser: async ({ orgId, email, password, givenName, familyName }) => {
        const taken = [...this.people.values()].some(({ user }) => user.userName === email);
        if (taken) throw await refuse("already_exists", "V3-DKcYh");
        const userId = this.id("registered");
        const displayName = `${givenName} ${familyName}`;
        this.people.set(userId, {
          user: {
            ...{ id: userId, orgId, kind: "human", state: "active", userName: email },
            ...{ loginNames: [email], preferredLoginName: email },
            profile: {
              ...{ givenName, familyName, displayName, email, emailVerified: false },
              passwordChangeRequired: false,
              passwordChangedAt: new Date(this.now * 1000).toISOString(),
            },
          },
          password: password ?? crypto.randomUUID(),
          ...{ recovery: [], emailOtp: false, pending: new Map() },
          emailCode: `verify-${userId}`,
        });
        return { userId, emailCode: `verify-${userId}` };
      },
      newEmailCode: async (userId) => {
        const code = this.id("verify-again-");
        (await this.#person(userId)).emailCode = code;
        return code;
      },
      verifyEmail: async (userId, code) => {
        const person = await this.#person(userId);
        if (person.emailCode !== code) throw refuse("invalid_argument", "COMMAND-eis9R");
        delete person.emailCode;
        person.user.profile!.emailVerified = true;
      },
      requestPasswordReset: async (userId) =>
        await (this.#person(userId).resetCode = this.id("reset-")),
      setPassword: async ({ userId, newPassword, ...proof }) => {
        const person = await this.#person(userId);
        const right = "currentPassword" in proof
          ? proof.currentPassword === person.password
          : proof.verificationCode === person.resetCode;
        if (!right) throw refuse("invalid_argument", "COMMAND-3M0fs");
        delete person.resetCode;
        const code = "verificationCode" in proof ? proof.verificationCode : undefined;
        const mailed = this.mails.some((mail) => mail.code === code);
        if (!mailed) this.#watch(userId, "a new password"); // whoever reads the mail may
        person.password = newPassword;
        person.user.profile!.passwordChangeRequired = false;
        person.user.profile!.passwordChangedAt = new Date(this.now * 1000).toISOString();
      },
      startTotp: async (userId) => {
        const person = await this.#person(userId);
        if (person.totp !== undefined) throw refuse("already_exists", "COMMAND-do9se");
        person.totpPending = `totp of ${userId}`;
        return { uri: "otpauth://totp/x", secret: person.totpPending };
      },
      verifyTotp: async (userId, code) => {
        const person = await this.#person(userId);
        if (person.totpPending?.replaceAll(" ", "") !== code) throw refuse("invalid_argument");
        this.#watch(userId, "TOTP");
        person.totp = code;
      },
      makeRecoveryCodes: async (userId, count) => {
        const person = await this.#person(userId);
        if (person.recovery.length > 0) throw refuse("already_exists");
        return person.recovery = Array.from({ length: count }, (_, n) => `${userId}-${n}`);
      },
      startPasskey: async (userId) => {
        const passkeyId = await begin(userId, "passkey");
        return { passkeyId, options };
      },
      finishPasskey: async (userId, { passkeyId, credential }) =>
        await finish(userId, passkeyId, "passkey", credential.id),
      startU2f: async (userId) => ({ u2fId: await begin(userId, "key"), options }),
      finishU2f: async (userId, { u2fId, credential }) =>
        await finish(userId, u2fId, "key", credential.id),
      addOtpEmail: async (userId) => {
        // Where codes are no second factor, being noted down for them changes nothing that is asked.
        const { secondFactors } = await this.settings.get(this.#person(userId).user.orgId)!;
        if (secondFactors.includes("otp_email")) this.#watch(userId, "codes by e-mail");
        this.#person(userId).emailOtp = true;
      },
      skipMfaInit: async (userId) => {
        (await this.#person(userId)).user.profile!.mfaInitSkippedAt = new Date(this.now * 1000)
          .toISOString();
      },
    };
    return new Proxy(calls, {
      get: (target, name) =>
        Reflect.get(target, name) ?? fail(new Error(`The stand has no ${String(name)}`)),
    }) as LoginClient;
  }

  #shown({ id, userId, at, expiresAt }: Kept): Session {
    const { user } = this.#person(userId);
    const moment = (seconds: number) => new Date(seconds * 1000).toISOString();
    const factor = (kind: "totp" | "recovery_code" | "otp_email", seconds: number | undefined) =>
      seconds === undefined ? [] : [{ kind, verifiedAt: moment(seconds) }];
    const webAuthn = (last: number, passkey: number | undefined) =>
      last === 0 ? [] : [{
        kind: "web_authn" as const,
        verifiedAt: moment(last),
        userVerified: last === passkey,
      }];
    return {
      id,
      createdAt: moment(this.now),
      expiresAt: moment(expiresAt),
      user: {
        ...{ id: userId, orgId: user.orgId, loginName: user.userName },
        ...{ displayName: "", verifiedAt: moment(this.now) },
      },
      ...(at.password === undefined ? {} : { passwordVerifiedAt: moment(at.password) }),
      otherFactors: [
        ...factor("totp", at.totp),
        ...factor("recovery_code", at.recovery),
        ...factor("otp_email", at.email),
        // ZITADEL keeps the last of either.
        ...webAuthn(Math.max(at.passkey ?? 0, at.key ?? 0), at.passkey),
      ],
    };
  }
}

function fail(error: Error): never {
  throw error;
}

/** What an authenticator would sign, in this world: the challenge itself. */
export function assertionOf(
  passkey: string,
  challenge: string,
  { verified, origin }: { verified: boolean; origin: string },
): WebAuthnAssertion {
  const encode = (bytes: Uint8Array) =>
    bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  const data = new Uint8Array(37);
  data[32] = verified ? 5 : 1;
  const said = JSON.stringify({ type: "webauthn.get", challenge, origin });
  return {
    id: passkey,
    rawId: passkey,
    type: "public-key",
    response: {
      clientDataJSON: encode(new TextEncoder().encode(said)),
      authenticatorData: encode(data),
      signature: challenge,
    },
  };
}
