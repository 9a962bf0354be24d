// SKR: another secret for a sink: the function, the job and the database are real, and the receiver checks as Standard Webhooks says.
import assert from "node:assert/strict";
import { Webhook } from "standardwebhooks";
import { type Actor, tenants } from "../support/actors.ts";
import { arrange, receive, type Received } from "./functions_support.ts";

Deno.test("a sink's secret is rotated", async (t) => {
  const arranged = await arrange();
  const { sql } = arranged.database;
  const { app } = await import("../../functions/audit/app.ts");
  const { closeDatabase } = await import("../../functions/_shared/db.ts");
  const { door } = await import("../../functions/_shared/outbound.ts");
  const { default: fanOut } = await import("../../functions/_worker/tasks/audit__fan_out.ts");
  const worker = arranged.database.connect("gatehouse_worker");
  const receiver = receive();
  const post = async (actor: Actor | null, path: string, body: object) =>
    await app.request(`/audit/sinks${path}`, {
      method: "POST",
      headers: {
        ...(actor ? { authorization: `Bearer ${await arranged.token(actor)}` } : {}),
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
    });
  const slugOf = async (response: Response) =>
    (await response.json() as { type: string }).type.split(":").pop();
  const http = { kind: "http", settings: { url: receiver.url }, headers: { authorization: "A b" } };
  const make = async (name: string, more: object = http) =>
    await (await post("alice", "", { tenantId: tenants.A, name, ...more }))
      .json() as { id: string; signingSecret: string };
  const rotate = async (id: string, overlapSeconds?: number) => {
    const response = await post("alice", `/${id}/rotate`, { tenantId: tenants.A, overlapSeconds });
    assert.equal(response.status, 200);
    return (await response.json() as { signingSecret: string }).signingSecret;
  };
  /** What the receiver gets next, at a moment so many seconds from now. */
  async function sent(id: string, inSeconds = 0): Promise<Received> {
    receiver.received.length = 0;
    await sql`select private.record_event(${tenants.A}, 'app.activated', '[]', '{"client_id": null}')`;
    await worker`select private.sequence_events(1000)`;
    await fanOut({ tenantId: tenants.A, id }, {
      sql: worker,
      now: () => new Date(Date.now() + inSeconds * 1000),
      holder: "test",
      stopping: new AbortController().signal,
    });
    const [first] = receiver.received;
    return first!;
  }
  /** By the signatures alone: the receiver's clock is not what is tested. */
  const takes = (secret: string, { headers, body }: Received) => {
    const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": all } = headers;
    const signature = new Webhook(secret).sign(id!, new Date(Number(at) * 1000), body);
    return all!.split(" ").includes(signature);
  };

  try {
    await t.step("SKR-01 old and new sign for the overlap, then the new one alone", async () => {
      const { id, signingSecret: old } = await make("siem");
      const fresh = await rotate(id, 3_600);
      assert.notEqual(fresh, old);
      assert.match(fresh, /^whsec_/);
      const meanwhile = await sent(id);
      new Webhook(old).verify(meanwhile.body, meanwhile.headers);
      new Webhook(fresh).verify(meanwhile.body, meanwhile.headers);
      assert.equal(meanwhile.headers.authorization, "A b", "its headers stay");
      const after = await sent(id, 3_601);
      assert.deepEqual([takes(old, after), takes(fresh, after)], [false, true]);
      const [event] = await sql`
        select tenant_id, data, targets from audit_events where type = 'audit_sink.secret_rotated'`;
      assert.deepEqual(event!.data, { overlap_seconds: 3_600 });
      assert.deepEqual(event!.targets, [{ kind: "audit_sink", id }]);
    });

    await t.step(
      "SKR-02 without overlap the old one is worth nothing at once; a day is the default",
      async () => {
        const { id, signingSecret: first } = await make("leaked");
        const second = await rotate(id);
        const third = await rotate(id, 60);
        const both = await sent(id);
        for (const secret of [first, second, third]) assert.equal(takes(secret, both), true);
        const minute = await sent(id, 61); // no former one outlives the shorter overlap
        assert.deepEqual(
          [takes(first, minute), takes(second, minute), takes(third, minute)],
          [false, false, true],
        );
        const fourth = await rotate(id, 0);
        const last = await sent(id);
        assert.equal(last.headers["webhook-signature"]!.split(" ").length, 1);
        assert.equal(takes(fourth, last), true);
      },
    );

    await t.step("SKR-03 two who rotate at once lose none of what was shown", async () => {
      const { id, signingSecret } = await make("twice");
      const shown = await Promise.all([rotate(id, 600), rotate(id, 600), rotate(id, 600)]);
      const one = await sent(id);
      for (const secret of [signingSecret, ...shown]) assert.equal(takes(secret, one), true);
    });

    await t.step(
      "SKR-04 strangers, members and auditors rotate nothing, nor what has no secret",
      async () => {
        const { id } = await make("kept");
        const before =
          await sql`select ciphertext from private.audit_sink_secrets where sink_id = ${id}`;
        for (const actor of ["eve", "bob", "audrey", "mallory"] as const) {
          const refused = await post(actor, `/${id}/rotate`, { tenantId: tenants.A });
          assert.equal(await slugOf(refused), "not_allowed", actor);
        }
        const asOwn = await post("eve", `/${id}/rotate`, { tenantId: tenants.E });
        assert.equal(await slugOf(asOwn), "sink_not_found");
        assert.equal((await post(null, `/${id}/rotate`, { tenantId: tenants.A })).status, 401);
        assert.equal(
          await slugOf(await post("alice", "/x/rotate", { tenantId: tenants.A })),
          "sink_not_found",
        );
        for (const overlapSeconds of [-1, 604_801, 1.5]) {
          const response = await post("alice", `/${id}/rotate`, {
            tenantId: tenants.A,
            overlapSeconds,
          });
          assert.equal(await slugOf(response), "invalid_request");
        }
        const syslog = await make("plain", {
          kind: "syslog",
          settings: { host: "127.0.0.1", port: 5_140, transport: "tcp" },
        });
        const none = await post("alice", `/${syslog.id}/rotate`, { tenantId: tenants.A });
        assert.deepEqual([none.status, await slugOf(none)], [409, "sink_has_no_secret"]);
        const after =
          await sql`select ciphertext from private.audit_sink_secrets where sink_id = ${id}`;
        assert.deepEqual([...after], [...before]);
      },
    );
    await t.step(
      "SKR-05 a tenant's id in capitals is the same tenant: what is sealed opens",
      async () => {
        const tenantId = tenants.A.toUpperCase();
        const made = await post("alice", "", { ...http, tenantId, name: "capitals" });
        const { id, signingSecret } = await made.json() as { id: string; signingSecret: string };
        assert.equal(takes(signingSecret, await sent(id)), true);
        const rotated = await post("alice", `/${id.toUpperCase()}/rotate`, { tenantId });
        assert.equal(rotated.status, 200);
      },
    );
  } finally {
    await receiver[Symbol.asyncDispose]();
    await closeDatabase();
    (await door()).close();
    await arranged.dispose();
  }
});
