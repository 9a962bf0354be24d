// Data of customers' events by their schema. The validator walks, it compiles nothing: no eval, so it runs in any runtime.
import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import { type Fault, Problem } from "../_shared/problem.ts";

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

const maxDepth = 32;
const maxFaults = 20;
/** Values × parts of the schema; measured at 1.7 µs each in the worst case. */
const maxSteps = 500_000;

/** @throws {Problem} invalid_request where Postgres or a reader could not hold it. */
export function requireStorable(parts: Record<string, Json>): void {
  const fault = findFault(parts, "#", 0);
  if (fault) {
    throw new Problem("invalid_request", "The event cannot be stored as it is", {
      pointers: [fault],
    });
  }
}

function findFault(value: Json, pointer: string, depth: number): Fault | undefined {
  if (depth > maxDepth) return { pointer, detail: `Nested deeper than ${maxDepth}` };
  if (typeof value === "string") return badText(value) ? { pointer, detail: textFault } : undefined;
  if (typeof value === "number" && !Number.isFinite(value)) {
    return { pointer, detail: "The number is too large" };
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, one] of Object.entries(value)) {
    if (badText(name)) return { pointer, detail: textFault };
    const escaped = encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
    const fault = findFault(one, `${pointer}/${escaped}`, depth + 1);
    if (fault) return fault;
  }
  return undefined;
}

const textFault = "The text holds U+0000 or half of a surrogate pair";
const badText = (text: string) => text.includes("\0") || !text.isWellFormed();

/** @throws {Problem} event_data_refused with one pointer a fault */
export function requireValid(data: Record<string, Json>, schema: Json): void {
  if (countParts(data) * countParts(schema) > maxSteps) {
    throw new Problem("event_data_refused", "The data has too many values for its schema");
  }
  // The first fault is found soonest; all of them are looked for only when there is one.
  if (new Validator(schema as Schema, "2020-12").validate(data).valid) return;
  const { errors } = new Validator(schema as Schema, "2020-12", false).validate(data);
  throw new Problem("event_data_refused", "The data is not as the schema of its type says", {
    pointers: errors.filter(isItself).slice(0, maxFaults).map(faultOf),
  });
}

function countParts(value: Json): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, one) => sum + countParts(one), 1);
}

/** Not that something beneath is wrong, nor what was wrong in one branch of several. */
function isItself({ keyword, keywordLocation }: OutputUnit): boolean {
  return !["properties", "items", "prefixItems", "additionalProperties", "allOf"].includes(
    keyword,
  ) &&
    !/\/(anyOf|oneOf|not)\//.test(keywordLocation);
}

function faultOf({ instanceLocation, keyword, error }: OutputUnit): Fault {
  return {
    pointer: `#/data${instanceLocation.slice(1)}`,
    detail: keyword === "false" ? "This member is not known here" : error.replace(/\.$/, ""),
  };
}
