// What a syslog sink sends, read by a receiver that was written from the RFCs.
import assert from "node:assert/strict";
import { parseNetwork } from "../../../functions/_shared/addresses.ts";
import { createDoor, OutboundError } from "../../../functions/_shared/outbound.ts";
import { type Batch, SinkError, type SinkEvent } from "../../../functions/_shared/sinks/sink.ts";
import { sendSyslog, SyslogSettings } from "../../../functions/_shared/sinks/syslog.ts";
import { eventMessage, frame } from "../../../functions/_shared/sinks/syslog_message.ts";
import { authority } from "../_shared/outbound_tls.ts";
import { parseSyslog, takeFrames } from "./parse_syslog.ts";
import { receiveSyslog } from "./receiver.ts";

const tenantId = "01990000-0000-7000-8000-00000000000a";
const sinkId = "01990000-0000-7000-8000-0000000000b1";
const embedded = createDoor({
  embedded: true,
  allowed: [parseNetwork("127.0.0.0/8")],
  resolve: (name) => Promise.resolve(name === "receiver.test" ? ["127.0.0.1"] : []),
});
const hostname = "gatehouse.test";

function event(seq: number, more: Partial<SinkEvent> & { data?: unknown } = {}): SinkEvent {
  const { data = { n: seq }, ...rest } = more;
  const id = `01990000-0000-7000-8000-${String(seq).padStart(12, "0")}`;
  return {
    seq,
    id,
    tenantId,
    type: "app.updated",
    occurredAt: "2026-11-22T10:00:00.123456+00:00",
    actor: { kind: "user", id: "u1" },
    targets: [{ kind: "app", id: "a1" }],
    text: JSON.stringify({ id, seq, data }),
    ...rest,
  };
}
const batch = (...events: SinkEvent[]): Batch => ({ sinkId, tenantId, events, checkpoints: [] });
const settings = (more: object) => SyslogSettings.parse({ host: "127.0.0.1", ...more });
const options = { facility: 13, enterpriseId: 32473, hostname };
const read = (text: string) => parseSyslog(takeFrames(frame(text)).frames[0]!);

Deno.test("an event becomes a message of RFC 5424 with structured data and the whole event as JSON", () => {
  const sent = event(7, { data: { name: 'Ünï "code"\n\u0000 ✓ 😀' } });
  const message = read(eventMessage(sent, options));
  assert.deepEqual([message.facility, message.severity], [13, 6]);
  assert.equal(message.timestamp, "2026-11-22T10:00:00.123Z");
  assert.deepEqual([message.hostname, message.app, message.messageId], [
    hostname,
    "gatehouse",
    "app.updated",
  ]);
  assert.deepEqual(message.data, {
    "gatehouse@32473": {
      id: sent.id,
      seq: "7",
      tenant: tenantId,
      type: "app.updated",
      actor_kind: "user",
      actor: "u1",
      target_kind: "app",
      target: "a1",
    },
  });
  assert.deepEqual(JSON.parse(message.text), JSON.parse(sent.text));
  assert.match(message.text, /^[\x20-\x7e]+$/, "ASCII, so that no byte order mark is due");
});

Deno.test("what an event holds breaks out of neither its parameter, its header nor its line", () => {
  const hostile = '"] [evil@1 a="b\\"]\n<13>1 - - - - - -';
  const message = read(eventMessage(
    event(1, { actor: { kind: "user", id: hostile }, type: "custom.a b\u0000" + "x".repeat(40) }),
    options,
  ));
  assert.deepEqual(Object.keys(message.data), ["gatehouse@32473"]);
  assert.equal(message.data["gatehouse@32473"]!.actor, hostile.replace("\n", " "));
  assert.equal(message.messageId.length, 32);
});

Deno.test("what failed is a warning, a missing actor or target is left out", () => {
  const message = read(
    eventMessage(
      event(1, {
        type: "user.sign_in_failed",
        actor: { kind: "anonymous", id: null },
        targets: [],
      }),
      options,
    ),
  );
  assert.equal(message.severity, 4);
  const { actor, target } = message.data["gatehouse@32473"]!;
  assert.deepEqual([actor, target], [undefined, undefined]);
});

Deno.test("the severity is the type's: a fork is an alert, an unlocked account no warning", () => {
  const severities = ["audit.forked", "user.locked", "user.unlocked", "app.deleted"]
    .map((type) => read(eventMessage(event(1, { type }), options)).severity);
  assert.deepEqual(severities, [1, 4, 6, 5]);
});

Deno.test("a frame counts octets, not characters", () => {
  assert.equal(new TextDecoder().decode(frame("ü✓")), "5 ü✓");
});

for (const transport of ["tcp", "tls"] as const) {
  Deno.test(`over ${transport} a batch arrives whole and in order, and so does a checkpoint`, async () => {
    await using receiver = receiveSyslog({ tls: transport === "tls" });
    const events = Array.from({ length: 300 }, (_, n) => event(n + 1));
    const checkpoint = {
      tenantId,
      size: 300,
      note: "origin\n300\nroot=\n\n— origin sig\n",
      createdAt: "2026-11-22T10:00:01Z",
    };
    const where = transport === "tls"
      ? { host: "receiver.test", transport, ca: authority }
      : { transport };
    await sendSyslog(
      settings({ port: receiver.port, ...where }),
      { ...batch(...events), checkpoints: [checkpoint] },
      { connect: embedded.connect, hostname },
    );
    assert.deepEqual(receiver.faults, []);
    assert.deepEqual(
      receiver.messages.slice(0, -1).map(({ text }) => JSON.parse(text).seq),
      events.map(({ seq }) => seq),
    );
    const last = receiver.messages.at(-1)!;
    assert.equal(last.messageId, "audit.checkpoint");
    assert.equal(JSON.parse(last.text).checkpoint, checkpoint.note);
  });
}

const failure = async (more: object, door = embedded, timeoutMs = 2_000): Promise<string> => {
  try {
    await sendSyslog(settings(more), batch(event(1)), {
      connect: door.connect,
      hostname,
      timeoutMs,
    });
  } catch (error) {
    if (error instanceof OutboundError) return error.errorClass;
    if (error instanceof SinkError) return error.slug;
    throw error;
  }
  return "sent";
};

Deno.test("TLS: only with a certificate of that authority for that name", async () => {
  await using receiver = receiveSyslog({ tls: true });
  const tls = { port: receiver.port, transport: "tls" };
  assert.equal(await failure({ ...tls, host: "receiver.test" }), "tls_failed");
  assert.equal(await failure({ ...tls, host: "127.0.0.1", ca: authority }), "tls_failed");
  assert.equal(receiver.messages.length, 0);
});

Deno.test("a batch is taken only when the receiver has read it to its end", async () => {
  await using deaf = receiveSyslog({ closes: false });
  const tcp = { port: deaf.port, transport: "tcp" };
  assert.equal(await failure(tcp, embedded, 300), "not_confirmed");
  assert.equal(await failure({ ...tcp, confirm: false }), "sent");
});

Deno.test("the door judges a raw connection as it judges a URL", async () => {
  const standard = createDoor({
    embedded: false,
    allowed: [parseNetwork("10.8.0.0/16")],
    resolve: (name) =>
      Promise.resolve(
        { "public.test": ["93.184.215.14"], "rebind.test": ["93.184.215.14", "127.0.0.1"] }[name] ??
          [],
      ),
  });
  const refused: [host: string, port: number, why: string][] = [
    ["127.0.0.1", 6514, "address_refused"],
    ["127.1", 6514, "address_refused"],
    ["0x7f000001", 6514, "address_refused"],
    ["2130706433", 6514, "address_refused"],
    ["::1", 6514, "address_refused"],
    ["::ffff:127.0.0.1", 6514, "address_refused"],
    ["64:ff9b::7f00:1", 6514, "address_refused"],
    ["localhost", 6514, "address_refused"],
    ["169.254.169.254", 6514, "address_refused"],
    ["10.0.0.1", 6514, "address_refused"],
    ["rebind.test", 6514, "address_refused"],
    ["user@public.test", 6514, "url_refused"],
    ["public.test/x", 6514, "url_refused"],
    ["public.test:80", 6514, "url_refused"],
    ["public.test", 22, "url_refused"],
    ["public.test", 25, "url_refused"],
    ["public.test", 6667, "url_refused"],
    ["public.test", 6514, "url_refused"], // in the clear to a public network
    ["unknown.test", 6514, "dns_failed"],
  ];
  for (const [host, port, why] of refused) {
    assert.equal(await failure({ host, port, transport: "tcp" }, standard), why, `${host} ${port}`);
  }
});
