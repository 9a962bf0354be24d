// Takes a file of SQL apart as the Supabase CLI does before it writes the pieces into its history table.

const lexeme =
  /(?<=[eE])'(?:\\[^]|''|[^'\\])*'|'(?:''|[^'])*'|"[^"]*"|(\$[A-Za-z_]*\$)[^]*?\1|--[^\n]*|\/\*[^]*?\*\/|;/g;

/** The statements of a file, each with the comments before it and without its semicolon. */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let start = 0;
  for (const { 0: found, index } of text.matchAll(lexeme)) {
    if (found !== ";") continue;
    statements.push(text.slice(start, index));
    start = index + 1;
  }
  statements.push(text.slice(start));
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== "");
}

/**
 * What two readings of one file have in common however it was taken apart: everything but blank space and semicolons.
 * So history written by another version of the CLI still counts as unchanged.
 */
export function fingerprint(statements: string[]): string {
  return statements.join("").replaceAll(/[\s;]/g, "");
}
