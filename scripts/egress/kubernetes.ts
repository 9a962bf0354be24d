/**
 * Kubernetes: one policy a workload, as JSON, which is YAML too. NetworkPolicy knows addresses only, so names are resolved now; Cilium
 * knows names. Pods are found by `app.kubernetes.io/component`: zitadel, functions, worker. Browsers are no pods.
 */
import {
  addressesOf,
  type Caller,
  callers,
  type Line,
  linesOf,
  type Resolve,
  type Row,
} from "./rows.ts";

const workloads = callers.filter((caller) => caller !== "browser");
const component = "app.kubernetes.io/component";

const named = (caller: Caller) => ({
  name: `gatehouse-egress-${caller}`,
  labels: { "app.kubernetes.io/part-of": "gatehouse" },
});
const list = (items: object[]) =>
  JSON.stringify({ apiVersion: "v1", kind: "List", items }, null, 2) + "\n";
const tcp = (port: number) => ({ protocol: "TCP", port });

/** `namespace` selectors of the cluster's name servers: CoreDNS where nearly everybody has it. */
const nameServers = {
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
  podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
};

export async function renderKubernetes(rows: Row[], resolve: Resolve): Promise<string> {
  const items = await Promise.all(workloads.map(async (caller) => {
    const lines = linesOf(rows.filter((row) => row.caller === caller));
    const egress = await Promise.all(lines.map(async (line) => {
      const addresses = await addressesOf(line, resolve);
      return addresses.length === 0 ? [] : [{
        to: addresses.map((address) => ({ ipBlock: { cidr: cidr(address) } })),
        ports: [tcp(line.port)],
      }];
    }));
    return {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: named(caller),
      spec: {
        podSelector: { matchLabels: { [component]: caller } },
        policyTypes: ["Egress"],
        egress: [
          { to: [nameServers], ports: [{ protocol: "UDP", port: 53 }, tcp(53)] },
          ...egress.flat(),
        ],
      },
    };
  }));
  return list(items);
}

export function renderCilium(rows: Row[]): string {
  return list(workloads.map((caller) => {
    const lines = linesOf(rows.filter((row) => row.caller === caller));
    const names = [...new Set(lines.filter(isName).map(({ host }) => host))];
    return {
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: named(caller),
      spec: {
        endpointSelector: { matchLabels: { [component]: caller } },
        egress: [
          // Cilium learns a name's addresses from the answers that it sees; names off the list are not even resolved.
          ...(names.length === 0 ? [] : [{
            toEndpoints: [{
              matchLabels: {
                "k8s:io.kubernetes.pod.namespace": "kube-system",
                "k8s:k8s-app": "kube-dns",
              },
            }],
            toPorts: [{
              ports: [{ port: "53", protocol: "ANY" }],
              rules: { dns: names.map((matchName) => ({ matchName })) },
            }],
          }]),
          ...lines.map((line) => ({
            ...(isName(line)
              ? { toFQDNs: [{ matchName: line.host }] }
              : { toCIDR: [cidr(line.host)] }),
            toPorts: [{ ports: [{ port: String(line.port), protocol: "TCP" }] }],
          })),
        ],
      },
    };
  }));
}

const isName = ({ family }: Line) => family === undefined;
const cidr = (address: string) => `${address}/${address.includes(":") ? 128 : 32}`;
