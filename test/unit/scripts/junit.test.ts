import assert from "node:assert/strict";
import { countJunit } from "../../../scripts/test/junit.ts";

Deno.test("tests are counted over all files of a report, ignored ones not at all", () => {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="9" failures="2" errors="1" time="0.006">
    <testsuite name="./a.test.ts" tests="5" disabled="1" errors="0" failures="2">
        <testcase name="tests=&quot;7&quot;" classname="./a.test.ts" time="0.001"></testcase>
    </testsuite>
    <testsuite name="./b.test.ts" tests="4" disabled="0" errors="1" failures="0">
    </testsuite>
</testsuites>`;
  assert.deepEqual(countJunit(xml), { passed: 5, failed: 3 });
});

Deno.test("no report, no tests", () => {
  assert.deepEqual(countJunit(""), { passed: 0, failed: 0 });
});
