// How many tests passed and failed, by Deno's report.

export interface Count {
  passed: number;
  failed: number;
}

/** Counts the tests and steps of Deno's report; what was ignored counts nowhere. */
export function countJunit(xml: string): Count {
  const count = { passed: 0, failed: 0 };
  for (const [suite] of xml.matchAll(/<testsuite\s[^>]*>/g)) {
    const number = (name: string) =>
      Number(new RegExp(`\\s${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
    const failed = number("failures") + number("errors");
    count.failed += failed;
    count.passed += number("tests") - failed - number("disabled");
  }
  return count;
}
