// What only the double does: the descriptor set as judge, restarts, lag, knobs; and the signed push of Actions.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { wire } from "../../functions/_shared/zitadel/call.ts";
import { isZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import { provisioner } from "../../functions/_shared/zitadel/provisioner.ts";
import { RunningDouble } from "../contract/double.ts";
import { password, Suite } from "../contract/support.ts";

Deno.test("the double of ZITADEL", async (t) => {
  await using s = new Suite(await RunningDouble.start());
  const double = s.instance as RunningDouble;
  const connect = (service: string, method: string, body: unknown, headers: HeadersInit = {}) =>
    fetch(`${double.url}/${service}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const authorized = { authorization: `Bearer ${await double.token("provisioner")}` };
  const orgs = "zitadel.org.v2.OrganizationService";

  await t.step("the first start leaves three tokens that only their owner reads", async () => {
    for (const name of ["provisioner", "login-client", "event-reader"]) {
      const { mode } = await Deno.stat(join(double.dir, `${name}.pat`));
      assert.equal(mode! & 0o777, 0o600);
    }
  });

  await t.step(
    "a request is held to ZITADEL's protos: unknown fields, wrong enums, broken rules",
    async () => {
      const bad: [method: string, body: unknown][] = [
        ["AddOrganization", { name: "x", surprise: true }],
        ["AddOrganization", { name: "" }],
        ["AddOrganization", { name: "x".repeat(201) }],
        ["AddOrganization", { name: 7 }],
        ["ListOrganizations", { queries: [{ nameQuery: { name: "x", method: "NEAR" } }] }],
        ["ListOrganizations", { queries: [{ idQuery: { id: "" } }] }],
      ];
      for (const [method, body] of bad) {
        const response = await connect(orgs, method, body, authorized);
        const answer = await response.json();
        assert.deepEqual(
          [response.status, answer.code],
          [400, "invalid_argument"],
          JSON.stringify(body),
        );
        assert.equal(answer.details, undefined, "a wrong shape has no id of ZITADEL's");
      }
      const lifetime = { checks: {}, lifetime: "0s" };
      assert.equal(
        (await connect("zitadel.session.v2.SessionService", "CreateSession", lifetime, authorized))
          .status,
        400,
      );
    },
  );

  await t.step("what it does not implement is 404 unimplemented, and loud", async () => {
    const answers = [
      await connect("zitadel.saml.v2.SAMLService", "GetSAMLRequest", {}, authorized),
      await connect("zitadel.no.such.Service", "Method", {}, authorized),
      await fetch(`${double.url}/v2/users/1/phone`, { method: "POST", headers: authorized }),
      await fetch(`${double.url}/zitadel.admin.v1.AdminService/ListEvents`, {
        method: "POST",
        headers: authorized,
      }),
    ];
    for (const response of answers) {
      const { code } = await response.json();
      assert.equal(response.status, 404);
      assert.ok(code === 12 || code === "unimplemented");
    }
    const log = await Deno.readTextFile(join(double.dir, "zitadel.log"));
    assert.match(log, /NOT IMPLEMENTED POST zitadel\.saml\.v2\.SAMLService\/GetSAMLRequest/);
  });

  await t.step("REST answers what Connect answers, with the gateway's codes", async () => {
    const name = `rest ${crypto.randomUUID()}`;
    const add = () =>
      fetch(`${double.url}/v2/organizations`, {
        method: "POST",
        headers: authorized,
        body: JSON.stringify({ name }),
      });
    const made = await add();
    assert.equal(made.status, 201);
    const { organizationId } = await made.json();
    const again = await add();
    assert.equal(again.status, 409);
    assert.deepEqual(await again.json(), {
      code: 6,
      message: "Errors.Org.AlreadyExists (V3-DKcYh)",
      details: [{
        "@type": "type.googleapis.com/zitadel.v1.ErrorDetail",
        id: "V3-DKcYh",
        message: "Errors.Org.AlreadyExists",
      }],
    });
    const login = await fetch(`${double.url}/v2/settings/login?ctx.orgId=${organizationId}`, {
      headers: authorized,
    });
    assert.equal((await login.json()).settings.allowLocalAuthentication, true);
    const removed = await fetch(`${double.url}/v2/organizations/${organizationId}`, {
      method: "DELETE",
      headers: authorized,
    });
    assert.equal(removed.status, 200);
    await removed.body?.cancel();
  });

  await t.step("another host is another instance, unless the header names this one", async () => {
    const ask = (headers: HeadersInit) =>
      connect(orgs, "ListOrganizations", {}, { ...authorized, ...headers });
    const elsewhere = {
      ...s.instance.config("provisioner"),
      issuer: "http://auth.example.test",
      url: double.url,
    };
    await assert.rejects(
      wire(elsewhere).connect(orgs, "ListOrganizations", {}),
      (error) => isZitadelError(error, "not_found"),
    );
    const named = await ask({ "x-zitadel-instance-host": new URL(double.issuer).host });
    assert.equal(named.status, 200);
    await named.body?.cancel();
  });

  await t.step(
    "reads show a write only after the lag; by-id commands know it at once",
    async () => {
      await double.turn({ lagMs: 60_000 });
      const id = crypto.randomUUID();
      await s.asProvisioner.connect(orgs, "AddOrganization", { name: id, organizationId: id });
      assert.equal(await s.provisioner.getOrganization(id), null);
      await s.asProvisioner.connect("zitadel.project.v2.ProjectService", "CreateProject", {
        organizationId: id,
        name: "at once",
      });
      await double.turn({ lagMs: 0 });
      assert.equal((await s.provisioner.getOrganization(id))?.name, id);
      await s.provisioner.removeOrganization(id);
      await double.turn({ lagMs: 100 });
    },
  );

  await t.step(
    "a failure can be ordered, before the work or after it; the next run converges",
    async () => {
      const id = crypto.randomUUID();
      const ensure = () => s.provisioner.ensureOrganization({ id, name: id });
      const failure = { method: "AddOrganization", times: 1, code: "unavailable" };
      await double.turn({ failures: [{ ...failure, afterwards: false }] });
      await assert.rejects(
        ensure(),
        (error) => isZitadelError(error, "unavailable") && error.retryable,
      );
      await double.turn({ failures: [{ ...failure, afterwards: true }] });
      await assert.rejects(ensure(), (error) => isZitadelError(error, "unavailable"));
      assert.equal(
        (await ensure()).changed,
        false,
        "it was there: the answer was lost, not the work",
      );
      await s.provisioner.removeOrganization(id);
    },
  );

  await t.step("the knobs are for owners of the instance", async () => {
    for (const credential of ["login-client", "event-reader"] as const) {
      const response = await fetch(`${double.url}/debug/double`, {
        method: "POST",
        headers: { authorization: `Bearer ${await double.token(credential)}` },
        body: "{}",
      });
      assert.equal(response.status, 403);
      await response.body?.cancel();
    }
  });

  await t.step("an event goes to its target once, signed over the very bytes", async () => {
    const seen: { body: string; signature: string }[] = [];
    const receiver = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        seen.push({
          body: await request.text(),
          signature: request.headers.get("zitadel-signature") ?? "",
        });
        return new Response(null, { status: 500 }); // and is not sent again
      },
    );
    const { signingKey } = await s.provisioner.ensureEventHint({
      name: "receiver",
      endpoint: `http://127.0.0.1:${receiver.addr.port}/hints`,
      timeoutMs: 2000,
      eventGroups: ["user.human"],
    });
    const { userId, orgId } = await s.tenant("pushed");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const added = seen.filter(({ body }) => JSON.parse(body).event_type === "user.human.added");
    assert.equal(added.length, 1);
    const { body, signature } = added[0]!;
    const [, at, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature)!;
    assert.equal(createHmac("sha256", signingKey).update(`${at}.${body}`).digest("hex"), v1);
    const { aggregateID, resourceOwner, event_payload } = JSON.parse(body);
    assert.deepEqual([aggregateID, resourceOwner, event_payload.userName], [
      userId,
      orgId,
      "pushed",
    ]);
    assert.ok(
      seen.every((push) => JSON.parse(push.body).aggregateType === "user"),
      "no other group",
    );
    await receiver.shutdown();
  });

  await t.step("everything survives a restart, and nothing is made a second time", async () => {
    const tenant = await s.tenant("restart");
    const { refresh_token } = await s.signIn(tenant, tenant.userId);
    const waiting = await s.authorize(tenant);
    const tokens = await Promise.all(
      (["provisioner", "login-client"] as const).map((name) => double.token(name)),
    );
    const before = (await s.events.listEvents({ limit: 1000 })).events.length;
    await double.stopProcess();
    await double.startProcess();
    assert.deepEqual(
      await Promise.all(
        (["provisioner", "login-client"] as const).map((name) => double.token(name)),
      ),
      tokens,
    );
    assert.equal((await s.events.listEvents({ limit: 1000 })).events.length, before);
    const refreshed = await s.exchange({
      grant_type: "refresh_token",
      client_id: tenant.clientId,
      refresh_token: refresh_token!,
    });
    assert.equal(refreshed.status, 200);
    await refreshed.body?.cancel();
    const session = await s.login.createSession({
      userId: tenant.userId,
      password,
      lifetimeSeconds: 60,
    });
    await s.login.createCallback(waiting.authRequestId, session);
  });
});

Deno.test("a token file that was replaced is used from the next call on", async () => {
  await using s = new Suite(await RunningDouble.start());
  const tokenFile = await Deno.makeTempFile({ prefix: "gatehouse-token-" });
  try {
    await Deno.writeTextFile(tokenFile, "an-old-token");
    const calls = provisioner({ ...s.instance.config("provisioner"), tokenFile });
    await assert.rejects(
      calls.getDefaultOrganization(),
      (error) => isZitadelError(error, "unauthenticated"),
    );
    await Deno.writeTextFile(tokenFile, `${await s.instance.token("provisioner")}\n`);
    assert.equal((await calls.getDefaultOrganization()).name, "ZITADEL");
  } finally {
    await Deno.remove(tokenFile);
  }
});
