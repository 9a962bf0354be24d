/** The widget function's JSON API as the element calls it. `api` is the address of the `widget` function. */

export interface Flow {
  appName: string;
  tenantName: string;
  loginHint?: string;
  /** Ways to sign in that the organization allows. */
  allowed: { password: boolean };
}

/** A refusal, known by its slug alone: texts are the widget's own. */
export class ApiProblem extends Error {
  constructor(readonly slug: string) {
    super(slug);
  }
}

export function getFlow(api: string, authRequest: string): Promise<Flow> {
  return call(api, `flows/${encodeURIComponent(authRequest)}`);
}

/** Answers the address to go to with the code. */
export function sendPassword(
  api: string,
  input: { authRequest: string; loginName: string; password: string },
): Promise<{ callbackUrl: string }> {
  return call(api, "flows/password", input);
}

async function call<T>(api: string, path: string, input?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(new URL(path, api), {
      method: input === undefined ? "GET" : "POST",
      headers: input === undefined ? {} : { "content-type": "application/json" },
      body: input === undefined ? undefined : JSON.stringify(input),
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    throw new ApiProblem("offline");
  }
  const answer = await response.json().catch(() => ({})) as T & { type?: string };
  if (!response.ok) throw new ApiProblem(answer.type?.split(":").pop() || "other");
  return answer;
}
