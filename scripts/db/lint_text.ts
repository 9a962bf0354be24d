// The form of SQL text: lower case, 100 columns of code, no tabs. Comments and the texts of `comment on` may run longer.
import { relative } from "node:path";
import type { Offence } from "./lint.ts";
import { root } from "./paths.ts";

const keywords =
  /\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|GRANT|REVOKE|TABLE|FUNCTION|TRIGGER|POLICY|FROM|WHERE|RETURNS|LANGUAGE|BEGIN|END|NOT|NULL|PRIMARY|REFERENCES|VALUES|USING|AND|OR)\b/;

export function lintText(path: string, text: string): Offence[] {
  const name = relative(root, path);
  return text.split("\n").flatMap((line, index) => {
    const code = withoutComment(line);
    const at = `${name}:${index + 1}`;
    return [
      ...(code.trimEnd().length > 100 && !isProse(code)
        ? [{ rule: "a line of SQL has 100 columns at most", offender: at }]
        : []),
      ...(keywords.test(withoutTexts(code))
        ? [{ rule: "SQL is written in lower case", offender: at }]
        : []),
      ...(/\t|\s$/.test(line)
        ? [{ rule: "a line has no tab and no space at its end", offender: at }]
        : []),
    ];
  });
}

/** A line that only carries a text to its reader. */
function isProse(code: string): boolean {
  return /^\s*(comment on .* is )?'([^']|'')*'[;,)]?\s*$/.test(code) ||
    /^\s*(then |detail = |perform private\.refuse\().*'/.test(code);
}

function withoutComment(line: string): string {
  return line.replace(/^((?:[^'-]|'(?:[^']|'')*'|-(?!-))*)--.*$/, "$1");
}

function withoutTexts(code: string): string {
  return code.replaceAll(/'(?:[^']|'')*'?/g, "''").replaceAll(/"[^"]*"/g, '""');
}
