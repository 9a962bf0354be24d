// What a sink may be told, and the door's rules that need no look-up; what a name resolves to is judged at each connection.
import { z } from "zod";
import { door, OutboundError } from "../_shared/outbound.ts";
import { Problem } from "../_shared/problem.ts";
import { FileSettings } from "../_shared/sinks/file.ts";
import { HttpSettings } from "../_shared/sinks/http.ts";
import { SyslogSettings } from "../_shared/sinks/syslog.ts";

/** As the database writes it: the secret is sealed for this tenant, letter by letter. */
const TenantId = z.uuid().toLowerCase();
const common = {
  /** The platform tenant's id: the log of every tenant goes there. */
  tenantId: TenantId,
  name: z.string().min(1).max(200),
  /** What was recorded from then on is sent too. Default: from now on. */
  from: z.iso.datetime({ offset: true }).optional(),
};
/** These frame or sign the request. */
const reserved =
  /^(host|connection|content-.*|proxy-.*|transfer-encoding|expect|upgrade|te|trailer|keep-alive|user-agent|accept-encoding|webhook-.*)$/i;
const HeaderName = z.string().regex(/^[\w-]{1,100}$/).refine(
  (name) => !reserved.test(name),
  "This header is ours",
);
const HeaderValue = z.string().max(4000).regex(/^[\x20-\x7e]*$/, "Expected printable ASCII");

export const NewSink = z.discriminatedUnion("kind", [
  z.strictObject({
    ...common,
    kind: z.literal("http"),
    settings: HttpSettings,
    /** Sent with each request and kept sealed, such as a receiver's `authorization`. */
    headers: z.record(HeaderName, HeaderValue).optional(),
  }),
  z.strictObject({ ...common, kind: z.literal("syslog"), settings: SyslogSettings }),
  z.strictObject({ ...common, kind: z.literal("file"), settings: FileSettings }),
]);
export type NewSink = z.output<typeof NewSink>;

export const Rotation = z.strictObject({
  tenantId: TenantId,
  /** How long the old secret signs beside the new one. Default a day, a week at most. */
  overlapSeconds: z.int().min(0).max(604_800).default(86_400),
});

export const secretHeaders = (sink: NewSink) => sink.kind === "http" ? sink.headers ?? {} : {};

/** @throws {Problem} url_refused, address_refused */
export async function refuseUnlessReachable(sink: NewSink): Promise<void> {
  try {
    if (sink.kind === "http") (await door()).checkUrl(sink.settings.url);
    if (sink.kind === "syslog") (await door()).checkHost(sink.settings);
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    const pointer = sink.kind === "http" ? "#/settings/url" : "#/settings/host";
    throw new Problem(error.errorClass, error.message, {
      pointers: [{ pointer, detail: error.message }],
      cause: error,
    });
  }
}
