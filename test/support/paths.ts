import { dirname, join } from "node:path";

/** The top of the checkout. */
export const root = dirname(dirname(import.meta.dirname!));

/** A file beside this one. */
export function fromFileUrl(name: string): string {
  return join(import.meta.dirname!, name);
}
