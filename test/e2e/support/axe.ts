// WCAG 2.2 AA as far as a program can tell: axe-core, in the page as it stands.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { root } from "../../support/paths.ts";

const source = await Deno.readTextFile(join(root, "node_modules/axe-core/axe.min.js"));
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

/** What other colours alone can change. */
const ofColours = { type: "rule", values: ["color-contrast", "link-in-text-block"] };

/** Fails with each violation, the element and why. `where` stands in front. */
export function assertAccessible(page: Page, where: string): Promise<void> {
  return assertNoViolation(page, where, tags);
}

/** As `assertAccessible`, of a page for which that has held in other colours. */
export function assertReadable(page: Page, where: string): Promise<void> {
  return assertNoViolation(page, where, ofColours);
}

async function assertNoViolation(page: Page, where: string, only: unknown): Promise<void> {
  await page.evaluate(`globalThis.axe ?? (() => { ${source} })()`);
  const violations = await page.evaluate(
    (runOnly) =>
      (globalThis as unknown as {
        axe: { run(on: Document, options: unknown): Promise<{ violations: Violation[] }> };
      }).axe.run(document, { runOnly, resultTypes: ["violations"] })
        .then(({ violations }) => violations),
    only,
  );
  const told = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`)
  );
  assert.deepEqual(told, [], where);
}
