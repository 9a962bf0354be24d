/**
 * Seals what was committed: leaves in SQL, then signatures and a checkpoint for each tenant whose log grew, pushed outside.
 * A loop, every second, so within 5 s of the commit. Without GATEHOUSE_AUDIT_KEY_FILE it seals and signs nothing.
 *
 * Next: sql/30_audit/40_seal.sql, functions/_shared/audit/sealer.ts.
 */
import { checkpointFile } from "../../_shared/audit/checkpoint_file.ts";
import { readAuditKeys } from "../../_shared/audit/keys.ts";
import { type Sealer, sealer } from "../../_shared/audit/sealer.ts";
import { type Config, config, readSecretFile } from "../../_shared/config.ts";
import { log } from "../../_shared/telemetry.ts";
import { drain, Nothing, type Task, task, type TaskContext } from "../task.ts";

/** Leaves under one checkpoint, of one tenant and at most: each costs a write to the disk, here and in the database. */
const signedAtOnce = 2_000;

/** `settings` is asked when the task first runs. */
export function auditSeal(settings: () => Config = config): Task {
  let signer: Promise<Sealer | null> | undefined;
  return task(Nothing, async (_payload, { sql, stopping }) => {
    await drain(2_000, stopping, async (limit) => {
      const [row] = await sql<[{ n: number }]>`select private.seal_events(${limit}) as n`;
      return row.n;
    });
    signer ??= openSealer(settings(), sql).catch((error) => {
      signer = undefined;
      throw error;
    });
    const signing = await signer;
    if (signing === null) return;
    while (await signing.sign(signedAtOnce) > 0 && !stopping.aborted);
  });
}

async function openSealer(settings: Config, sql: TaskContext["sql"]): Promise<Sealer | null> {
  if (!settings.has("GATEHOUSE_AUDIT_KEY_FILE")) {
    log("warn", "GATEHOUSE_AUDIT_KEY_FILE is not set: the log is sealed and not signed");
    return null;
  }
  const { auditKeyFile, publicUrl } = settings;
  return sealer({
    sql,
    publicUrl,
    keys: readAuditKeys(await readSecretFile("GATEHOUSE_AUDIT_KEY_FILE", auditKeyFile)),
    outside: settings.has("GATEHOUSE_AUDIT_CHECKPOINT_FILE")
      ? checkpointFile(settings.auditCheckpointFile)
      : undefined,
  });
}

export default auditSeal();
