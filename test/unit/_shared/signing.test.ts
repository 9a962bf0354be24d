import assert from "node:assert/strict";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { toBase64 } from "../../../functions/_shared/secrets.ts";
import { signWebhook } from "../../../functions/_shared/signing.ts";
import { importWebhookKey, newWebhookSecret } from "../../../functions/_shared/signing_keys.ts";

const seconds = () => Math.floor(Date.now() / 1000);

Deno.test("the reference library's own example signs to its known signature", () => {
  const key = importWebhookKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const headers = signWebhook({
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestampSeconds: 1614265330,
    body: '{"test": 2432232314}',
  }, [key]);
  assert.deepEqual(headers, {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

Deno.test("property: the reference libraries verify every body, and no other", () => {
  const secret = newWebhookSecret();
  const key = importWebhookKey(secret);
  const libraries = [new Webhook(secret), new SvixWebhook(secret)];
  const json = fc.json();
  fc.assert(
    fc.property(json, fc.uuid(), (body, id) => {
      const headers = signWebhook({ id, timestampSeconds: seconds(), body }, [key]);
      for (const reference of libraries) {
        reference.verify(body, headers); // throws when it does not hold
        assert.throws(() => reference.verify(body + " ", headers));
        assert.throws(() => reference.verify(body, { ...headers, "webhook-id": id + "x" }));
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("while a secret rotates both receivers verify: one header, joined by a space", () => {
  const [older, newer, stranger] = [newWebhookSecret(), newWebhookSecret(), newWebhookSecret()];
  const keys = [importWebhookKey(newer), importWebhookKey(older)];
  const body = "{}";
  const headers = signWebhook({ id: "m1", timestampSeconds: seconds(), body }, keys);
  assert.match(headers["webhook-signature"]!, /^v1,[\w+/=]{44} v1,[\w+/=]{44}$/);
  for (const Library of [Webhook, SvixWebhook]) {
    new Library(older).verify(body, headers);
    new Library(newer).verify(body, headers);
    assert.throws(() => new Library(stranger).verify(body, headers));
  }
});

Deno.test("bytes and text of the same body have the same signature", () => {
  const key = importWebhookKey(newWebhookSecret());
  const body = '{"name":"Zoë"}';
  const message = { id: "m1", timestampSeconds: 1 };
  assert.deepEqual(
    signWebhook({ ...message, body }, [key]),
    signWebhook({ ...message, body: new TextEncoder().encode(body) }, [key]),
  );
});

Deno.test("a new secret is whsec_ and 32 bytes, each its own", () => {
  const [a, b] = [newWebhookSecret(), newWebhookSecret()];
  assert.match(a, /^whsec_[\w+/]{43}=$/);
  assert.notEqual(a, b);
});

Deno.test("secrets have 24 to 64 bytes", () => {
  const secret = (length: number) => "whsec_" + toBase64(new Uint8Array(length).fill(7));
  for (const length of [24, 64]) importWebhookKey(secret(length));
  for (const wrong of [secret(23), secret(65), secret(32).slice(6), "whsec_%%%", "whsk_AAAA"]) {
    assert.throws(() => importWebhookKey(wrong), TypeError, wrong);
  }
});

Deno.test("an id with a dot, a fraction of a second and no key are refused", () => {
  const key = importWebhookKey(newWebhookSecret());
  const good = { id: "m1", timestampSeconds: 1, body: "" };
  assert.throws(() => signWebhook({ ...good, id: "m.1" }, [key]), TypeError);
  assert.throws(() => signWebhook({ ...good, id: "" }, [key]), TypeError);
  assert.throws(() => signWebhook({ ...good, timestampSeconds: 1.5 }, [key]), TypeError);
  assert.throws(() => signWebhook({ ...good, timestampSeconds: -1 }, [key]), TypeError);
  assert.throws(() => signWebhook(good, []), TypeError);
});
