// v1 Admin and Management: writing the policies.
import { alreadyExists, noChanges, notFound } from "../errors.ts";
import type { Policy } from "../model.ts";
import { type Call, details, type Service } from "../service.ts";
import { defaultPolicies, type PolicyKind, policyOf } from "./policies.ts";
import { rekeyUserNames } from "./user_names.ts";

type Values = Record<string, unknown>;
const objectDetails = (owner: string, { changedAt, createdAt }: Policy) =>
  details(owner, changedAt, createdAt);

/** Fields of the message that left out their default are that default; of a login policy they stay out. */
function filled(kind: PolicyKind, values: Values): Values {
  if (kind === "login") return values;
  const zero = Object.entries(defaultPolicies[kind]).map(([name, value]) =>
    [name, typeof value === "number" ? 0 : typeof value === "string" ? "" : false] as const
  );
  return { ...Object.fromEntries(zero), ...values };
}

/** Second and multi factors are changed by methods of their own: an update leaves them alone. */
function withFactors(kind: PolicyKind, values: Values, known: Policy | undefined): Values {
  if (kind !== "login" || known === undefined) return values;
  const { secondFactors = [], multiFactors = [] } = known.values;
  return { ...values, secondFactors, multiFactors };
}

const canonical = (values: Values) =>
  JSON.stringify(Object.entries(values).sort(([a], [b]) => a < b ? -1 : 1));

const eventNames: Record<PolicyKind, string> = {
  domain: "policy.domain",
  login: "policy.login",
  lockout: "policy.lockout",
  complexity: "policy.password.complexity",
  age: "policy.password.age",
  privacy: "policy.privacy",
};

function write(
  call: Call,
  owner: string,
  kind: PolicyKind,
  given: Values,
  verb: "added" | "changed",
) {
  const { store, caller, instance } = call;
  const id = `${owner}/${kind}`;
  const known = store.get("policy", id);
  const values = withFactors(kind, filled(kind, given), known);
  if (verb === "added" && known) {
    throw alreadyExists(
      kind === "login" ? "Org-Dgfb2" : "DOUBLE-policyExists",
      "Errors.Org.PolicyAlreadyExists",
    );
  }
  if (verb === "changed" && !known) {
    throw notFound("DOUBLE-policyMissing", "Errors.Org.PolicyNotExisting");
  }
  if (known && canonical(filled(kind, known.values)) === canonical(values)) throw noChanges();
  const before = kind === "domain"
    ? rekeyUserNames(store, owner, values.userLoginMustBeDomain === true)
    : null;
  const onInstance = owner === "instance";
  const at = store.push(caller.userId, [{
    aggregateType: onInstance ? "instance" : "org",
    aggregateId: onInstance ? instance.id : owner,
    type: `${onInstance ? "instance" : "org"}.${eventNames[kind]}.${verb}`,
    resourceOwner: onInstance ? instance.id : owner,
    payload: values,
  }]);
  const policy: Policy = { id, values, createdAt: known?.createdAt ?? at, changedAt: at };
  store.put("policy", id, policy);
  before?.();
  return { details: objectDetails(onInstance ? instance.id : owner, policy) };
}

function reset({ store, caller }: Call, owner: string, kind: PolicyKind) {
  const known = store.get("policy", `${owner}/${kind}`);
  if (!known) throw notFound("DOUBLE-policyMissing", "Errors.Org.PolicyNotExisting");
  const rekey = kind === "domain"
    ? rekeyUserNames(
      store,
      owner,
      policyOf(store, undefined, "domain").values.userLoginMustBeDomain === true,
    )
    : null;
  store.remove("policy", known.id);
  rekey?.();
  const at = store.push(caller.userId, [{
    aggregateType: "org",
    aggregateId: owner,
    type: `org.${eventNames[kind]}.removed`,
    resourceOwner: owner,
  }]);
  return { details: details(owner, at) };
}

function read({ store, instance }: Call, owner: string | undefined, kind: PolicyKind) {
  const policy = policyOf(store, owner, kind, true);
  const wide = kind === "login" ? policy.values : texts(policy.values);
  return {
    policy: {
      ...wide,
      isDefault: policy.isDefault,
      details: objectDetails(policy.isDefault ? instance.id : owner ?? instance.id, policy),
    },
  };
}

/** 64-bit numbers are text in JSON. */
const texts = (values: Values) =>
  Object.fromEntries(
    Object.entries(values).map((
      [key, value],
    ) => [key, typeof value === "number" ? String(value) : value]),
  );

const numbers = (values: Values) =>
  Object.fromEntries(
    Object.entries(values).map((
      [key, value],
    ) => [key, typeof value === "string" ? Number(value) : value]),
  );

type FactorList = "secondFactors" | "multiFactors";

/** Adds or removes one kind of factor. [S] internal/command/org_policy_login.go */
function changeFactor(
  { store, caller, instance }: Call,
  owner: string,
  list: FactorList,
  type: string,
  verb: "added" | "removed",
) {
  const known = store.get("policy", `${owner}/login`);
  if (!known) throw notFound("DOUBLE-policyMissing", "Errors.Org.LoginPolicy.NotFound");
  const present = (known.values[list] ?? []) as string[];
  if (present.includes(type) === (verb === "added")) {
    throw verb === "added"
      ? alreadyExists("DOUBLE-factorExists", "Errors.Org.LoginPolicy.MFA.AlreadyExists")
      : notFound("DOUBLE-factorMissing", "Errors.Org.LoginPolicy.MFA.NotExisting");
  }
  const onInstance = owner === "instance";
  const resourceOwner = onInstance ? instance.id : owner;
  const name = list === "secondFactors" ? "secondfactor" : "multifactor";
  const at = store.push(caller.userId, [{
    aggregateType: onInstance ? "instance" : "org",
    aggregateId: resourceOwner,
    type: `${onInstance ? "instance" : "org"}.policy.login.${name}.${verb}`,
    resourceOwner,
    payload: { mfaType: type },
  }]);
  const values = {
    ...known.values,
    [list]: verb === "added" ? [...present, type] : present.filter((one) => one !== type),
  };
  store.put("policy", known.id, { ...known, values, changedAt: at });
  return { details: details(resourceOwner, at) };
}

const factorMethods = (ownerOf: (call: Call) => string): Service => ({
  AddSecondFactorToLoginPolicy: (call: Call, { type }: { type: string }) =>
    changeFactor(call, ownerOf(call), "secondFactors", type, "added"),
  RemoveSecondFactorFromLoginPolicy: (call: Call, { type }: { type: string }) =>
    changeFactor(call, ownerOf(call), "secondFactors", type, "removed"),
  AddMultiFactorToLoginPolicy: (call: Call, { type }: { type: string }) =>
    changeFactor(call, ownerOf(call), "multiFactors", type, "added"),
  RemoveMultiFactorFromLoginPolicy: (call: Call, { type }: { type: string }) =>
    changeFactor(call, ownerOf(call), "multiFactors", type, "removed"),
});

export const adminPolicies: Service = {
  GetDomainPolicy: (call: Call) => read(call, undefined, "domain"),
  UpdateDomainPolicy: (call: Call, values: Values) =>
    write(call, "instance", "domain", values, "changed"),
  GetCustomDomainPolicy(call: Call, { orgId }: { orgId: string }) {
    const answer = read(call, orgId, "domain");
    return { ...answer, isDefault: answer.policy.isDefault };
  },
  AddCustomDomainPolicy: (call: Call, { orgId, ...values }: Values & { orgId: string }) =>
    write(call, existing(call, orgId), "domain", values, "added"),
  UpdateCustomDomainPolicy: (call: Call, { orgId, ...values }: Values & { orgId: string }) =>
    write(call, existing(call, orgId), "domain", values, "changed"),
  ResetCustomDomainPolicyToDefault: (call: Call, { orgId }: { orgId: string }) =>
    reset(call, orgId, "domain"),
  GetLoginPolicy: (call: Call) => read(call, undefined, "login"),
  UpdateLoginPolicy: (call: Call, values: Values) =>
    write(call, "instance", "login", values, "changed"),
  GetLockoutPolicy: (call: Call) => read(call, undefined, "lockout"),
  UpdateLockoutPolicy: (call: Call, values: Values) =>
    write(call, "instance", "lockout", values, "changed"),
  GetPasswordComplexityPolicy: (call: Call) => read(call, undefined, "complexity"),
  UpdatePasswordComplexityPolicy: (call: Call, values: Values) =>
    write(call, "instance", "complexity", numbers(values), "changed"),
  GetPasswordAgePolicy: (call: Call) => read(call, undefined, "age"),
  UpdatePasswordAgePolicy: (call: Call, values: Values) =>
    write(call, "instance", "age", values, "changed"),
  GetPrivacyPolicy: (call: Call) => read(call, undefined, "privacy"),
  UpdatePrivacyPolicy: (call: Call, values: Values) =>
    write(call, "instance", "privacy", values, "changed"),
  ...factorMethods(() => "instance"),
};

/** Management is about the organization of `x-zitadel-orgid`, else the caller's own. */
const own = ({ caller }: Call) => caller.organizationId;
const readOwn = (call: Call, kind: PolicyKind) => {
  const answer = read(call, own(call), kind);
  return { ...answer, isDefault: answer.policy.isDefault };
};

export const managementPolicies: Service = {
  GetLoginPolicy: (call: Call) => readOwn(call, "login"),
  AddCustomLoginPolicy: (call: Call, values: Values) =>
    write(call, own(call), "login", values, "added"),
  UpdateCustomLoginPolicy: (call: Call, values: Values) =>
    write(call, own(call), "login", values, "changed"),
  ResetLoginPolicyToDefault: (call: Call) => reset(call, own(call), "login"),
  GetLockoutPolicy: (call: Call) => readOwn(call, "lockout"),
  AddCustomLockoutPolicy: (call: Call, values: Values) =>
    write(call, own(call), "lockout", values, "added"),
  UpdateCustomLockoutPolicy: (call: Call, values: Values) =>
    write(call, own(call), "lockout", values, "changed"),
  ResetLockoutPolicyToDefault: (call: Call) => reset(call, own(call), "lockout"),
  GetPasswordComplexityPolicy: (call: Call) => readOwn(call, "complexity"),
  AddCustomPasswordComplexityPolicy: (call: Call, values: Values) =>
    write(call, own(call), "complexity", numbers(values), "added"),
  UpdateCustomPasswordComplexityPolicy: (call: Call, values: Values) =>
    write(call, own(call), "complexity", numbers(values), "changed"),
  ResetPasswordComplexityPolicyToDefault: (call: Call) => reset(call, own(call), "complexity"),
  GetPasswordAgePolicy: (call: Call) => readOwn(call, "age"),
  AddCustomPasswordAgePolicy: (call: Call, values: Values) =>
    write(call, own(call), "age", values, "added"),
  UpdateCustomPasswordAgePolicy: (call: Call, values: Values) =>
    write(call, own(call), "age", values, "changed"),
  ResetPasswordAgePolicyToDefault: (call: Call) => reset(call, own(call), "age"),
  GetPrivacyPolicy: (call: Call) => readOwn(call, "privacy"),
  AddCustomPrivacyPolicy: (call: Call, values: Values) =>
    write(call, own(call), "privacy", values, "added"),
  UpdateCustomPrivacyPolicy: (call: Call, values: Values) =>
    write(call, own(call), "privacy", values, "changed"),
  ResetPrivacyPolicyToDefault: (call: Call) => reset(call, own(call), "privacy"),
  ...factorMethods(own),
};

function existing({ store }: Call, orgId: string): string {
  if (!store.get("organization", orgId)) throw notFound("ORG-1MRds", "Errors.Org.NotFound");
  return orgId;
}
