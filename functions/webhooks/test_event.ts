// One signed event that never happened, sent at once through the door, as the worker would send it (_worker/delivery.ts).
import { OutboundError, send } from "../_shared/outbound.ts";
import { signWebhook } from "../_shared/signing.ts";
import { traceparent } from "../_shared/telemetry.ts";
import {
  openHeaders,
  openSecrets,
  type SealedSecret,
  type SealedText,
} from "../_shared/webhook_secrets.ts";

/** As `private.begin_webhook_test` gives it. */
export interface TestEvent {
  url: string;
  headers: SealedText | null;
  secrets: SealedSecret[];
  /** The `webhook-id`. */
  eventId: string;
  /** The exact bytes to sign and send. */
  body: string;
}

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
  { url, headers, secrets, eventId, body }: TestEvent,
): Promise<TestResult> {
  const keys = await openSecrets(secrets, tenantId, endpointId);
  const added = await openHeaders(headers, tenantId, endpointId);
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const parent = traceparent();
  const startedAt = performance.now();
  try {
    const answer = await send({
      url,
      body,
      headers: {
        ...added,
        "content-type": "application/json",
        "user-agent": "Gatehouse-Webhooks/1",
        ...(parent ? { traceparent: parent } : {}),
        ...signWebhook({ id: eventId, timestampSeconds, body }, keys),
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
