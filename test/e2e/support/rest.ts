// PostgREST as a token's holder sees it.
import assert from "node:assert/strict";

export interface Answer {
  status: number;
  body: unknown;
}

export type Row = Record<string, unknown>;

/** GET or, with `input`, POST below restUrl. */
export function restAs(restUrl: string, token: string) {
  const ask = async (path: string, input?: unknown): Promise<Answer> => {
    const response = await fetch(`${restUrl}/${path}`, {
      method: input === undefined ? "GET" : "POST",
      headers: {
        authorization: `Bearer ${token}`,
        ...(input === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(input === undefined ? {} : { body: JSON.stringify(input) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  };
  return {
    ask,
    async rows(path: string): Promise<Row[]> {
      const { status, body } = await ask(path);
      assert.equal(status, 200, `GET ${path}: ${JSON.stringify(body)}`);
      return body as Row[];
    },
  };
}

/** The refusal's slug, which PostgREST gives as `message`. */
export function slugOf({ body }: Answer): string {
  return String((body as { message?: unknown } | null)?.message);
}
