/** English of the account page, beside that of the sign-in (en.ts), whose fields and steps it shares. */
export const accountEn = {
  accountTitle: "Your account",
  signOut: "Sign out",
  change: "Change",
  save: "Save",
  saved: "Saved",
  close: "Close",
  remove: "Remove",
  removeAsk: "Remove “{name}”?",
  none: "None yet",

  profile: "Profile",
  name: "Name",
  unverified: "not verified",
  newEmail: "New e-mail",
  languageHint: "For this page and for mails",

  security: "Signing in",
  changedAt: "Changed {date}",
  currentPassword: "Current password",
  passwordHint: "Your other devices will be signed out.",
  keys: "Passkeys and security keys",
  addedAt: "Added {date}",
  addPasskey: "Add a passkey",
  factors: "Second step",
  factorsRequired: "Your organization asks for one.",
  on: "On",
  setUp: "Set up",
  newCodes: "New codes",
  newCodesAsk: "The old codes will no longer work.",

  providers: "Linked accounts",
  link: "Link",
  unlink: "Unlink",
  sessions: "Devices",
  current: "This device",
  activeAt: "Active {when}",
  unknownDevice: "Unknown device",
  endOthers: "Sign out all others",

  proofLead: "Before you change how you sign in.",

  x_last_factor: "This is your last second step, and your organization asks for one.",
  x_last_way: "This is your only way to sign in.",
  x_email_taken: "This address is in use.",
  x_external_account_taken: "This account is linked to somebody else.",
};

export type AccountTexts = typeof accountEn;
export type AccountKey = keyof AccountTexts;
