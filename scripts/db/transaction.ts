// A migration says begin and commit itself: the Supabase CLI runs a file statement by statement and adds no transaction.
// migrate.ts opens one for each file, in which it also writes the history, so there the two words fall away.

/** The text of a migration file whose statements are one transaction; `head` is its first comment. */
export function wrapTransaction(head: string, statements: string): string {
  return `-- ${head}\nbegin;\n\n${statements.trim()}\n\ncommit;\n`;
}

/** The same text without its own begin and commit; what follows stays on its line. */
export function unwrapTransaction(text: string): string {
  const wrapped = /^((?:\s*--[^\n]*\n)*\s*)begin;([^]*)commit;(\s*)$/;
  return text.replace(wrapped, "$1      $2       $3");
}
