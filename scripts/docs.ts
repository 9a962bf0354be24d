/**
 * Writes docs/errors.md from functions/_shared/problems.ts, outbound_error.ts and sinks/sink.ts, where every slug stands with its meaning, and
 * docs/events.md from the table event_types of a throw-away database, and docs/openapi.json from the widget's schemas.
 *
 * Usage: `deno task docs`; test/unit/docs.test.ts, test/unit/openapi.test.ts and test/sql/30_audit_catalogue.test.ts say when it was forgotten.
 */
import { join, relative } from "node:path";
import { migratedDatabase, withSql } from "./db/throwaway.ts";
import { eventsFile, eventsPage, readEventTypes } from "./docs/events.ts";
import { openapiFile, openapiText } from "./docs/openapi.ts";
import { root } from "./stack/layout.ts";

export const errorsFile = join(root, "docs/errors.md");

export interface Slug {
  slug: string;
  status: string;
  /** The comment behind it; empty when somebody forgot. */
  means: string;
}

/** The table of problems by its headings, as functions/_shared/problems.ts has them. */
export function problemGroups(): { title: string; slugs: Slug[] }[] {
  const found: { title: string; slugs: Slug[] }[] = [];
  const source = read("functions/_shared/problems.ts");
  for (const line of source.slice(source.indexOf("export const problems = {")).split("\n")) {
    const title = /^ {2}\/\/ (.+)$/.exec(line)?.[1];
    if (title) found.push({ title: title[0]!.toUpperCase() + title.slice(1), slugs: [] });
    const [, slug, status, means = ""] = /^ {2}(\w+): (\d{3}),(?: \/\/ (.+))?$/.exec(line) ?? [];
    if (slug && status) found.at(-1)!.slugs.push({ slug, status, means });
  }
  return found;
}

/** What `last_error.slug` says, functions/provision/fault.ts and the `refusals` of its steps. */
export const stepSlugs: Record<string, string> = {
  name_taken: "ZITADEL has an organization or project of that name: rename the tenant",
  name_refused: "ZITADEL takes no such name: rename the tenant",
  administrator_refused: "ZITADEL takes no such person, or no such password",
  user_name_taken: "the organization has a person of that name already",
  app_name_taken: "the project has an application of that name already",
  app_refused: "ZITADEL takes no such application",
  hint_refused:
    "ZITADEL may not call our address: its deny list names that network; events are then polled only",
  provider_secret_missing:
    "ZITADEL has no such provider, and making one takes its secret: give it once more",
  provider_name_taken:
    "the organization has a provider of that name and another kind, made by hand",
  provider_refused: "ZITADEL takes no such provider",
  provider_host_outside:
    "the installation is offline, and a host of the provider lies outside its networks",
  redirect_uri_refused: "with these addresses ZITADEL would never sign anybody in",
  zitadel_refused: "refused, for a reason that the step does not know",
  zitadel_unreachable: "ZITADEL did not answer",
  zitadel_busy: "ZITADEL has too much to do",
  zitadel_failed: "ZITADEL failed inside",
  zitadel_denied: "our credential may not do this: look at the provisioner's token",
  zitadel_not_found: "what an earlier step made is gone: the next run makes it again",
};

export function errorsPage(): string {
  const classes = read("functions/_shared/outbound_error.ts")
    .matchAll(/^ {2}\| "(\w+)";?(?: \/\/ (.+))?$/gm);
  const sinkSlugs = read("functions/_shared/sinks/sink.ts")
    .matchAll(/^ {2}\| "(\w+)";?(?: \/\/ (.+))?$/gm);
  return [
    head,
    ...problemGroups().map(({ title, slugs }) =>
      table(
        `## ${title}`,
        ["Slug", "Status", "Means"],
        slugs.map(({ slug, status, means }) => [`\`${slug}\``, status, means]),
      )
    ),
    steps,
    table(
      "",
      ["Slug", "Means"],
      Object.entries(stepSlugs).map(([slug, why]) => [`\`${slug}\``, why]),
    ),
    receivers,
    table("", ["Class", "Means"], [...classes].map(([, name, why = ""]) => [`\`${name}\``, why])),
    sinks,
    table("", ["Slug", "Means"], [...sinkSlugs].map(([, name, why = ""]) => [`\`${name}\``, why])),
  ].join("\n\n") + "\n";
}

const head = `# Errors

Written by \`deno task docs\` from [problems.ts](../functions/_shared/problems.ts); do not edit.

Match slug and status, never the text. A slug is not renamed once it has shipped.

| who answers | where the slug is |
|---|---|
| functions | \`application/problem+json\` (RFC 9457): \`type\` is \`urn:gatehouse:problem:<slug>\`. From 500 on there is no \`detail\`, only \`request_id\` |
| PostgREST, raised by us | \`message\` is the slug, \`details\` the sentence, \`code\` is \`PT\` and the status |
| PostgREST, a constraint | \`message\` names the constraint, and the constraint's name is the slug; \`code\` is Postgres's own: 23505 with status 409, 23514 with status 400 (functions answer 422) |
| PostgREST, no right | \`code\` 42501: a policy or a missing grant refused; status 403, for nobody 401 |`;

const steps = `## Steps of provisioning

In \`last_error\` of \`provisioning_steps\`, \`apps\` and \`providers\`, as \`{slug, detail, at}\`; \`detail\` ends with ZITADEL's own code and id. What begins with
\`zitadel_\`, but for \`zitadel_refused\`, is tried again by itself. The others wait for a change of the row, or for \`rpc/reconcile_tenant\`.`;

const receivers = `## Calls to receivers

In \`webhook_attempts.error_class\` where there was no HTTP status, and in the answer of a test event.`;

const sinks = `## Audit sinks

In \`last_error\` of \`audit_sinks\`, beside the classes above, as \`{slug, detail, at}\`. A sink is tried for ever: nothing is dropped meanwhile but by retention, which is on record.`;

function table(title: string, names: string[], rows: string[][]): string {
  return [
    ...title === "" ? [] : [title, ""],
    `| ${names.join(" | ")} |`,
    `|${"---|".repeat(names.length)}`,
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ].join("\n");
}

function read(path: string): string {
  return Deno.readTextFileSync(join(root, path));
}

if (import.meta.main) {
  Deno.writeTextFileSync(errorsFile, errorsPage());
  await using database = await migratedDatabase();
  Deno.writeTextFileSync(eventsFile, eventsPage(await withSql(database.url, readEventTypes)));
  Deno.writeTextFileSync(openapiFile, openapiText());
  for (const file of [errorsFile, eventsFile, openapiFile]) console.log(relative(root, file));
}
