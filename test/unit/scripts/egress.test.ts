// The egress list as each firewall reads it.
import assert from "node:assert/strict";
import { Ajv } from "ajv";
import { renderCilium, renderKubernetes } from "../../../scripts/egress/kubernetes.ts";
import { renderNftables } from "../../../scripts/egress/nftables.ts";
import { linesOf, parseRows } from "../../../scripts/egress/rows.ts";
import { renderList, renderSquid } from "../../../scripts/egress/text.ts";

const rows = parseRows([
  { host: "hooks.acme.example", port: 443, scheme: "https", caller: "worker", reason: "webhook 1" },
  {
    host: "hooks.acme.example",
    port: 443,
    scheme: "https",
    caller: "functions",
    reason: "webhook 1",
  },
  {
    host: "hooks.acme.example",
    port: 8443,
    scheme: "https",
    caller: "worker",
    reason: "webhook 2",
  },
  { host: "10.0.0.7", port: 636, scheme: "ldaps", caller: "zitadel", reason: "provider dir" },
  { host: "fd00::7", port: 443, scheme: "https", caller: "zitadel", reason: "provider six" },
  { host: "bücher.example", port: 443, scheme: "https", caller: "zitadel", reason: "provider ü" },
]);
const known: Record<string, string[]> = {
  "hooks.acme.example": ["203.0.113.9", "203.0.113.5", "2001:db8::5"],
  "xn--bcher-kva.example": ["203.0.113.5"],
};
const resolve = (host: string) => Promise.resolve(known[host] ?? []);

Deno.test("one line is one host and port, with all its reasons; names are ASCII", () => {
  assert.deepEqual(
    renderList(linesOf(rows)).trimEnd().split("\n").map((line) => line.split("\t").slice(0, 2)),
    [
      ["10.0.0.7", "636"],
      ["fd00::7", "443"],
      ["hooks.acme.example", "443"],
      ["hooks.acme.example", "8443"],
      ["xn--bcher-kva.example", "443"],
    ],
  );
});

Deno.test("a name that a tenant chose writes no rule", () => {
  const reason = 'provider x\nhttp_access allow all\n"; }';
  const [row] = parseRows([{ ...rows[0], reason }]);
  const squid = renderSquid(linesOf([row!]));
  assert.equal(squid.split("\n").filter((line) => line.startsWith("http_access allow")).length, 1);
  assert.ok(!squid.includes('"'));
  for (const host of ["a b", "x;y", "$(id)", "", "a\nb"]) {
    assert.throws(() => parseRows([{ ...rows[0], host }]), host);
  }
});

Deno.test("Squid gets pairs of host and port, and a last word", () => {
  const squid = renderSquid(linesOf(rows)).trimEnd().split("\n");
  assert.equal(
    squid.filter((line) => /^http_access allow gatehouse_clients \S+ \S+$/.test(line)).length,
    5,
  );
  assert.ok(squid.includes("acl gatehouse_2_host dst fd00::7"));
  assert.ok(squid.includes("acl gatehouse_3_host dstdomain -n hooks.acme.example"));
  assert.equal(squid.at(-1), "http_access deny gatehouse_clients");
});

Deno.test("nftables gets addresses, each pair once, by family", async () => {
  const text = await renderNftables(linesOf(rows), resolve);
  const elements = [...text.matchAll(/^ {6}(\S+ \. \d+)/gm)].map(([, element]) => element);
  assert.deepEqual(elements, [
    "10.0.0.7 . 636",
    "203.0.113.5 . 443",
    "203.0.113.9 . 443",
    "203.0.113.5 . 8443",
    "203.0.113.9 . 8443",
    "fd00::7 . 443",
    "2001:db8::5 . 443",
    "2001:db8::5 . 8443",
  ]);
  const nowhere = await renderNftables(linesOf(rows), () => Promise.resolve([]));
  assert.match(nowhere, /^# hooks\.acme\.example has no address now$/m);
  if (Deno.uid() !== 0) return; // nft asks the kernel even to check
  const file = await Deno.makeTempFile({ suffix: ".nft" });
  await Deno.writeTextFile(file, text);
  const nft = new Deno.Command("nft", { args: ["-c", "-f", file], stderr: "piped" });
  const checked = await nft.output().catch(() => null); // not installed: CI has it
  await Deno.remove(file);
  if (checked) assert.equal(new TextDecoder().decode(checked.stderr), "");
});

/** As much of the API's schema as a policy for egress uses (k8s.io/api/networking/v1), closed: a misspelt field is found. */
const object = (properties: object, required = Object.keys(properties)) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});
const string = { type: "string" };
const list = (items: object) => ({ type: "array", items });
const selector = object({ matchLabels: { type: "object", additionalProperties: string } });
const metadata = object({ name: { pattern: "^[a-z0-9-]{1,63}$" }, labels: { type: "object" } });
const peers = list(
  object(
    { ipBlock: object({ cidr: string }), namespaceSelector: selector, podSelector: selector },
    [],
  ),
);

Deno.test("Kubernetes gets one policy a workload, by the API's own shape", async () => {
  const { items } = JSON.parse(await renderKubernetes(rows, resolve));
  const policy = object({
    apiVersion: { const: "networking.k8s.io/v1" },
    kind: { const: "NetworkPolicy" },
    metadata,
    spec: object({
      podSelector: selector,
      policyTypes: { const: ["Egress"] },
      egress: list(object({
        to: { ...peers, minItems: 1 }, // none would mean everywhere
        ports: {
          ...list(object({ protocol: { enum: ["TCP", "UDP"] }, port: { type: "integer" } })),
          minItems: 1,
        },
      })),
    }),
  });
  const valid = new Ajv({ strict: false }).compile(policy);
  for (const item of items) assert.ok(valid(item), JSON.stringify(valid.errors));
  assert.deepEqual(items.map((item: { metadata: { name: string } }) => item.metadata.name), [
    "gatehouse-egress-zitadel",
    "gatehouse-egress-functions",
    "gatehouse-egress-worker",
  ]);
  const worker = items[2].spec.egress.slice(1);
  assert.deepEqual(worker.map((rule: { ports: { port: number }[] }) => rule.ports[0]!.port), [
    443,
    8443,
  ]);
  const [zitadel] = JSON.parse(await renderKubernetes(rows, () => Promise.resolve([]))).items;
  assert.equal(zitadel.spec.egress.length, 3, "a name that leads nowhere opens nothing");
});

Deno.test("Cilium gets names as names, and lets only those be resolved", () => {
  const { items } = JSON.parse(renderCilium(rows));
  const ports = list(object({
    ports: list(object({ port: { pattern: "^[0-9]+$" }, protocol: { enum: ["TCP", "ANY"] } })),
    rules: object({ dns: list(object({ matchName: string })) }),
  }, ["ports"]));
  const policy = object({
    apiVersion: { const: "cilium.io/v2" },
    kind: { const: "CiliumNetworkPolicy" },
    metadata,
    spec: object({
      endpointSelector: selector,
      egress: list(object({
        toFQDNs: list(object({ matchName: string })),
        toCIDR: list(string),
        toEndpoints: list(selector),
        toPorts: ports,
      }, ["toPorts"])),
    }),
  });
  const valid = new Ajv({ strict: false }).compile(policy);
  for (const item of items) assert.ok(valid(item), JSON.stringify(valid.errors));
  const [dns, ...rules] = items[0].spec.egress;
  assert.deepEqual(dns.toPorts[0].rules.dns, [{ matchName: "xn--bcher-kva.example" }]);
  assert.deepEqual(
    rules.map((rule: { toFQDNs?: object; toCIDR?: object }) => rule.toFQDNs ?? rule.toCIDR),
    [
      ["10.0.0.7/32"],
      ["fd00::7/128"],
      [{ matchName: "xn--bcher-kva.example" }],
    ],
  );
});
