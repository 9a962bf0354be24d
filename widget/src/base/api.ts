/** The widget function's JSON API as the elements call it. `api` is the address of the `widget` function. */
import type { Action, Answer, Open, Opened, State } from "../../../functions/widget/contract.ts";

/** A refusal, known by its slug alone: texts are the widget's own. */
export class ApiProblem extends Error {
  constructor(readonly slug: string) {
    super(slug);
  }
}

export interface FlowApi {
  open(input: Open): Promise<Opened>;
  act(action: Action): Promise<State>;
}

/** One flow. What it has proven travels in `flow`, which stays in this closure: no storage of the page ever has it. */
export function flowApi(api: string): FlowApi {
  let flow = "";
  // Our own page is bound by its cookie; inline nothing but `flow` counts, so nothing else is sent.
  const credentials = new URL(api).origin === location.origin ? "same-origin" : "omit";
  const call = async <T extends Answer>(path: string, input: unknown): Promise<T> => {
    const headers: Record<string, string> = flow === "" ? {} : { "x-gatehouse-flow": flow };
    const answer = await callApi<T>(api, path, { input, headers, credentials });
    flow = answer.flow;
    return answer;
  };
  return {
    open: (input) => call<Opened>("flows/open", input),
    act: async (action) => (await call("flows/act", action)).state,
  };
}

/** @throws {ApiProblem} with the problem's slug; `offline` when nothing answers, `other` when what answers is not ours */
export async function callApi<T>(
  api: string,
  path: string,
  { input, headers = {}, credentials = "same-origin" }: {
    input?: unknown;
    headers?: Record<string, string>;
    credentials?: RequestCredentials;
  } = {},
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(new URL(path, api), {
      ...input === undefined ? {} : {
        method: "POST",
        body: JSON.stringify(input),
      },
      headers: input === undefined ? headers : { ...headers, "content-type": "application/json" },
      credentials,
      cache: "no-store",
    });
  } catch {
    throw new ApiProblem("offline");
  }
  const answer = await response.json().catch(() => undefined) as T & { type?: string } | undefined;
  if (!response.ok || answer === undefined) {
    throw new ApiProblem(answer?.type?.split(":").pop() || "other");
  }
  return answer;
}
