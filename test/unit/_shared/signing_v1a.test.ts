// v1a, Ed25519: no library of the standard for JavaScript knows it, so fixed vectors of others and our own verifier hold it.
import assert from "node:assert/strict";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { toBase64 } from "../../../functions/_shared/secrets.ts";
import { signWebhook } from "../../../functions/_shared/signing.ts";
import {
  importVerificationKey,
  importWebhookKey,
  newWebhookKeyPair,
  newWebhookSecret,
} from "../../../functions/_shared/signing_keys.ts";
import { verifyWebhook } from "../../../functions/_shared/signing_verify.ts";

/** svix-webhooks, server/svix-server, test_asymmetric_key_signing; the standard's text shows the same signature. */
const svix = {
  privateKey:
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
  publicKey: "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
  message: {
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestampSeconds: 1614265330,
    body: '{"test": 2432232314}',
  },
  signature:
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
  at: new Date(1614265330_000),
};

Deno.test("Svix's own example signs to its known signature, and verifies with its public key", async () => {
  const headers = signWebhook(svix.message, [importWebhookKey(svix.privateKey)]);
  assert.equal(headers["webhook-signature"], svix.signature);
  const keys = [await importVerificationKey(svix.publicKey)];
  const received = { headers, body: svix.message.body };
  assert.equal(await verifyWebhook(received, keys, svix.at), true);
});

Deno.test("the keys of RFC 8032, section 7.1, test 1 belong together", async () => {
  const seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
  const open = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  const key = importWebhookKey("whsk_" + toBase64(Uint8Array.fromHex(seed + open)));
  const headers = signWebhook({ id: "m1", timestampSeconds: 1, body: "" }, [key]);
  const verifier = await importVerificationKey("whpk_" + toBase64(Uint8Array.fromHex(open)));
  assert.equal(await verifyWebhook({ headers, body: "" }, [verifier], new Date(1_000)), true);
});

Deno.test("property: what one key pair signs verifies under it, and nothing else does", async () => {
  const [pair, other] = [await newWebhookKeyPair(), await newWebhookKeyPair()];
  const key = importWebhookKey(pair.privateKey);
  const mine = [await importVerificationKey(pair.publicKey)];
  const strangers = [await importVerificationKey(other.publicKey)];
  await fc.assert(
    fc.asyncProperty(fc.json(), fc.uuid(), async (body, id) => {
      const timestampSeconds = Math.floor(Date.now() / 1_000);
      const headers = signWebhook({ id, timestampSeconds, body }, [key]);
      assert.equal(await verifyWebhook({ headers, body }, mine), true);
      assert.equal(await verifyWebhook({ headers, body }, strangers), false);
      assert.equal(await verifyWebhook({ headers, body: body + " " }, mine), false);
      const later = { ...headers, "webhook-timestamp": String(timestampSeconds + 1) };
      assert.equal(await verifyWebhook({ headers: later, body }, mine), false);
      const renamed = { ...headers, "webhook-id": id + "x" };
      assert.equal(await verifyWebhook({ headers: renamed, body }, mine), false);
    }),
    { numRuns: 50 },
  );
});

Deno.test("both schemes in one header: each receiver finds its own, the standard's library too", async () => {
  const secret = newWebhookSecret();
  const pair = await newWebhookKeyPair();
  const keys = [importWebhookKey(secret), importWebhookKey(pair.privateKey)];
  const timestampSeconds = Math.floor(Date.now() / 1_000);
  const headers = signWebhook({ id: "m1", timestampSeconds, body: "{}" }, keys);
  assert.match(headers["webhook-signature"]!, /^v1,[\w+/=]{44} v1a,[\w+/=]{88}$/);
  new Webhook(secret).verify("{}", headers);
  for (const key of [secret, pair.publicKey]) {
    const verifier = [await importVerificationKey(key)];
    assert.equal(await verifyWebhook({ headers, body: "{}" }, verifier), true);
  }
});

Deno.test("while a key pair rotates both public keys verify", async () => {
  const [older, newer] = [await newWebhookKeyPair(), await newWebhookKeyPair()];
  const keys = [importWebhookKey(newer.privateKey), importWebhookKey(older.privateKey)];
  const timestampSeconds = Math.floor(Date.now() / 1_000);
  const headers = signWebhook({ id: "m1", timestampSeconds, body: "{}" }, keys);
  for (const { publicKey } of [older, newer]) {
    const verifier = [await importVerificationKey(publicKey)];
    assert.equal(await verifyWebhook({ headers, body: "{}" }, verifier), true);
  }
});

Deno.test("a signature of one scheme never passes as the other's", async () => {
  const headers = signWebhook(svix.message, [importWebhookKey(svix.privateKey)]);
  const relabelled = {
    ...headers,
    "webhook-signature": headers["webhook-signature"]!.replace("v1a,", "v1,"),
  };
  const { body } = svix.message;
  for (const text of [svix.publicKey, newWebhookSecret()]) {
    const keys = [await importVerificationKey(text)];
    assert.equal(await verifyWebhook({ headers: relabelled, body }, keys, svix.at), false);
  }
});

Deno.test("five minutes off, either way, is too far; malformed headers verify as nothing", async () => {
  const keys = [await importVerificationKey(svix.publicKey)];
  const headers = signWebhook(svix.message, [importWebhookKey(svix.privateKey)]);
  const { body } = svix.message;
  const at = (seconds: number) => new Date(svix.at.getTime() + seconds * 1_000);
  for (const near of [-300, 0, 300]) {
    assert.equal(await verifyWebhook({ headers, body }, keys, at(near)), true, String(near));
  }
  for (const far of [-301, 301]) {
    assert.equal(await verifyWebhook({ headers, body }, keys, at(far)), false, String(far));
  }
  const without = (name: string) => ({ ...headers, [name]: undefined });
  for (
    const bad of [
      without("webhook-id"),
      without("webhook-timestamp"),
      without("webhook-signature"),
      { ...headers, "webhook-timestamp": "1614265330.0" },
      { ...headers, "webhook-signature": "v1a,%%%" },
      { ...headers, "webhook-signature": "v1a,AAAA" },
      { ...headers, "webhook-signature": svix.signature.slice(4) },
    ]
  ) {
    assert.equal(await verifyWebhook({ headers: bad, body }, keys, svix.at), false);
  }
});

Deno.test("keys have their length; errors never show them", async () => {
  const pair = await newWebhookKeyPair();
  assert.match(pair.privateKey, /^whsk_[\w+/]{86}==$/);
  assert.match(pair.publicKey, /^whpk_[\w+/]{43}=$/);
  const short = "whsk_" + toBase64(new Uint8Array(32));
  for (const wrong of [short, "whsk_%%%", pair.publicKey, ""]) {
    assert.throws(() => importWebhookKey(wrong), (error: Error) => {
      assert.ok(error instanceof TypeError);
      assert.ok(wrong.length < 10 || !error.message.includes(wrong.slice(5, 20)));
      return true;
    });
  }
  for (const wrong of ["whpk_" + toBase64(new Uint8Array(31)), "whpk_%%%", pair.privateKey]) {
    await assert.rejects(importVerificationKey(wrong), TypeError);
  }
});
