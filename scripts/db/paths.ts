import { dirname, join } from "node:path";

/** The top of the checkout. */
export const root = dirname(dirname(import.meta.dirname!));
/** History: what operators run. */
export const migrations = join(root, "supabase/migrations");
/** Declarations: the database as it should be. */
export const declarations = [join(root, "sql"), join(root, "policies")];
