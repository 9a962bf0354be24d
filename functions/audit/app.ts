/**
 * What needs a sink's secret in the clear once, or a file. Everything else is `audit_sinks` and `audit_exports` at PostgREST.
 * Next: sinks.ts (what a sink may be), sql/30_audit/80_sinks.sql (who may, and the rows).
 */
import { z } from "zod";
import { newApp } from "../_shared/app.ts";
import { authenticate } from "../_shared/auth.ts";
import { body } from "../_shared/body.ts";
import { config } from "../_shared/config.ts";
import { asCaller } from "../_shared/db.ts";
import { type ExportFormat, exportPath } from "../_shared/exports/files.ts";
import { Problem } from "../_shared/problem.ts";
import { openText, seal, toBase64 } from "../_shared/secrets.ts";
import { newWebhookSecret } from "../_shared/signing_keys.ts";
import { HttpSecret, rotateSecret } from "../_shared/sinks/http.ts";
import { sinkSecretPlace } from "../_shared/sinks/secret.ts";
import { NewSink, refuseUnlessReachable, Rotation, secretHeaders } from "./sinks.ts";

export const app = newApp("audit");
app.use("*", authenticate);

/**
 * 201 `{ id, name, kind, settings, enabled, createdAt, signingSecret? }`, the secret of kind http shown this once ·
 * 403 `not_allowed` · 409 `sink_name_taken` · 422 `invalid_request`, `url_refused`, `address_refused`,
 * `sink_file_of_tenant`
 */
app.post("/sinks", async (c) => {
  const wanted = await body(c, NewSink);
  await refuseUnlessReachable(wanted);
  const { tenantId, name, kind, settings, from } = wanted;
  const signingSecret = kind === "http" ? newWebhookSecret() : undefined;
  const sink = await asCaller(c.var.caller, async (sql) => {
    const [made] = await sql<[{ id: string }]>`select private.new_id() as id`;
    const sealed = signingSecret && await seal(
      JSON.stringify({ signingSecret, headers: secretHeaders(wanted) }),
      sinkSecretPlace(tenantId, made.id),
    );
    const { keyId = null, ciphertext = null } = sealed || {};
    const [created] = await sql<[{ sink: Record<string, unknown> }]>`
      select private.create_audit_sink(${tenantId}, ${made.id}, ${name}, ${kind},
        ${sql.json(settings)}, ${from ?? null}::timestamptz, ${keyId}, ${ciphertext}) as sink`;
    return created.sink;
  }, { path: c.req.path });
  return c.json({ ...sink, signingSecret }, 201);
});

/**
 * 200 `{ signingSecret }`, shown this once; the old ones sign on beside it for the overlap · 403 `not_allowed` ·
 * 404 `sink_not_found` · 409 `sink_has_no_secret` · 422 `invalid_request`
 */
app.post("/sinks/:id/rotate", async (c) => {
  const { tenantId, overlapSeconds } = await body(c, Rotation);
  const id = c.req.param("id").toLowerCase();
  if (!z.uuid().safeParse(id).success) {
    throw new Problem("sink_not_found", `There is no sink "${id}"`);
  }
  const place = sinkSecretPlace(tenantId, id);
  const signingSecret = newWebhookSecret();
  await asCaller(c.var.caller, async (sql) => {
    const [{ sealed }] = await sql<[{ sealed: { keyId: string; ciphertext: string } }]>`
      select private.open_sink_secret(${tenantId}, ${id}) as sealed`;
    const ciphertext = Uint8Array.fromBase64(sealed.ciphertext);
    const held = HttpSecret.parse(
      JSON.parse(await openText({ keyId: sealed.keyId, ciphertext }, place)),
    );
    const now = new Date();
    const next = rotateSecret(held, { signingSecret, overlapSeconds, now });
    const anew = await seal(JSON.stringify(next), place);
    await sql`
      select private.rotate_sink_secret(${tenantId}, ${id}, ${anew.keyId}, ${anew.ciphertext},
        ${overlapSeconds})`;
  }, { path: c.req.path });
  return c.json({ signingSecret });
});

interface OpenExport {
  id: string;
  format: ExportFormat;
  sizeBytes: number;
  sha256: string;
}

const contentTypes = { jsonl: "application/jsonl", csv: "text/csv; charset=utf-8; header=present" };

/** 200 the file, with its SHA-256 in `repr-digest` (RFC 9530) · 404 `export_not_found` · 409 `export_not_ready` */
app.get("/exports/:id", async (c) => {
  const id = c.req.param("id").toLowerCase();
  if (!z.uuid().safeParse(id).success) {
    throw new Problem("export_not_found", `There is no export "${id}"`);
  }
  const { format, sizeBytes, sha256 } = await asCaller(c.var.caller, async (sql) => {
    const [row] = await sql<[{ export: OpenExport }]>`
      select private.open_audit_export(${id}) as export`;
    return row.export;
  }, { method: "GET", path: c.req.path });
  const file = await Deno.open(exportPath(config().auditDir, id, format)).catch((cause) => {
    throw new Problem("export_not_found", "Its file is gone", { cause });
  });
  return c.body(file.readable, 200, {
    "content-type": contentTypes[format],
    "content-length": String(sizeBytes),
    "content-disposition": `attachment; filename="audit-${id}.${format}"`,
    "repr-digest": `sha-256=:${toBase64(Uint8Array.fromHex(sha256))}:`,
  });
});
