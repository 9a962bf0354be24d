import { settleDelaysMs, sleep } from "./call.ts";
import { type ZitadelCode, ZitadelError } from "./errors.ts";
import type { Ensured } from "./types.ts";

/** ZITADEL refuses more than 1000; its default of 100 would cut lists silently. */
export const pageLimit = 1000;

/** Answers null where ZITADEL answers `not_found`. */
export async function orNull<T>(read: Promise<T>): Promise<T | null> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof ZitadelError && error.code === "not_found") return null;
    throw error;
  }
}

/** Reads until there is something, as long as a projection may lag (3.5 s in all). */
export async function awaited<T>(read: () => Promise<T | null>): Promise<T | null> {
  for (const delayMs of settleDelaysMs) {
    const found = await read();
    if (found !== null) return found;
    await sleep(delayMs);
  }
  return await read();
}

/** True when this write, or one before it, made the thing; false when the refusal says that it is there already. */
export async function written(
  write: Promise<unknown>,
  code: ZitadelCode,
  ...ids: string[]
): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    const agreed = error instanceof ZitadelError && error.code === code &&
      (ids.length === 0 || ids.includes(error.id ?? ""));
    if (!agreed) throw error;
    return false;
  }
}

/**
 * An update that ZITADEL may refuse because nothing would change: our read was older than its store. Its ids for that are
 * many, so the refusal is believed when a later read shows what was asked for; otherwise it is thrown.
 */
export async function updated(
  write: Promise<unknown>,
  asAsked: () => Promise<boolean>,
): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (!(error instanceof ZitadelError) || error.code !== "failed_precondition") throw error;
    if (!await awaited(async () => (await asAsked()) || null)) throw error;
    return false;
  }
}

/** Every page of a list. */
export async function listAll<T>(
  page: (pagination: { offset: string; limit: number; asc: true }) => Promise<T[] | undefined>,
): Promise<T[]> {
  const all: T[] = [];
  for (;;) {
    const rows = await page({ offset: String(all.length), limit: pageLimit, asc: true }) ?? [];
    all.push(...rows);
    if (rows.length < pageLimit) return all;
  }
}

export const sameSet = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((item) => b.includes(item));

export const anyChanged = (id: string, changes: boolean[]): Ensured => ({
  id,
  changed: changes.includes(true),
});
