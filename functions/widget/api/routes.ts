/** The programs' API. Next: contract.ts (what is said), sign_in.ts and tokens.ts (what is done). */
import type { Hono, MiddlewareHandler } from "hono";
import type { App } from "../../_shared/app.ts";
import { body } from "../../_shared/body.ts";
import { Problem } from "../../_shared/problem.ts";
import { asProblem } from "../flow/failures.ts";
import type { WidgetParts } from "../parts.ts";
import { Forgot, GoOn, Refresh, Reset, SignIn, SignOut, SignUp } from "./contract.ts";
import { begin, goOn } from "./sign_in.ts";
import { refresh, signOut } from "./tokens.ts";

/** A page would hold tokens and passwords where its scripts can read them: it has the widget. @throws {Problem} origin_refused */
const programsOnly: MiddlewareHandler<App> = async (c, next) => {
  if (c.req.header("origin") !== undefined) {
    throw new Problem("origin_refused", "Pages sign people in with the widget");
  }
  try {
    await next();
  } catch (error) {
    throw asProblem(error);
  }
};

export function serveApi(app: Hono<App>, parts: () => WidgetParts): void {
  app.use("/api/*", programsOnly);

  /** 200 Outcome · 401 credentials_refused, client_credentials_refused · 403 origin_refused, inline_refused … · 429 rate_limited */
  app.post("/api/sign-in", async (c) => {
    const { loginName, password, ...application } = await body(c, SignIn);
    const asked = { app, c, parts: parts() };
    return c.json(await begin(asked, application, [{ action: "password", loginName, password }]));
  });

  /** 200 Outcome · 403 way_not_allowed · 422 password_too_weak, terms_not_accepted */
  app.post("/api/sign-up", async (c) => {
    const { clientId, redirectUri, scope, language, ...person } = await body(c, SignUp);
    const asked = { app, c, parts: parts() };
    return c.json(
      await begin(asked, { clientId, redirectUri, scope, language }, [
        { action: "show_register" },
        { action: "register", ...person },
      ]),
    );
  });

  /** 200 Outcome, the same whether there is such an account or not · 403 password_not_allowed */
  app.post("/api/forgot", async (c) => {
    const { loginName, ...application } = await body(c, Forgot);
    const asked = { app, c, parts: parts() };
    return c.json(
      await begin(asked, application, [
        { action: "show_reset", loginName },
        { action: "reset", loginName },
      ]),
    );
  });

  /** 200 Outcome · 401 code_refused · 403 ticket_refused · 422 password_too_weak */
  app.post("/api/reset", async (c) => {
    const { ticket, code, newPassword } = await body(c, Reset);
    const asked = { app, c, parts: parts() };
    return c.json(await goOn(asked, ticket, { action: "new_password", code, newPassword }));
  });

  /** 200 Outcome · 403 ticket_refused · 409 action_refused · and what the flow refuses with */
  app.post("/api/act", async (c) => {
    const { ticket, action } = await body(c, GoOn);
    return c.json(await goOn({ app, c, parts: parts() }, ticket, action));
  });

  /** 200 Tokens · 401 refresh_refused, client_credentials_refused */
  app.post(
    "/api/refresh",
    async (c) => c.json(await refresh({ app, c, parts: parts() }, await body(c, Refresh))),
  );

  /** 204 · 401 logout_refused, client_credentials_refused */
  app.post("/api/sign-out", async (c) => {
    await signOut({ app, c, parts: parts() }, await body(c, SignOut));
    return c.body(null, 204);
  });
}
