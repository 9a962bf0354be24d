// Everybody outside, for the closed loop: receivers, a SIEM, an OpenID server whose keys are elsewhere, ZITADEL. LISTEN: the address.
const hostname = Deno.env.get("LISTEN")!;
const json = (body: unknown) => Response.json(body);

const answers: Record<number, (request: Request) => Response> = {
  8101: () => json({}), // hooks
  8102: () => json({}), // lake
  8103: () =>
    json({
      issuer: "http://sso.corp.test:8103",
      authorization_endpoint: "http://sso.corp.test:8103/auth",
      token_endpoint: "http://sso.corp.test:8103/token",
      userinfo_endpoint: "http://sso.corp.test:8103/userinfo",
      jwks_uri: "http://keys.corp.test:8104/keys",
      code_challenge_methods_supported: ["S256"],
    }),
  8104: () => json({ keys: [{ kty: "RSA" }] }),
  8105: () => json({ result: [] }), // ZITADEL
  8106: () => json({}), // on no list
};
for (const [port, answer] of Object.entries(answers)) {
  Deno.serve({ hostname, port: Number(port), onListen: () => {} }, answer);
}
const siem = Deno.listen({ hostname, port: 601 });
(async () => {
  for await (const conn of siem) conn.readable.pipeTo(new WritableStream()).catch(() => {});
})();
console.log("ready");
