// v1 Admin and Management: writing the policies.
import { alreadyExists, noChanges, notFound } from "../errors.ts";
import type { Policy } from "../model.ts";
import { type Call, details, type Service } from "../service.ts";
import { type PolicyKind, policyOf } from "./policies.ts";
import { rekeyUserNames } from "./user_names.ts";

type Values = Record<string, unknown>;
const objectDetails = (owner: string, { changedAt, createdAt }: Policy) =>
  details(owner, changedAt, createdAt);

/** Fields of the message that left out their default are that default. */
function filled(kind: PolicyKind, values: Values): Values {
  const zero: Record<PolicyKind, Values> = {
    domain: {
      userLoginMustBeDomain: false,
      validateOrgDomains: false,
      smtpSenderAddressMatchesInstanceDomain: false,
    },
    login: {},
    lockout: { maxPasswordAttempts: 0, maxOtpAttempts: 0 },
    complexity: {
      minLength: 0,
      hasUppercase: false,
      hasLowercase: false,
      hasNumber: false,
      hasSymbol: false,
    },
  };
  return { ...zero[kind], ...values };
}

const eventNames: Record<PolicyKind, string> = {
  domain: "policy.domain",
  login: "policy.login",
  lockout: "policy.lockout",
  complexity: "policy.password.complexity",
};

function write(
  call: Call,
  owner: string,
  kind: PolicyKind,
  given: Values,
  verb: "added" | "changed",
) {
  const { store, caller, instance } = call;
  const values = filled(kind, given);
  const id = `${owner}/${kind}`;
  const known = store.get("policy", id);
  if (verb === "added" && known) {
    throw alreadyExists(
      kind === "login" ? "Org-Dgfb2" : "DOUBLE-policyExists",
      "Errors.Org.PolicyAlreadyExists",
    );
  }
  if (verb === "changed" && !known) {
    throw notFound("DOUBLE-policyMissing", "Errors.Org.PolicyNotExisting");
  }
  const same = known && JSON.stringify(filled(kind, known.values)) === JSON.stringify(values);
  if (same) throw noChanges();
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
  const wide = kind === "lockout" || kind === "complexity" ? texts(policy.values) : policy.values;
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
    write(call, "instance", "complexity", values, "changed"),
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
};

function existing({ store }: Call, orgId: string): string {
  if (!store.get("organization", orgId)) throw notFound("ORG-1MRds", "Errors.Org.NotFound");
  return orgId;
}
