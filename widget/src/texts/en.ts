/** English, and the list of every text of the widget. Another language is another file with the same keys. */
export const en = {
  signIn: "Sign in",
  signInTo: (app: string) => `to continue to ${app}`,
  signInToOf: (app: string, tenant: string) => `to continue to ${app}, ${tenant}`,
  loginName: "User name or e-mail",
  password: "Password",
  showPassword: "Show password",
  hidePassword: "Hide password",
  signingIn: "Signing in…",
  signedIn: "Signed in. Taking you back…",
  redirecting: "Opening the sign-in page…",
  loginNameMissing: "Enter your user name or e-mail",
  passwordMissing: "Enter your password",
  stopped: "Sign-in stopped",
  startAgain: "Go back to the application and sign in from there.",
  /** By problem slug. What the person can do stands in the text. */
  problems: {
    credentials_refused:
      "User name or password is not right, or the account is locked. Check both and try again.",
    factor_required:
      "Your organization asks for a second factor, and this page cannot take one yet. Ask your administrator.",
    password_change_required: "Your password must be changed first. Ask your administrator.",
    email_not_verified: "Your e-mail address is not verified yet. Ask your administrator.",
    password_not_allowed: "Your organization does not allow signing in with a password.",
    flow_finished: "This sign-in is already finished.",
    flow_not_found: "This sign-in is unknown or has run out.",
    browser_mismatch: "This sign-in was started in another browser, or cookies are blocked.",
    app_disabled: "This application is switched off at the moment.",
    tenant_suspended: "Signing in is suspended for this organization.",
    rate_limited: "Too many tries. Wait a minute, then try again.",
    offline: "No answer from the sign-in service. Check your connection and try again.",
    other: "Something went wrong on our side. Try again in a moment.",
  },
};

export type Texts = typeof en;
