// Which mail server, by configuration: GATEHOUSE_SMTP_… and GATEHOUSE_MAIL_FROM (docs/mails.md).
import { z } from "zod";
import { type Config, ConfigError, readSecretFile } from "../../_shared/config.ts";

export interface MailServer {
  host: string;
  port: number;
  /** `implicit`: from the first byte. `starttls`: in the clear until the server has changed over, which it must. */
  tls: "implicit" | "starttls" | "none";
  /** PEM of the authorities to trust instead of the built-in ones. */
  ca: string | undefined;
  credentials: { user: string; password: string } | undefined;
  /** The address that mails come from. */
  from: string;
  /** Whom we say we are. */
  clientName: string;
}

const Credentials = z.strictObject({ user: z.string().min(1), password: z.string().min(1) });

/** Undefined: there is none. @throws {ConfigError} */
export async function mailServer(config: Config): Promise<MailServer | undefined> {
  const { url: text, from, tls, caFile, credentialsFile } = config.smtp;
  if (text === undefined) return undefined;
  if (from === undefined) {
    throw new ConfigError("GATEHOUSE_MAIL_FROM", "is needed with GATEHOUSE_SMTP_URL");
  }
  const url = new URL(text);
  const implicit = url.protocol === "smtps:";
  if (implicit && tls === "none") {
    throw new ConfigError("GATEHOUSE_SMTP_TLS", '"none" does not go with smtps://');
  }
  if (tls === "none" && credentialsFile !== undefined && config.profile !== "embedded") {
    throw new ConfigError("GATEHOUSE_SMTP_TLS", '"none" would send the password in the clear');
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || (implicit ? 465 : 587)),
    tls: implicit ? "implicit" : tls === "none" ? "none" : "starttls",
    ca: caFile === undefined ? undefined : await readSecretFile("GATEHOUSE_SMTP_CA_FILE", caFile),
    credentials: credentialsFile === undefined ? undefined : await readCredentials(credentialsFile),
    from,
    clientName: new URL(config.publicUrl).hostname,
  };
}

async function readCredentials(path: string): Promise<z.output<typeof Credentials>> {
  const variable = "GATEHOUSE_SMTP_CREDENTIALS_FILE";
  try {
    return Credentials.parse(JSON.parse(await readSecretFile(variable, path)));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    // The parser's own message could quote the password.
    throw new ConfigError(variable, 'expected {"user": "…", "password": "…"}');
  }
}
