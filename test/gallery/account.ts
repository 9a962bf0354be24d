import { serveSignInPage, type SignInPage } from "../e2e/support/sign_in_page.ts";
export const accounts: Record<string, unknown> = {};
export const serveAccountPage = (_: unknown, __: unknown): SignInPage => serveSignInPage();
