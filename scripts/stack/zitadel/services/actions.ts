// Actions v2: targets and which events go to them.
import { randomBytes } from "node:crypto";
import { ApiError, failedPrecondition, invalidArgument, notFound } from "../errors.ts";
import type { Target } from "../model.ts";
import { type Call, matches, page, type Pagination, type Service } from "../service.ts";

interface TargetRequest {
  id?: string;
  name?: string;
  endpoint?: string;
  timeout?: string;
  restWebhook?: object;
  restCall?: object;
  restAsync?: object;
  payloadType?: string;
  expirationSigningKey?: string;
}
interface Condition {
  event?: { event?: string; group?: string; all?: boolean };
}

const newSigningKey = () => randomBytes(32).toString("base64url");
const typeOf = ({ restWebhook, restCall, restAsync }: TargetRequest): Target["type"] =>
  JSON.parse(JSON.stringify({ restWebhook, restCall, restAsync }));

export const actions: Service = {
  CreateTarget(call: Call, request: TargetRequest) {
    const { store } = call;
    const id = store.newId();
    const { name = "", endpoint = "", timeout = "0s" } = request;
    if (seconds(timeout) <= 0 || !URL.canParse(endpoint)) {
      throw invalidArgument("COMMAND-NcJUKo", "Errors.Target.InvalidURL");
    }
    store.claim("target", name, id, "Errors.Target.AlreadyExists");
    const at = record(call, "target", id, "target.added", { name, endpoint });
    const signingKey = newSigningKey();
    store.put("target", id, {
      id,
      name,
      endpoint,
      timeoutSeconds: seconds(timeout),
      type: typeOf(request),
      signingKey,
      payloadType: request.payloadType ?? "PAYLOAD_TYPE_JSON",
      createdAt: at,
      changedAt: at,
    });
    return { id, creationDate: at, signingKey };
  },

  UpdateTarget(call: Call, request: TargetRequest & { id: string }) {
    const { store } = call;
    const target = needTarget(call, request.id);
    if (request.name !== undefined && request.name !== target.name) {
      store.claim("target", request.name, target.id, "Errors.Target.AlreadyExists");
      store.release("target", target.name);
    }
    const signingKey = request.expirationSigningKey === undefined ? undefined : newSigningKey();
    const type = typeOf(request);
    const at = record(call, "target", target.id, "target.changed", {
      name: request.name ?? target.name,
    });
    store.patch("target", target.id, {
      name: request.name ?? target.name,
      endpoint: request.endpoint ?? target.endpoint,
      timeoutSeconds: request.timeout === undefined
        ? target.timeoutSeconds
        : seconds(request.timeout),
      type: Object.keys(type).length > 0 ? type : target.type,
      payloadType: request.payloadType ?? target.payloadType,
      ...(signingKey ? { signingKey } : {}),
      changedAt: at,
    });
    return { changeDate: at, ...(signingKey ? { signingKey } : {}) };
  },

  GetTarget: (call: Call, { id }: { id: string }) => {
    const target = call.store.seen("target", id);
    if (!target) throw notFound("QUERY-hj5oaniyrz", "Errors.Target.NotFound");
    return { target: asTarget(target) };
  },

  ListTargets(
    { store }: Call,
    request: {
      pagination?: Pagination;
      filters?: {
        targetNameFilter?: { targetName?: string; method?: string };
        inTargetIdsFilter?: { targetIds?: string[] };
      }[];
    },
  ) {
    const found = store.seenAll("target").filter((target) =>
      (request.filters ?? []).every(({ targetNameFilter: byName, inTargetIdsFilter: byId }) =>
        (!byName || matches(target.name, byName.targetName ?? "", byName.method)) &&
        (!byId || (byId.targetIds ?? []).includes(target.id))
      )
    );
    const { rows, pagination } = page(found, request.pagination);
    return { pagination, targets: rows.map(asTarget) };
  },

  DeleteTarget(call: Call, { id }: { id: string }) {
    const target = call.store.get("target", id);
    if (!target) return { deletionDate: call.store.now() }; // missing is success
    call.store.release("target", target.name);
    call.store.remove("target", id);
    return { deletionDate: record(call, "target", id, "target.removed", { name: target.name }) };
  },

  /** Replaces the list; an empty one removes the execution. */
  SetExecution(
    call: Call,
    { condition = {}, targets = [] }: { condition?: Condition; targets?: string[] },
  ) {
    const { store } = call;
    if (!condition.event) {
      throw new ApiError("unimplemented", undefined, "The double runs executions of events only");
    }
    if (targets.some((id) => !store.get("target", id))) {
      throw failedPrecondition("COMMAND-17e8fq1ggk", "Errors.Target.NotFound");
    }
    const id = executionId(condition);
    const at = record(
      call,
      "execution",
      id,
      targets.length ? "execution.v2.set" : "execution.removed",
      {
        targets: targets.map((target) => ({ type: 2, target })),
      },
    );
    if (targets.length === 0) store.remove("execution", id);
    else {
      store.put("execution", id, {
        id,
        condition: { ...condition },
        targets,
        createdAt: store.get("execution", id)?.createdAt ?? at,
        changedAt: at,
      });
    }
    return { setDate: at };
  },

  ListExecutions(
    { store }: Call,
    request: {
      pagination?: Pagination;
      filters?: {
        inConditionsFilter?: { conditions?: Condition[] };
        targetFilter?: { targetId?: string };
      }[];
    },
  ) {
    const found = store.seenAll("execution").filter((execution) =>
      (request.filters ?? []).every(({ inConditionsFilter: byCondition, targetFilter: byTarget }) =>
        (!byCondition ||
          (byCondition.conditions ?? []).some((one) => executionId(one) === execution.id)) &&
        (!byTarget || execution.targets.includes(byTarget.targetId ?? ""))
      )
    );
    const { rows, pagination } = page(found, request.pagination);
    return {
      pagination,
      executions: rows.map((row) => ({
        condition: row.condition,
        creationDate: row.createdAt,
        changeDate: row.changedAt,
        targets: row.targets,
      })),
    };
  },
};

const seconds = (duration: string) => Number(duration.replace(/s$/, ""));

/** `event/user.human.added`, `event/user.*` for a group, `event` for all. */
function executionId({ event }: Condition): string {
  if (event?.event) return `event/${event.event}`;
  return event?.group ? `event/${event.group}.*` : "event";
}

/** Only the best match runs: the event itself, else the longest group, else all. */
export function executionsFor(type: string): string[] {
  const parts = type.split(".");
  const groups = parts.slice(0, -1).map((_, index) =>
    `event/${parts.slice(0, parts.length - 1 - index).join(".")}.*`
  );
  return [`event/${type}`, ...groups, "event"];
}

function needTarget({ store }: Call, id: string): Target {
  const target = store.get("target", id);
  if (!target) throw notFound("COMMAND-xj14f2cccn", "Errors.Target.NotFound");
  return target;
}

function record(
  call: Call,
  aggregateType: string,
  id: string,
  type: string,
  payload: Record<string, unknown>,
) {
  return call.store.push(call.caller.userId, [
    { aggregateType, aggregateId: id, type, resourceOwner: call.instance.id, payload },
  ]);
}

function asTarget(target: Target): object {
  return {
    id: target.id,
    creationDate: target.createdAt,
    changeDate: target.changedAt,
    name: target.name,
    ...target.type,
    timeout: `${target.timeoutSeconds}s`,
    endpoint: target.endpoint,
    signingKey: target.signingKey,
    payloadType: target.payloadType,
  };
}
