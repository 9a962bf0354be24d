// One signed event that says it is a test, sent at once through the door. Nothing is recorded: it is no event of the tenant.
import { OutboundError, send } from "../_shared/outbound.ts";
import { signWebhook } from "../_shared/signing.ts";
import { traceparent } from "../_shared/telemetry.ts";
import { openHeaders, openSecrets } from "../_shared/webhook_secrets.ts";
import type { OpenEndpoint } from "./app.ts";

export interface TestResult {
  delivered: boolean;
  /** Null: there was no answer, and `errorClass` says why. */
  status: number | null;
  durationMs: number;
  errorClass: string | null;
  /** The first 1 000 characters. */
  responseBody: string | null;
}

export async function sendTestEvent(
  tenantId: string,
  endpointId: string,
  { url, headers, secrets }: OpenEndpoint,
): Promise<TestResult> {
  const keys = await openSecrets(secrets, tenantId, endpointId);
  const added = await openHeaders(headers, tenantId, endpointId);
  const id = crypto.randomUUID();
  const now = new Date();
  const body = JSON.stringify({
    type: "webhook_endpoint.test",
    timestamp: now.toISOString(),
    data: { endpoint_id: endpointId },
    id,
    tenant_id: tenantId,
    version: 1,
  });
  const timestampSeconds = Math.floor(now.getTime() / 1000);
  const parent = traceparent();
  const startedAt = performance.now();
  try {
    const answer = await send({
      url,
      body,
      headers: {
        ...added,
        "content-type": "application/json",
        ...(parent ? { traceparent: parent } : {}),
        ...signWebhook({ id, timestampSeconds, body }, keys),
      },
    });
    return {
      delivered: answer.status >= 200 && answer.status < 300,
      status: answer.status,
      durationMs: answer.durationMs,
      errorClass: null,
      responseBody: new TextDecoder().decode(answer.body).slice(0, 1000),
    };
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    return {
      delivered: false,
      status: null,
      durationMs: Math.round(performance.now() - startedAt),
      errorClass: error.errorClass,
      responseBody: null,
    };
  }
}
