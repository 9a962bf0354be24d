// Which mail server: what the environment says, and what it may not.
import assert from "node:assert/strict";
import { ConfigError, parseConfig } from "../../../functions/_shared/config.ts";
import { mailServer } from "../../../functions/_worker/mail/server.ts";

async function serverOf(environment: Record<string, string>) {
  return await mailServer(parseConfig({
    GATEHOUSE_PUBLIC_URL: "https://id.example/sso",
    GATEHOUSE_MAIL_FROM: "no-reply@id.example",
    ...environment,
  }));
}

async function file(text: string): Promise<string> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, text);
  return path;
}

const wrong = (variable: string) => (error: unknown) =>
  error instanceof ConfigError && error.variable === variable;

Deno.test("a URL and what belongs to it", async () => {
  assert.equal(await serverOf({}), undefined);
  const credentials = await file('{"user": "gatehouse", "password": "s3cret"}');
  assert.deepEqual(
    await serverOf({
      GATEHOUSE_SMTP_URL: "smtp://mail.example",
      GATEHOUSE_SMTP_CREDENTIALS_FILE: credentials,
      GATEHOUSE_SMTP_CA_FILE: await file("-----BEGIN CERTIFICATE-----\n"),
    }),
    {
      host: "mail.example",
      port: 587,
      tls: "starttls",
      ca: "-----BEGIN CERTIFICATE-----",
      credentials: { user: "gatehouse", password: "s3cret" },
      from: "no-reply@id.example",
      clientName: "id.example",
    },
  );
  const implicit = await serverOf({ GATEHOUSE_SMTP_URL: "smtps://[fd00::25]" });
  assert.deepEqual([implicit!.host, implicit!.port, implicit!.tls], ["fd00::25", 465, "implicit"]);
  const plain = await serverOf({
    GATEHOUSE_SMTP_URL: "smtp://10.0.0.25:25",
    GATEHOUSE_SMTP_TLS: "none",
  });
  assert.deepEqual([plain!.port, plain!.tls], [25, "none"]);
});

Deno.test("what cannot be meant is refused, naming the variable and no secret", async () => {
  for (const url of ["mail.example", "http://mail.example", "smtp://user:pw@mail.example"]) {
    await assert.rejects(serverOf({ GATEHOUSE_SMTP_URL: url }), wrong("GATEHOUSE_SMTP_URL"));
  }
  const url = "smtp://mail.example";
  await assert.rejects(
    serverOf({ GATEHOUSE_SMTP_URL: url, GATEHOUSE_MAIL_FROM: "" }),
    wrong("GATEHOUSE_MAIL_FROM"),
  );
  const none = { GATEHOUSE_SMTP_URL: url, GATEHOUSE_SMTP_TLS: "none" };
  const credentials = await file('{"user": "gatehouse", "password": "s3cret"}');
  await assert.rejects(
    serverOf({ ...none, GATEHOUSE_SMTP_CREDENTIALS_FILE: credentials }),
    wrong("GATEHOUSE_SMTP_TLS"),
    "the password would go in the clear",
  );
  await assert.rejects(
    serverOf({ ...none, GATEHOUSE_SMTP_URL: "smtps://mail.example" }),
    wrong("GATEHOUSE_SMTP_TLS"),
  );
  for (
    const text of ["s3cret", '{"user": "gatehouse"}', '{"user": "a", "password": "s3cret", "x": 1}']
  ) {
    await assert.rejects(
      serverOf({ GATEHOUSE_SMTP_URL: url, GATEHOUSE_SMTP_CREDENTIALS_FILE: await file(text) }),
      (error) =>
        wrong("GATEHOUSE_SMTP_CREDENTIALS_FILE")(error) && !String(error).includes("s3cret"),
    );
  }
});
