import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type AddressKind,
  type AddressRules,
  contains,
  kindOf,
  mayConnect,
  parseAddress,
  parseNetwork,
} from "../../../functions/_shared/addresses.ts";

const none: AddressRules = { embedded: false, allowed: [] };
const everything: AddressRules = {
  embedded: false,
  allowed: ["0.0.0.0/0", "::/0"].map(parseNetwork),
};
const bytes = (text: string) => parseAddress(text) ?? assert.fail(`"${text}" is no address`);

const kinds: Record<AddressKind, string[]> = {
  public: ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"],
  private: [
    ...["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "198.18.0.1"],
    ...["192.0.2.1", "203.0.113.9", "fc00::1", "fd12::1", "2001:db8::1", "5f00::1", "4000::1"],
    ...["::ffff:10.0.0.1", "64:ff9b::10.0.0.1"],
  ],
  local: [
    ...["127.0.0.1", "127.255.255.254", "::1", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1"],
    ...["64:ff9b::169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"],
  ],
  never: [
    ...["0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"],
    ...["::", "ff02::1", "fec0::1", "100::1", "2002:7f00:1::", "2001::1", "::127.0.0.1"],
    ...["::ffff:0:127.0.0.1", "64:ff9b:1::1", "2606:4700::5efe:127.0.0.1", "::ffff:0.0.0.0"],
    "2606:4700::200:5efe:10.0.0.1",
  ],
};

Deno.test("each special range has its kind", () => {
  for (const [kind, addresses] of Object.entries(kinds)) {
    for (const address of addresses) assert.equal(kindOf(bytes(address)), kind, address);
  }
});

Deno.test("no configuration allows what is never allowed", () => {
  for (const address of kinds.never) {
    assert.equal(mayConnect(bytes(address), { ...everything, embedded: true }), false, address);
  }
});

Deno.test("this machine and its link are allowed in the embedded profile only", () => {
  for (const address of kinds.local) {
    assert.equal(mayConnect(bytes(address), everything), false, address);
    assert.equal(mayConnect(bytes(address), { ...everything, embedded: true }), true, address);
    assert.equal(mayConnect(bytes(address), { ...none, embedded: true }), false, address);
  }
});

Deno.test("a private network is allowed when configuration names it, and only that one", () => {
  const rules = { embedded: false, allowed: [parseNetwork("10.1.0.0/16")] };
  assert.equal(mayConnect(bytes("10.1.2.3"), rules), true);
  assert.equal(mayConnect(bytes("::ffff:10.1.2.3"), rules), true);
  assert.equal(mayConnect(bytes("64:ff9b::10.1.2.3"), rules), true);
  assert.equal(mayConnect(bytes("10.2.0.1"), rules), false);
});

Deno.test("only a plain address is an address", () => {
  const refused = [
    ...["", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.01", "256.0.0.1", "1.2.3"],
    ...["1.2.3.4.5", "fe80::1%eth0", "[::1]", ":::", "1::2::3", "localhost", "1.2.3.4/8", "::g"],
  ];
  for (const text of refused) assert.equal(parseAddress(text), null, text);
});

Deno.test("a network is an address and a length that fits it", () => {
  for (
    const text of [
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/-1",
      "x/8",
      "::/129",
      "10/8",
      "1.1.1.1/8/8",
    ]
  ) {
    assert.throws(() => parseNetwork(text), TypeError, text);
  }
  assert.equal(parseNetwork("10.0.0.1").prefix, 32);
});

const v4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((p) => p.join("."));
const hex = (address: Uint8Array) =>
  Array.from(address, (byte) => byte.toString(16).padStart(2, "0")).join("");

Deno.test("property: an IPv4 address is judged alike in every form that reaches it", () => {
  fc.assert(fc.property(v4, fc.boolean(), (address, embedded) => {
    const rules = { embedded, allowed: ["127.0.0.0/8", "10.0.0.0/8"].map(parseNetwork) };
    const plain = mayConnect(bytes(address), rules);
    assert.equal(mayConnect(bytes(`::ffff:${address}`), rules), plain);
    assert.equal(mayConnect(bytes(`64:ff9b::${address}`), rules), plain);
  }));
});

Deno.test("property: tunnels that carry an IPv4 address are never allowed", () => {
  fc.assert(fc.property(v4, (address) => {
    const [a, b, c, d] = bytes(address) as unknown as [number, number, number, number];
    const group = (high: number, low: number) => ((high << 8) | low).toString(16);
    const forms = [
      `2002:${group(a, b)}:${group(c, d)}::1`,
      `2001:0:${group(a, b)}:${group(c, d)}::1`,
      `::ffff:0:${address}`,
    ];
    for (const form of forms) {
      assert.equal(mayConnect(bytes(form), { ...everything, embedded: true }), false, form);
    }
  }));
});

Deno.test("property: parsing an IPv6 address keeps its bytes", () => {
  const raw = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(fc.property(raw, (address) => {
    const text = hex(address).match(/.{4}/g)!.join(":");
    assert.equal(hex(bytes(text)), hex(address));
  }));
});

Deno.test("property: a network contains exactly what shares its first bits", () => {
  const raw = fc.uint8Array({ minLength: 4, maxLength: 4 });
  const bits = (address: Uint8Array) =>
    Array.from(address, (byte) => byte.toString(2).padStart(8, "0")).join("");
  fc.assert(fc.property(raw, raw, fc.nat(32), (network, address, prefix) => {
    const expected = bits(network).slice(0, prefix) === bits(address).slice(0, prefix);
    assert.equal(contains({ bytes: network, prefix }, address), expected);
  }));
});
