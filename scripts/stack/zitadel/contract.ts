/**
 * ZITADEL's own protos as the judge of every message: requests are parsed and answers written through the descriptor set.
 * Next: validate.ts (the rules on fields), router.ts (who calls this).
 */
import {
  createFileRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { invalidArgument } from "./errors.ts";
import { violation } from "./validate.ts";

export type Json = Record<string, JsonValue>;

export interface Method {
  /** As in zitadel.org.v2.OrganizationService/AddOrganization. */
  name: string;
  /** As in "POST /v2/organizations [*]"; empty: no REST route. */
  rules: string[];
  /** ZITADEL's own annotation; `authenticated` means that the handler decides. */
  permission: string;
  /** Of the REST route, on success. */
  httpStatus: number;
  input: DescMessage;
  output: DescMessage;
}

const folder = new URL("../../../test/contract/", import.meta.url);
const registry = createFileRegistry(
  fromBinary(
    FileDescriptorSetSchema,
    Deno.readFileSync(new URL("zitadel-v4.13.fds.bin", folder)),
  ),
);

interface Listed {
  svc: string;
  m: string;
  rules: string[];
  perm: string;
  inp: string;
  outp: string;
}

/** All of ZITADEL's methods, by name. */
export const methods: ReadonlyMap<string, Method> = new Map(
  (JSON.parse(
    Deno.readTextFileSync(new URL("zitadel-v4.13-methods.json", folder)),
  ) as Listed[]).map((listed): [string, Method] => {
    const name = `${listed.svc}/${listed.m}`;
    const [permission = "", status] = listed.perm.split(" http:");
    return [name, {
      name,
      rules: listed.rules,
      permission,
      httpStatus: Number(status ?? 200),
      input: message(listed.inp),
      output: message(listed.outp),
    }];
  }),
);

function message(typeName: string): DescMessage {
  const found = registry.getMessage(typeName);
  if (!found) throw new Error(`The descriptor set has no ${typeName}`);
  return found;
}

/** The request in canonical JSON: camel case, enum names, defaults left out. Unknown fields and broken rules are refused. */
export function readRequest(method: Method, json: JsonValue): Json {
  let parsed;
  try {
    parsed = fromJson(method.input, json, { registry, ignoreUnknownFields: false });
  } catch (error) {
    throw invalidArgument(undefined, `proto: ${(error as Error).message}`);
  }
  const broken = violation(registry, method.input, parsed);
  if (broken) throw invalidArgument(undefined, `invalid ${method.input.name}.${broken}`);
  return toJson(method.input, parsed, { registry }) as Json;
}

/** The answer as ZITADEL would write it. Throws when the double made one that ZITADEL could not: a fault of the double. */
export function writeAnswer(method: Method, answer: object): Json {
  const parsed = fromJson(method.output, answer as JsonValue, {
    registry,
    ignoreUnknownFields: false,
  });
  return toJson(method.output, parsed, { registry }) as Json;
}

/** `zitadel.v1.ErrorDetail` and the like as Connect carries them. */
export function packDetail(typeName: string, value: Json): { type: string; value: string } {
  const fields = message(typeName).fields;
  const bytes: number[] = [];
  for (const field of fields) {
    const member = value[field.jsonName];
    if (typeof member === "string" && member !== "") {
      const text = new TextEncoder().encode(member);
      bytes.push(field.number << 3 | 2, ...varint(text.length), ...text);
    } else if (typeof member === "number" && member !== 0) {
      bytes.push(field.number << 3, ...varint(member));
    }
  }
  return {
    type: typeName,
    value: btoa(String.fromCharCode(...bytes)).replace(/=+$/, ""), // Connect writes it without padding
  };
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, ...varint(value >>> 7)];
}
