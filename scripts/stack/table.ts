import type { Facts } from "./stack.ts";

/** The addresses and credentials of a stack that is ready, as people read them. */
export function table(facts: Facts, stackFile: string): string {
  const { admin, tenant } = facts.demo;
  const rows: [string, string][] = [
    ["Portal", facts.portalUrl],
    ["REST API", facts.restUrl],
    ["Functions", facts.functionsUrl],
    ["Issuer (double of ZITADEL)", facts.issuer],
    ["Webhooks received", `${facts.webhookSinkUrl}/requests`],
    ["Mails sent", facts.mailUrl],
    ["Administrator", `${admin.login}  ${admin.password}`],
    ...(tenant
      ? [
        ["Demo storefront", facts.storefrontUrl],
        ["  its visitor", `${tenant.user.login}  ${tenant.user.password}`],
        [`  administrator of ${tenant.slug}`, `${tenant.admin.login}  ${tenant.admin.password}`],
      ] satisfies [string, string][]
      : []),
    ["All of it, and more", stackFile],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    "",
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    "",
    "  Ctrl-C stops everything; the data stays.",
    "",
  ].join("\n");
}
