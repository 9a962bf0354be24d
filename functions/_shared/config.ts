// What a process is told by its environment, checked once. Secrets come as files, never as values.
import { z } from "zod";
import { parseNetwork } from "./addresses.ts";
import { parseNoProxy, parseProxy, type ProxyRules } from "./outbound_proxy.ts";

/** Thrown at start: names the variable that is wrong or missing. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly variable: string;
  constructor(variable: string, detail: string) {
    super(`${variable}: ${detail}`);
    this.variable = variable;
  }
}

const origin = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ""));
const list = z.string().transform((text) =>
  text.split(",").map((part) => part.trim()).filter((part) => part !== "")
);
const path = z.string().min(1);
/** Reads a text with what throws at a wrong one. */
const read = <T>(text: string, c: z.RefinementCtx, parse: (text: string) => T): T => {
  try {
    return parse(text);
  } catch (error) {
    c.addIssue({ code: "custom", message: (error as Error).message });
    return z.NEVER;
  }
};
const networks = list.transform((texts, c) => texts.map((text) => read(text, c, parseNetwork)));
const proxy = z.string().transform((text, c) => read(text, c, parseProxy));
const noProxy = z.string().transform(parseNoProxy);

const Environment = z.object({
  GATEHOUSE_PROFILE: z.enum(["embedded", "standard"]).default("standard"),
  GATEHOUSE_FUNCTIONS: list.default([]),
  GATEHOUSE_LISTEN: z.string().regex(/^(\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i, "expected HOST:PORT")
    .default("127.0.0.1:0"),
  GATEHOUSE_DB_URL: z.string().regex(/^postgres(ql)?:\/\//, "expected postgres://…").optional(),
  GATEHOUSE_DB_POOL: z.coerce.number().int().min(1).max(200).default(10),
  GATEHOUSE_PUBLIC_URL: origin.optional(),
  GATEHOUSE_TRUSTED_HOPS: z.coerce.number().int().min(0).max(10).default(1),
  ZITADEL_ISSUER: origin.optional(),
  ZITADEL_URL: origin.optional(),
  ZITADEL_LOGIN_CLIENT_TOKEN_FILE: path.optional(),
  ZITADEL_PROVISIONER_TOKEN_FILE: path.optional(),
  ZITADEL_EVENT_READER_TOKEN_FILE: path.optional(),
  GATEHOUSE_MAIL_KEY_FILE: path.optional(),
  GATEHOUSE_MAIL_FROM: z.email().optional(),
  GATEHOUSE_SMTP_URL: z.string().regex(
    /^smtps?:\/\/(\[[0-9a-f:]+\]|[^\s:@/]+)(:\d{1,5})?\/?$/i,
    "expected smtp://HOST:PORT or smtps://HOST:PORT, credentials in a file of their own",
  ).optional(),
  GATEHOUSE_SMTP_TLS: z.enum(["required", "none"]).default("required"),
  GATEHOUSE_SMTP_CA_FILE: path.optional(),
  GATEHOUSE_SMTP_CREDENTIALS_FILE: path.optional(),
  GATEHOUSE_SECRETS_KEY_FILE: path.optional(),
  GATEHOUSE_SIGNING_KEY_FILE: path.optional(),
  GATEHOUSE_BOOTSTRAP_FILE: path.optional(),
  GATEHOUSE_AUDIT_KEY_FILE: path.optional(),
  GATEHOUSE_AUDIT_CHECKPOINT_FILE: path.optional(),
  GATEHOUSE_AUDIT_RETENTION_DAYS: z.coerce.number().int().min(31).max(36_500).optional(),
  GATEHOUSE_AUDIT_DIR: path.optional(),
  GATEHOUSE_OUTBOUND_ALLOW: networks.default([]),
  GATEHOUSE_OUTBOUND_CA_FILE: path.optional(),
  GATEHOUSE_OUTBOUND_PROXY: z.string()
    .transform((text, c) => text === "none" ? text : read(text, c, parseProxy)).optional(),
  GATEHOUSE_OUTBOUND_PROXY_AUTH_FILE: path.optional(),
  // As every program knows them. Of both cases the upper one counts, as for Deno's own fetch; docs/proxy.md.
  HTTPS_PROXY: proxy.optional(),
  https_proxy: proxy.optional(),
  HTTP_PROXY: proxy.optional(),
  http_proxy: proxy.optional(),
  NO_PROXY: noProxy.optional(),
  no_proxy: noProxy.optional(),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
});

export type Config = ReturnType<typeof parseConfig>;
type Variable = keyof z.input<typeof Environment>;

/** Reads an environment; an empty variable counts as absent. @throws {ConfigError} */
export function parseConfig(environment: Record<string, string | undefined>) {
  const present = Object.fromEntries(
    Object.keys(Environment.shape).flatMap((name) =>
      environment[name]?.trim() ? [[name, environment[name].trim()]] : []
    ),
  );
  const parsed = Environment.safeParse(present);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new ConfigError(String(issue.path[0]), issue.message);
  }
  const env = parsed.data;
  if (env.GATEHOUSE_PROFILE !== "embedded") refuseInsecure(env.ZITADEL_ISSUER, "ZITADEL_ISSUER");
  const needed = (name: Variable): string => {
    const value = env[name];
    if (typeof value !== "string") throw new ConfigError(name, "is needed by this process");
    return value;
  };
  const at = env.GATEHOUSE_LISTEN.lastIndexOf(":");
  return {
    profile: env.GATEHOUSE_PROFILE,
    functions: env.GATEHOUSE_FUNCTIONS,
    listen: {
      hostname: env.GATEHOUSE_LISTEN.slice(0, at).replace(/^\[|\]$/g, ""),
      port: Number(env.GATEHOUSE_LISTEN.slice(at + 1)),
    },
    dbPool: env.GATEHOUSE_DB_POOL,
    /** Proxies of ours in front: the client's address is that many entries from the end of x-forwarded-for. */
    trustedHops: env.GATEHOUSE_TRUSTED_HOPS,
    /** Networks that the door may reach though they are not public. */
    outboundAllow: env.GATEHOUSE_OUTBOUND_ALLOW,
    outboundCaFile: env.GATEHOUSE_OUTBOUND_CA_FILE,
    /** Seals what a mail says until it is sent. Undefined: there is no mail server, nothing is queued. */
    mailKeyFile: env.GATEHOUSE_MAIL_KEY_FILE,
    smtp: {
      url: env.GATEHOUSE_SMTP_URL,
      from: env.GATEHOUSE_MAIL_FROM,
      tls: env.GATEHOUSE_SMTP_TLS,
      caFile: env.GATEHOUSE_SMTP_CA_FILE,
      credentialsFile: env.GATEHOUSE_SMTP_CREDENTIALS_FILE,
    },
    outboundProxies: proxiesOf(env),
    outboundProxyAuthFile: env.GATEHOUSE_OUTBOUND_PROXY_AUTH_FILE,
    /** How long a record is kept at least, whatever the database says. Undefined: for ever. */
    auditRetentionDays: env.GATEHOUSE_AUDIT_RETENTION_DAYS,
    logLevel: env.LOG_LEVEL,
    // A getter throws a ConfigError when the process that asks was not given the variable.
    get dbUrl() {
      return needed("GATEHOUSE_DB_URL");
    },
    get publicUrl() {
      return needed("GATEHOUSE_PUBLIC_URL");
    },
    get restUrl() {
      return `${needed("GATEHOUSE_PUBLIC_URL")}/rest/v1`;
    },
    get functionsUrl() {
      return `${needed("GATEHOUSE_PUBLIC_URL")}/functions/v1`;
    },
    get portalUrl() {
      return `${needed("GATEHOUSE_PUBLIC_URL")}/portal/`;
    },
    get loginUrl() {
      return `${needed("GATEHOUSE_PUBLIC_URL")}/functions/v1/widget/login`;
    },
    /** `iss` of the tokens that functions/session signs. */
    get ownIssuer() {
      return `${needed("GATEHOUSE_PUBLIC_URL")}/functions/v1/session`;
    },
    get zitadelIssuer() {
      return needed("ZITADEL_ISSUER");
    },
    /** ZITADEL's API; differs from the issuer where it is reached by an inner address. */
    get zitadelUrl() {
      return env.ZITADEL_URL ?? needed("ZITADEL_ISSUER");
    },
    get loginClientTokenFile() {
      return needed("ZITADEL_LOGIN_CLIENT_TOKEN_FILE");
    },
    get provisionerTokenFile() {
      return needed("ZITADEL_PROVISIONER_TOKEN_FILE");
    },
    get eventReaderTokenFile() {
      return needed("ZITADEL_EVENT_READER_TOKEN_FILE");
    },
    get secretsKeyFile() {
      return needed("GATEHOUSE_SECRETS_KEY_FILE");
    },
    get signingKeyFile() {
      return needed("GATEHOUSE_SIGNING_KEY_FILE");
    },
    get bootstrapFile() {
      return needed("GATEHOUSE_BOOTSTRAP_FILE");
    },
    /** Signs the sealed log; the worker alone is given it. */
    get auditKeyFile() {
      return needed("GATEHOUSE_AUDIT_KEY_FILE");
    },
    get auditCheckpointFile() {
      return needed("GATEHOUSE_AUDIT_CHECKPOINT_FILE");
    },
    /** Where sinks of kind file and exports are written: the worker writes, the audit function reads. */
    get auditDir() {
      return needed("GATEHOUSE_AUDIT_DIR");
    },
    /** Whether this process was given a variable, for parts that are optional. */
    has: (name: Variable) => env[name] !== undefined,
  };
}

function proxiesOf(env: z.output<typeof Environment>): ProxyRules {
  const own = env.GATEHOUSE_OUTBOUND_PROXY;
  const standard = {
    https: env.HTTPS_PROXY ?? env.https_proxy,
    http: env.HTTP_PROXY ?? env.http_proxy,
  };
  const chosen = own === undefined
    ? standard
    : own === "none"
    ? { https: undefined, http: undefined }
    : { https: own, http: own };
  return { ...chosen, except: env.NO_PROXY ?? env.no_proxy ?? [] };
}

function refuseInsecure(issuer: string | undefined, variable: Variable) {
  if (issuer === undefined) return;
  const { protocol, hostname } = new URL(issuer);
  if (protocol !== "https:") {
    throw new ConfigError(variable, `"${issuer}" must be https outside the embedded profile`);
  }
  if (hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname)) {
    throw new ConfigError(
      variable,
      `"${issuer}" is loopback: allowed in the embedded profile only`,
    );
  }
}

let cached: Config | undefined;

/** This process's configuration, read on first use. @throws {ConfigError} */
export function config(): Config {
  return cached ??= parseConfig(Deno.env.toObject());
}

/** The text of a file that holds one secret, without the surrounding white space. @throws {ConfigError} naming the variable */
export async function readSecretFile(variable: string, path: string): Promise<string> {
  let text: string;
  try {
    text = (await Deno.readTextFile(path)).trim();
  } catch (cause) {
    throw new ConfigError(variable, `cannot read "${path}" (${(cause as Error).name})`);
  }
  if (text === "") throw new ConfigError(variable, `"${path}" is empty`);
  return text;
}
