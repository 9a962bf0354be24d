// Every screen as the function might send it, for the contact sheet and for the browser tests. Held to the contract by a unit test.
import { encode } from "uqr";
import type { Opened, State } from "../../functions/widget/contract.ts";

const complexity = { minLength: 10, uppercase: true, lowercase: true, number: true, symbol: false };
const challenge = "q83vEjRWeJA";

const providers = [
  { id: "p1", kind: "microsoft", name: "Microsoft" },
  { id: "p2", kind: "google", name: "Google" },
  { id: "p3", kind: "github", name: "GitHub" },
  { id: "p4", kind: "saml", name: "Acme Directory" },
] as const;

const ways = {
  password: true,
  passkey: true,
  emailCode: true,
  register: true,
  reset: true,
  discovery: false,
};

const uri =
  "otpauth://totp/Acme:vera@acme.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme";

/** By the name of its picture: the screen's own, or `screen.variant`. */
export const states: Record<string, State> = {
  "start": {
    screen: "start",
    ways,
    providers: [...providers],
    redirectInstead: false,
  },
  "start.password": {
    screen: "start",
    loginHint: "vera@acme.example",
    ways: { ...ways, passkey: false, emailCode: false, register: false },
    providers: [],
    redirectInstead: false,
  },
  "start.discovery": {
    screen: "start",
    ways: { ...ways, discovery: true },
    providers: [],
    redirectInstead: false,
  },
  "accounts": {
    screen: "accounts",
    accounts: [
      { id: "1", loginName: "vera@acme.example", displayName: "Vera Lindqvist", fresh: true },
      { id: "2", loginName: "operations@acme.example", displayName: "Operations", fresh: false },
    ],
  },
  "passkey": {
    screen: "passkey",
    options: { challenge, rpId: "localhost", allowCredentials: [], userVerification: "required" },
    purpose: "sign_in",
    others: [],
  },
  "passkey.factor": {
    screen: "passkey",
    options: {
      challenge,
      rpId: "localhost",
      allowCredentials: [],
      userVerification: "discouraged",
    },
    purpose: "factor",
    others: ["totp", "recovery_code"],
  },
  "factor": {
    screen: "factor",
    method: "totp",
    others: ["security_key", "email_code", "recovery_code"],
  },
  "factor.recovery_code": { screen: "factor", method: "recovery_code", others: ["totp"] },
  "email_code": {
    screen: "email_code",
    to: "v…@acme.example",
    purpose: "sign_in",
    others: [],
    resendAfterSeconds: 30,
  },
  "verify_email": {
    screen: "verify_email",
    to: "v…@acme.example",
    resendAfterSeconds: 0,
    codeNeeded: true,
  },
  "verify_email.link": {
    screen: "verify_email",
    to: "v…@acme.example",
    resendAfterSeconds: 0,
    codeNeeded: false,
  },
  "change_password": { screen: "change_password", reason: "expired", complexity },
  "setup_factor": {
    screen: "setup_factor",
    methods: ["passkey", "totp", "security_key", "email_code"],
    skippable: true,
  },
  "setup_totp": {
    screen: "setup_totp",
    secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    uri,
    qr: qrPath(uri),
  },
  "setup_passkey": {
    screen: "setup_passkey",
    options: {
      challenge,
      rp: { id: "localhost", name: "Acme" },
      user: { id: "dmVyYQ", name: "vera", displayName: "Vera Lindqvist" },
      pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }],
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
    },
    kind: "passkey",
  },
  "recovery_codes": {
    screen: "recovery_codes",
    codes: ["7KQ2-M9XD", "H4TB-0WLC", "9RZN-V3PE", "C6YA-J8SG", "2FUD-X5KM", "QW7H-B1TR"],
  },
  "register": {
    screen: "register",
    complexity,
    passkey: true,
    termsUrl: "https://acme.example/terms",
    privacyUrl: "https://acme.example/privacy",
  },
  "reset": { screen: "reset", loginHint: "vera@acme.example" },
  "reset_code": { screen: "reset_code", complexity, resendAfterSeconds: 0, codeNeeded: true },
  "reset_code.link": { screen: "reset_code", complexity, resendAfterSeconds: 0, codeNeeded: false },
  "invitation": {
    screen: "invitation",
    displayName: "Vera",
    tenantName: "Acme Industries",
    complexity,
    passkey: true,
  },
  "ldap": { screen: "ldap", provider: { id: "p5", kind: "ldap", name: "Acme Directory" } },
  "complete_account": {
    screen: "complete_account",
    provider: { id: "p3", kind: "github", name: "GitHub" },
    givenName: "Vera",
    familyName: "Lindqvist",
    email: "",
  },
  // Their pages are left at once: the address is one that answers nothing.
  "external": { screen: "external", url: "nowhere" },
  "done": { screen: "done", callbackUrl: "about:blank" },
  "finished": { screen: "finished", what: "reset" },
  "signed_out": { screen: "signed_out", continueUrl: "nowhere" },
};

export const opened = (state: State, more: Partial<Opened> = {}): Opened => ({
  flow: "flow-1",
  state,
  about: { appName: "Storefront", tenantName: "Acme Industries" },
  look: null,
  languages: ["en", "ru", "de", "fr", "es", "da", "ar"],
  ...more,
});

/** As the function draws it: one path of unit squares. */
export function qrPath(text: string): { size: number; path: string } {
  const { data, size } = encode(text, { border: 0, ecc: "M" });
  let path = "";
  data.forEach((row, y) =>
    row.forEach((dark, x) => {
      if (dark) path += `M${x} ${y}h1v1h-1z`;
    })
  );
  return { size, path };
}
