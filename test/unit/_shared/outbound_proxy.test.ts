// Which calls go through a proxy: the forms of NO_PROXY, and the order of the variables.
import assert from "node:assert/strict";
import { ConfigError, parseConfig } from "../../../functions/_shared/config.ts";
import {
  basicAuthorization,
  parseNoProxy,
  parseProxy,
  proxyFor,
} from "../../../functions/_shared/outbound_proxy.ts";

const proxy = { hostname: "proxy.corp", port: 3128 };

function isDirect(noProxy: string, host: string, port = 443): boolean {
  const rules = { https: proxy, http: undefined, except: parseNoProxy(noProxy) };
  return proxyFor({ secure: true, hostname: host, port }, rules) === undefined;
}

const direct: [string, string, number?][] = [
  ["*", "anything.test"],
  ["*", "10.1.2.3"],
  ["corp.test", "corp.test"],
  ["corp.test", "a.b.corp.test"],
  [".corp.test", "a.corp.test"],
  ["*.corp.test", "a.corp.test"],
  ["CORP.test.", "a.corp.test"],
  ["bücher.example", "xn--bcher-kva.example"],
  ["corp.test:8443", "a.corp.test", 8443],
  ["10.0.0.0/8", "10.200.1.1"],
  ["10.0.0.0/8", "::ffff:10.200.1.1"],
  ["10.1.2.3", "10.1.2.3"],
  ["10.1.2.3:8443", "10.1.2.3", 8443],
  ["fd00::/8", "fd12::1"],
  ["fd12::1", "fd12:0:0::1"],
  ["[fd12::1]:8443", "fd12::1", 8443],
  ["a.test, ,\tcorp.test b.test", "corp.test"],
  // whatever stands there
  ["", "localhost"],
  ["", "a.localhost"],
  ["", "127.9.9.9"],
  ["", "::1"],
  ["", "::ffff:127.0.0.1"],
];
const proxied: [string, string, number?][] = [
  ["", "corp.test"],
  ["corp.test", "notcorp.test"],
  ["corp.test", "corp.test.evil.test"],
  ["corp.test", "test"],
  [".corp.test", "corp.test"],
  ["*.corp.test", "corp.test"],
  ["corp.test:8443", "corp.test", 443],
  ["10.0.0.0/8", "11.0.0.1"],
  ["10.0.0.0/8", "intranet.test"], // which the proxy may resolve to 10.1.2.3: it is not asked here
  ["10.1.2.3:8443", "10.1.2.3", 443],
  ["10.1.2", "10.1.2.3"],
  ["2.3", "10.1.2.3"],
  ["fd00::/8", "fe00::1"],
  ["10.0.0.0/33, ://, [, a b/c, x:y:z, corp*.test", "corp.test"], // no entry of these can be read
];

Deno.test("NO_PROXY: what is called directly", () => {
  for (const [entry, host, port] of direct) {
    assert.ok(isDirect(entry, host, port), `${entry} | ${host}:${port ?? 443}`);
  }
});

Deno.test("NO_PROXY: what goes through the proxy all the same", () => {
  for (const [entry, host, port] of proxied) {
    assert.ok(!isDirect(entry, host, port), `${entry} | ${host}:${port ?? 443}`);
  }
});

Deno.test("https and http have a proxy each, and one is no proxy for the other", () => {
  const rules = { https: proxy, http: undefined, except: [] };
  const to = (secure: boolean) => proxyFor({ secure, hostname: "a.test", port: 443 }, rules);
  assert.deepEqual([to(true), to(false)], [proxy, undefined]);
});

const chosen = (environment: Record<string, string>) => {
  const { https, http } = parseConfig(environment).outboundProxies;
  return [https?.hostname, http?.hostname];
};

Deno.test("our own variable comes before all, then the upper case, then the lower", () => {
  const lower = { https_proxy: "http://lower:1", http_proxy: "http://lower:2" };
  const upper = { HTTPS_PROXY: "http://upper:1", HTTP_PROXY: "upper" };
  assert.deepEqual(chosen({}), [undefined, undefined]);
  assert.deepEqual(chosen(lower), ["lower", "lower"]);
  assert.deepEqual(chosen({ ...lower, ...upper }), ["upper", "upper"]);
  assert.deepEqual(chosen({ ...lower, HTTPS_PROXY: "http://upper:1" }), ["upper", "lower"]);
  assert.deepEqual(chosen({ ...lower, HTTPS_PROXY: "  " }), ["lower", "lower"]);
  assert.deepEqual(chosen({ ...upper, GATEHOUSE_OUTBOUND_PROXY: "http://own" }), ["own", "own"]);
  assert.deepEqual(chosen({ ...upper, GATEHOUSE_OUTBOUND_PROXY: "none" }), [undefined, undefined]);
  assert.deepEqual(chosen({ HTTP_PROXY: "only-http" }), [undefined, "only-http"]);
});

Deno.test("NO_PROXY holds for our own variable too; the upper case comes before the lower", () => {
  const { except } = parseConfig({
    GATEHOUSE_OUTBOUND_PROXY: "http://own:3128",
    NO_PROXY: "upper.test",
    no_proxy: "lower.test",
  }).outboundProxies;
  assert.deepEqual(except.map((entry) => entry.kind === "name" && entry.name), ["upper.test"]);
});

Deno.test("a proxy is HOST:PORT with or without http://", () => {
  assert.deepEqual(parseProxy("http://proxy.corp:3128/"), proxy);
  assert.deepEqual(parseProxy("proxy.corp:3128"), proxy);
  assert.deepEqual(parseProxy("proxy.corp"), { ...proxy, port: 80 });
  assert.deepEqual(parseProxy("http://[fd00::1]:3128"), { hostname: "fd00::1", port: 3128 });
  for (const text of ["https://proxy.corp", "socks5://proxy.corp:1080", "http://", "http://a/b"]) {
    assert.throws(() => parseProxy(text), TypeError, text);
  }
});

Deno.test("credentials in a variable are refused, not repeated, and the way for them is named", () => {
  const variables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "GATEHOUSE_OUTBOUND_PROXY"];
  for (const variable of variables) {
    assert.throws(
      () => parseConfig({ [variable]: "http://user:hunter2@proxy.corp:3128" }),
      (error: Error) =>
        error instanceof ConfigError && error.variable === variable &&
        error.message.includes("GATEHOUSE_OUTBOUND_PROXY_AUTH_FILE") &&
        !error.message.includes("hunter2"),
    );
  }
});

Deno.test("the credentials' file holds USER:PASSWORD, and a password may hold anything", () => {
  assert.equal(basicAuthorization("user:p:ä@s"), `Basic ${btoa("user:p:Ã¤@s")}`);
  for (const text of ["user", ":password"]) {
    assert.throws(() => basicAuthorization(text), TypeError);
  }
});
