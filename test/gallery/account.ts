// The account page as the function might send it.
import type {
  Account,
  AccountAnswer,
  Act,
  Pending,
} from "../../functions/widget/account_contract.ts";
import { type Answers, serveSignInPage, type SignInPage } from "../e2e/support/sign_in_page.ts";
import { qrPath } from "./states.ts";

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

export const account: Account = {
  tenantName: "Acme Industries",
  profile: {
    displayName: "Vera Lindqvist",
    givenName: "Vera",
    familyName: "Lindqvist",
    loginName: "vera@acme.example",
    email: "vera@acme.example",
    emailVerified: true,
    language: "",
  },
  password: {
    set: true,
    changedAt: "2026-03-04T10:00:00Z",
    complexity: { minLength: 10, uppercase: true, lowercase: true, number: true, symbol: false },
  },
  secondFactors: {
    totp: true,
    emailCode: false,
    recoveryCodes: true,
    allowed: ["totp", "email_code", "security_key"],
    required: true,
  },
  keys: [
    { id: "k1", kind: "passkey", name: "Vera’s laptop", createdAt: "2026-01-12T08:00:00Z" },
    { id: "k2", kind: "security_key", name: "Blue key", createdAt: "2026-02-02T08:00:00Z" },
  ],
  passkeys: true,
  providers: [
    {
      id: "p1",
      kind: "microsoft",
      name: "Microsoft",
      linked: { externalId: "e1", userName: "vera@acme.onmicrosoft.example" },
      offered: true,
    },
    { id: "p3", kind: "github", name: "GitHub", linked: null, offered: true },
    { id: "p4", kind: "ldap", name: "Corporate directory", linked: null, offered: true },
  ],
  sessions: [
    {
      id: "s1",
      current: true,
      userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36",
      address: "10.0.4.17",
      createdAt: minutesAgo(90),
      lastActiveAt: minutesAgo(0),
    },
    {
      id: "s2",
      current: false,
      userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
      address: "10.0.9.2",
      createdAt: minutesAgo(9000),
      lastActiveAt: minutesAgo(200),
    },
  ],
  languages: ["en", "ru", "de", "fr", "es", "da", "ar"],
  look: null,
};

const uri = "otpauth://totp/Acme:vera@acme.example?secret=JBSWY3DPEHPK3PXP&issuer=Acme";

/** By the name of its picture: what an act on the page leads to. */
export const pendings: Record<string, Pending> = {
  "account.proof": { step: "proof", method: "password", others: ["passkey", "totp"] },
  "account.verify_email": {
    step: "verify_email",
    email: "vera@new.example",
    resendAfterSeconds: 0,
  },
  "account.setup_totp": { step: "setup_totp", secret: "JBSWY3DPEHPK3PXP", uri, qr: qrPath(uri) },
  "account.setup_key": {
    step: "setup_key",
    kind: "security_key",
    options: {
      challenge: "q83vEjRWeJA",
      rp: { id: "localhost", name: "Acme" },
      user: { id: "dmVyYQ", name: "vera", displayName: "Vera" },
      pubKeyCredParams: [{ type: "public-key", alg: -7 }],
    },
  },
  "account.recovery_codes": {
    step: "recovery_codes",
    codes: ["7KQ2-M9XD", "H4TB-0WLC", "9RZN-V3PE", "C6YA-J8SG"],
  },
};

type Said = Partial<AccountAnswer> | string;

export interface AccountAnswers {
  get?: Account | string;
  act?: (act: Act, nth: number) => Said;
  language?: string;
}

/** The account page over a scripted API. `acts` is what it was asked, oldest first. */
export function serveAccountPage(
  answers: AccountAnswers,
  more: Answers = {},
): SignInPage & { acts: Act[] } {
  const acts: Act[] = [];
  const say = (said: Account | AccountAnswer | string) =>
    typeof said === "string"
      ? Response.json({ type: `urn:gatehouse:problem:${said}` }, { status: 403 })
      : Response.json(said);
  const server = serveSignInPage({
    ...more,
    language: answers.language,
    other: (path, request) => {
      if (path === "account" && request.method === "GET") {
        return Promise.resolve(say(answers.get ?? account));
      }
      if (path !== "account/act") return undefined;
      return request.json().then((asked: Act) => {
        acts.push(asked);
        const said = answers.act?.(asked, acts.length) ?? {};
        return say(typeof said === "string" ? said : { account, pending: null, ...said });
      });
    },
  });
  return Object.assign(server, { acts });
}
