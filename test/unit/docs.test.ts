// The papers say what is there: links, paths, commands, variables, test ids and slugs are held to the tree.
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { parseConfig } from "../../functions/_shared/config.ts";
import { ZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import type { ZitadelCode } from "../../functions/_shared/zitadel/errors.ts";
import { faultOf } from "../../functions/provision/fault.ts";
import { functionNames } from "../../functions/main/app.ts";
import { instanceSteps } from "../../functions/provision/instance.ts";
import { tenantSteps } from "../../functions/provision/steps/tenant.ts";
import type { TenantState } from "../../functions/provision/state.ts";
import { errorsFile, errorsPage, problemGroups, stepSlugs } from "../../scripts/docs.ts";
import { accessAttacks } from "../sql/attacks_access.ts";
import { endpointAttacks } from "../sql/attacks_endpoints.ts";
import { functionAttacks } from "../sql/attacks_functions.ts";
import { linkAttacks } from "../sql/attacks_links.ts";
import { privateAttacks } from "../sql/attacks_private.ts";
import { rowAttacks } from "../sql/attacks_rows.ts";
import { tokenCases } from "../sql/attacks_tokens.ts";
import { root } from "../support/paths.ts";

const read = (path: string) => Deno.readTextFileSync(join(root, path));
const papers = [...walk(root)].filter((path) => path.endsWith(".md"))
  .map((path) => relative(root, path));
/** The papers whose words about the tree are held to it. */
const held = papers.filter((path) => !path.startsWith("policies/"));

Deno.test("docs/errors.md is up to date (else: deno task docs), and every slug has a meaning", () => {
  assert.equal(Deno.readTextFileSync(errorsFile), errorsPage());
  const mute = problemGroups().flatMap(({ slugs }) => slugs).filter(({ means }) => means === "");
  assert.deepEqual(mute.map(({ slug }) => slug), []);
});

Deno.test("every slug that a step of provisioning can end with is in docs/errors.md", () => {
  const customer = { tenant: { kind: "customer", status: "active" } } as TenantState;
  const codes: ZitadelCode[] = [
    ...["canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found"] as const,
    ...["already_exists", "permission_denied", "resource_exhausted", "aborted"] as const,
    ...["failed_precondition", "out_of_range", "unimplemented", "internal", "data_loss"] as const,
    ...["unavailable", "unauthenticated", "non_compliant"] as const,
  ];
  const refusals = [...instanceSteps, ...tenantSteps(customer)].map((step) => step.refusals);
  const slugs = refusals.flatMap((refusal) =>
    codes.map((code) => faultOf(new ZitadelError({ code, message: "" }), refusal)!.slug)
  );
  const text = read("functions/provision/steps/app.ts"); // its refusals are for each application, not the step's alone
  const named = [...text.matchAll(/: "(\w+_\w+)",/g)].map(([, slug]) => slug!);
  const unknown = [...slugs, ...named].filter((slug) => !(slug in stepSlugs));
  assert.deepEqual([...new Set(unknown)], []);
});

Deno.test("every relative link leads somewhere, its heading included", () => {
  const broken = papers.flatMap((paper) =>
    [...read(paper).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)]
      .map(([, link, source]) => link ?? source!)
      .filter((link) => !/^(https?|mailto):/.test(link))
      .filter((link) => !leadsSomewhere(paper, link))
      .map((link) => `${paper}: ${link}`)
  );
  assert.deepEqual(broken, []);
});

function leadsSomewhere(paper: string, link: string): boolean {
  const [path = "", heading] = link.split("#");
  const target = path === "" ? paper : join(dirname(paper), path);
  if (!exists(target)) return false;
  if (heading === undefined) return true;
  const anchors = [...read(target).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-")
  );
  return anchors.includes(heading);
}

Deno.test("every path in backticks is there", () => {
  const tops = [...Deno.readDirSync(root)].map(({ name }) => name);
  const missing = held.flatMap((paper) =>
    spans(paper)
      .filter((text) => /^\.?[\w-]+(\/[\w.@*<>-]*)+$/.test(text) || /^[\w-]+\.\w+$/.test(text))
      .filter((text) => !/[<>]/.test(text))
      .filter((text) => !text.startsWith(".stack/")) // made by a start, not in the checkout
      .filter((text) => tops.includes(text.split("/")[0]!))
      .filter((text) => !exists(text.replace(/\/?\*.*$/, "")))
      .map((text) => `${paper}: ${text}`)
  );
  assert.deepEqual(missing, []);
});

Deno.test("every command is there", () => {
  const { tasks } = JSON.parse(read("deno.json"));
  const { scripts } = JSON.parse(read("package.json"));
  const missing = held.flatMap((paper) =>
    [...code(paper).matchAll(/\b(deno task|npm run|npm) (?:-q )?([\w:-]+)/g)]
      .filter(([, tool, name]) =>
        tool === "deno task"
          ? !(name! in tasks)
          : !(name! in scripts) && !["ci", "install", "i"].includes(name!)
      )
      .map(([command]) => `${paper}: ${command}`)
  );
  assert.deepEqual(missing, []);
});

Deno.test("supabase/config.toml declares every function", () => {
  const declared = [...read("supabase/config.toml").matchAll(/^\[functions\.([\w-]+)\]$/gm)];
  assert.deepEqual(declared.map(([, name]) => name).sort(), [...functionNames].sort());
});

Deno.test("docs/operations.md names every variable of the configuration, and no other", () => {
  const known = variables();
  const named = new Set(
    [...read("docs/operations.md").matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name!),
  );
  assert.deepEqual([...named].sort(), [...known].sort());
  assert.doesNotThrow(() => parseConfig({}));
});

function variables(): Set<string> {
  const source = read("functions/_shared/config.ts");
  return new Set([...source.matchAll(/^ {2}([A-Z_]+): /gm)].map(([, name]) => name!));
}

/** Their numbers are their places: one that is added in the middle moves the others, so the ranges are counted too. */
const numbered = [
  ...[
    ...tokenCases,
    ...accessAttacks,
    ...rowAttacks,
    ...privateAttacks,
    ...functionAttacks,
    ...endpointAttacks,
    ...linkAttacks,
  ],
].map(({ id }) => id);

Deno.test("every test id in SECURITY.md is a test", () => {
  const tests = [...walk(join(root, "test"))].filter((path) => path.endsWith(".ts"))
    .map((path) => Deno.readTextFileSync(path)).concat(numbered).join("\n");
  const ids = [...read("SECURITY.md").matchAll(/\b(?!AES)[A-Z]{2,5}-\d{2,3}\b/g)].map(([id]) => id);
  assert.ok(ids.length > 20);
  assert.deepEqual(ids.filter((id) => !new RegExp(`\\b${id}\\b`).test(tests)), []);
});

Deno.test("every attack stands at a threat in SECURITY.md", () => {
  const covered = new Set(
    [...read("SECURITY.md").matchAll(/\b([A-Z]+)-(\d+) to \1-(\d+)/g)].flatMap((range) => {
      const [, kind, from, to] = range;
      const count = Number(to) - Number(from) + 1;
      return Array.from(
        { length: count },
        (_, i) => `${kind}-${String(Number(from) + i).padStart(2, "0")}`,
      );
    }),
  );
  const lost = numbered.filter((id) => !id.startsWith("WHO-") && !covered.has(id)); // WHO: who comes in as whom
  assert.deepEqual(lost, []);
});

/** Blocks of code and what stands in backticks. */
function code(paper: string): string {
  const blocks = read(paper).match(/^```[\s\S]*?^```/gm) ?? [];
  return [...blocks, ...spans(paper)].join("\n");
}

/** What stands in backticks, outside of blocks of code. */
function spans(paper: string): string[] {
  const text = read(paper).replaceAll(/^```[\s\S]*?^```/gm, "");
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(join(root, path));
    return true;
  } catch {
    return false;
  }
}

function* walk(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (name === "node_modules" || name === "dist" || (name.startsWith(".") && name !== ".ci")) {
      continue;
    }
    if (isDirectory) yield* walk(join(folder, name));
    else yield join(folder, name);
  }
}
