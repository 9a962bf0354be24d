// The protoc-gen-validate rules that ZITADEL's protos carry, as far as they carry them.
import {
  type DescField,
  type DescMessage,
  type FileRegistry,
  getExtension,
  hasExtension,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";

interface Rules {
  string?: { minLen?: string; maxLen?: string; email?: boolean; ignoreEmpty?: boolean };
  bytes?: { minLen?: string; maxLen?: string };
  bool?: { const?: boolean };
  enum?: { definedOnly?: boolean; notIn?: number[] };
  message?: { required?: boolean };
  timestamp?: { required?: boolean };
  duration?: { required?: boolean; lte?: string; gte?: string; gt?: string; const?: string };
  repeated?: { minItems?: string; maxItems?: string; unique?: boolean; items?: Rules };
}

const rulesOf = new WeakMap<DescField, Rules | null>();

function rules(registry: FileRegistry, field: DescField): Rules | null {
  const known = rulesOf.get(field);
  if (known !== undefined) return known;
  const extension = registry.getExtension("validate.rules");
  const options = field.proto.options;
  let found: Rules | null = null;
  if (extension?.message && options && hasExtension(options, extension)) {
    const value = getExtension(options, extension) as Message;
    found = toJson(extension.message, value, { registry }) as Rules;
  }
  rulesOf.set(field, found);
  return found;
}

/** The first broken rule, such as `Name: value length must be between 1 and 200 runes, inclusive`; null when there is none. */
export function violation(
  registry: FileRegistry,
  descriptor: DescMessage,
  message: Message,
): string | null {
  return inMessage(registry, reflect(descriptor, message));
}

function inMessage(registry: FileRegistry, message: ReflectMessage): string | null {
  if (message.desc.typeName.startsWith("google.protobuf.")) return null;
  for (const field of message.fields) {
    const rule = rules(registry, field);
    const set = message.isSet(field);
    // A field without presence has its default when it was left out, and rules hold for it too.
    const absent = !set && (field.oneof !== undefined || field.proto.proto3Optional ||
      field.fieldKind === "message");
    if (rule && !absent) {
      const broken = inValue(field, rule, message.get(field), registry);
      if (broken) return `${field.name}: ${broken}`;
    }
    if (absent && (rule?.message?.required || rule?.timestamp?.required)) {
      return `${field.name}: value is required`;
    }
    if (!set) continue;
    const nested = nestedMessages(field, message);
    for (const inner of nested) {
      const broken = inMessage(registry, inner);
      if (broken) return `${field.name}.${broken}`;
    }
  }
  return null;
}

function nestedMessages(field: DescField, message: ReflectMessage): ReflectMessage[] {
  if (field.fieldKind === "message") return [message.get(field)];
  if (field.fieldKind === "list" && field.listKind === "message") {
    return [...message.get(field)] as ReflectMessage[];
  }
  return [];
}

function inValue(
  field: DescField,
  rule: Rules,
  value: unknown,
  registry: FileRegistry,
): string | null {
  if (field.fieldKind === "list") {
    const items = [...value as Iterable<unknown>];
    const { minItems, maxItems, unique, items: each } = rule.repeated ?? {};
    if (minItems && items.length < Number(minItems)) return `must contain at least ${minItems}`;
    if (maxItems && items.length > Number(maxItems)) return `must contain no more than ${maxItems}`;
    if (unique && new Set(items).size < items.length) return "must contain unique values";
    for (const item of each ? items : []) {
      const broken = inScalar(field, each!, item);
      if (broken) return `item ${broken}`;
    }
    return null;
  }
  if (field.fieldKind === "message" && rule.duration) {
    return inDuration(rule.duration, (value as ReflectMessage).message, registry, field.message);
  }
  return inScalar(field, rule, value);
}

function inScalar(field: DescField, rule: Rules, value: unknown): string | null {
  if (rule.string && typeof value === "string") {
    const { minLen = "0", maxLen = "Infinity", email, ignoreEmpty } = rule.string;
    if (ignoreEmpty && value === "") return null;
    const length = [...value].length;
    if (length < Number(minLen) || length > Number(maxLen)) {
      return `value length must be between ${minLen} and ${maxLen} runes, inclusive`;
    }
    if (email && !/^[^@\s]+@[^@\s]+$/.test(value)) return "value must be a valid email address";
  }
  if (rule.bytes && value instanceof Uint8Array) {
    const { minLen = "0", maxLen = "Infinity" } = rule.bytes;
    if (value.length < Number(minLen) || value.length > Number(maxLen)) {
      return `value length must be between ${minLen} and ${maxLen} bytes, inclusive`;
    }
  }
  if (rule.enum && field.enum && typeof value === "number") {
    if (rule.enum.definedOnly && !field.enum.value[value]) {
      return "value must be one of the defined enum values";
    }
    if (rule.enum.notIn?.includes(value)) return "value must not be in list";
  }
  if (rule.bool?.const !== undefined && value !== rule.bool.const) {
    return `value must equal ${rule.bool.const}`;
  }
  return null;
}

function inDuration(
  rule: NonNullable<Rules["duration"]>,
  value: Message,
  registry: FileRegistry,
  descriptor: DescMessage,
): string | null {
  const seconds = (text: string) => Number(text.replace(/s$/, ""));
  const given = seconds(toJson(descriptor, value, { registry }) as string);
  if (rule.lte && given > seconds(rule.lte)) return `value must be at most ${rule.lte}`;
  if (rule.gte && given < seconds(rule.gte)) return `value must be at least ${rule.gte}`;
  if (rule.gt && given <= seconds(rule.gt)) return `value must be greater than ${rule.gt}`;
  if (rule.const && given !== seconds(rule.const)) return `value must equal ${rule.const}`;
  return null;
}
