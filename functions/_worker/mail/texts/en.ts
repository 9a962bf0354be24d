/**
 * English, and the list of every text. Another language is another file with the same keys; `{name}` and the like are filled in by
 * write.ts, and every language has the same ones (test/unit/mail/texts.test.ts).
 */
export const en = {
  hello: "Hello {name},",
  validFor: "Valid for {time}.",
  copyLink: "If the button does nothing, open this address in your browser:",
  openLink: "Or open this address in your browser:",
  footer: "This message was sent automatically by {tenant}. Answers to it are not read.",
  verification: {
    subject: "Confirm your e-mail address for {tenant}",
    heading: "Confirm your e-mail address",
    lead: "Enter this code where you were asked for it, and we know that this address is yours.",
    button: "Confirm address",
    otherwise:
      "If you did not give this address to {tenant}, ignore this message: without the code nothing happens.",
  },
  password_reset: {
    subject: "Reset your password for {tenant}",
    heading: "Choose a new password",
    lead:
      "Somebody asked for a new password for your account at {tenant}. This code lets you set it.",
    button: "Set new password",
    otherwise:
      "If it was not you, ignore this message: your password stays as it is. Give the code to nobody.",
  },
  invitation: {
    subject: "You are invited to {tenant}",
    heading: "You are invited to {tenant}",
    lead: "An account was made for you at {tenant}. Open the link to choose how you sign in.",
    leadBy:
      "{inviter} made an account for you at {tenant}. Open the link to choose how you sign in.",
    button: "Accept invitation",
    otherwise:
      "If you expect no invitation, ignore this message: the account stays closed until somebody opens the link.",
  },
  sign_in_code: {
    subject: "Your sign-in code for {tenant}",
    heading: "Your sign-in code",
    lead: "Enter this code to sign in at {tenant}.",
    leadApp: "Enter this code to sign in to {app}.",
    otherwise:
      "If you are not signing in just now, somebody else may be trying to. Give the code to nobody.",
  },
  already_registered: {
    subject: "You already have an account at {tenant}",
    heading: "You already have an account",
    lead:
      "Somebody wanted to register at {tenant} with this address. There is an account for it already: sign in with it, or choose a new password if you have forgotten yours.",
    otherwise: "If it was not you, ignore this message: nothing was changed.",
  },
  address_changed: {
    subject: "Your e-mail address at {tenant} was changed",
    heading: "Your e-mail address was changed",
    lead:
      "Messages about your account at {tenant} now go to {address}. This address gets none from now on.",
    otherwise: "If it was not you, tell the administrator of {tenant} at once.",
  },
};

export type Texts = typeof en;
