/**
 * Seals what was committed: leaves in SQL, then signatures and a checkpoint for each tenant whose log grew, pushed outside.
 * A loop, every second, so within 5 s of the commit while no transaction holds up the sequencer; says so when it is late.
 * Without GATEHOUSE_AUDIT_KEY_FILE it seals and signs nothing.
 *
 * Next: sql/30_audit/40_seal.sql, functions/_shared/audit/sealer.ts.
 */
import { checkpointFile } from "../../_shared/audit/checkpoint_file.ts";
import { readAuditKeys } from "../../_shared/audit/keys.ts";
import { type Sealer, sealer } from "../../_shared/audit/sealer.ts";
import { type Config, config, readSecretFile } from "../../_shared/config.ts";
import { SealWatch } from "../../_shared/audit/seal_watch.ts";
import { log } from "../../_shared/telemetry.ts";
import { Nothing, type Task, task, type TaskContext } from "../task.ts";

/** Leaves made, then signed, in turn. Of one tenant they are one checkpoint, which costs a write to the disk, here and in the database. */
const portion = 2_000;

/** `settings` is asked when the task first runs. */
export function auditSeal(settings: () => Config = config): Task {
  let signer: Promise<Sealer | null> | undefined;
  const watch = new SealWatch();
  return task(Nothing, async (_payload, { sql, now, stopping }) => {
    let signing: Sealer | null = null;
    /** Of signing: leaves are made all the same. */
    let failure: { error: unknown } | undefined;
    const tried = async (step: () => Promise<unknown>) => {
      try {
        if (!failure) await step();
      } catch (error) {
        failure = { error };
      }
    };
    const look = () =>
      watch.look(sql, now(), {
        signed: settings().has("GATEHOUSE_AUDIT_KEY_FILE"),
        without: signing?.refused ?? [],
      });
    await tried(async () => {
      signer ??= openSealer(settings(), sql).catch((error) => {
        signer = undefined;
        throw error;
      });
      signing = await signer;
    });
    for (let more = true; more && !stopping.aborted;) {
      const [{ n: sealed }] = await sql<[{ n: number }]>`
        select private.seal_events(${portion}) as n`;
      let signed = 0;
      await tried(async () => signed = await signing?.sign(portion) ?? 0);
      await look();
      more = sealed >= portion || signed > 0;
    }
    if (failure) throw (failure as { error: unknown }).error;
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
