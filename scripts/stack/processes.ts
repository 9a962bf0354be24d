// Every process of the stack but Postgres: its command, and the little it is told (DESIGN.md, "Processes and credentials").
// Next: the program that each one names.
import { join } from "node:path";
import type { Spec } from "./child.ts";
import { type Credentials, type LoginRole } from "./credentials.ts";
import type { DemoTenant } from "./demo.ts";
import type { FrontDoor } from "./front_door.ts";
import { type Layout, root } from "./layout.ts";
import { type Postgrest, postgrestSpec } from "./postgrest.ts";
import { answers } from "./serving.ts";

export interface Processes {
  zitadel: Spec;
  providers: Spec;
  postgrest: Spec;
  functionsPublic: Spec;
  functionsInternal: Spec;
  worker: Spec;
  webhookSink: Spec;
  mailbox: Spec;
  frontDoor: Spec;
}

export function processes(layout: Layout, credentials: Credentials): Processes {
  const { ports, logsDir, auditDir, issuer, apiUrl } = layout;
  const { files } = credentials;
  const at = (port: number) => `127.0.0.1:${port}`;
  const url = (port: number) => `http://${at(port)}`;
  const token = (name: string) => join(files.zitadelDir, `${name}.pat`);
  const database = (role: LoginRole) => databaseUrl(layout, credentials, role);
  const logFile = (name: string) => join(logsDir, `${name}.log`);

  const common = {
    GATEHOUSE_PROFILE: "embedded",
    GATEHOUSE_PUBLIC_URL: apiUrl,
    ZITADEL_ISSUER: issuer,
    GATEHOUSE_OUTBOUND_ALLOW: "127.0.0.0/8",
  };
  const provisioning = {
    ZITADEL_PROVISIONER_TOKEN_FILE: token("provisioner"),
    GATEHOUSE_SECRETS_KEY_FILE: files.secretsKey,
  };
  const functions = (
    name: string,
    role: LoginRole,
    port: number,
    mounted: string,
    env: Record<string, string>,
  ): Spec => ({
    name,
    command: deno([
      "--allow-net",
      "--allow-env",
      "--allow-sys", // node:https reads the system's authorities
      `--allow-read=${join(root, "widget/dist")},${Object.values(env).join(",")}`,
    ], ["functions/main/index.ts"]),
    cwd: root,
    env: {
      ...common,
      GATEHOUSE_FUNCTIONS: mounted,
      GATEHOUSE_LISTEN: at(port),
      GATEHOUSE_DB_URL: database(role),
      ...env,
    },
    logFile: logFile(name),
    graceMs: 27_000, // requests under way get 25 s to end
    ready: (_, signal) => answers(`${url(port)}/ready`, signal),
  });
  const door: FrontDoor = {
    basePath: layout.basePath,
    postgrest: url(ports.postgrest),
    functionsPublic: url(ports.functionsPublic),
    functionsInternal: url(ports.functionsInternal),
    portalDir: join(root, "portal/dist"),
    issuer,
  };

  return {
    zitadel: {
      name: "zitadel",
      command: deno(
        ["--allow-net", "--allow-env", "--allow-sys", "--allow-read", "--allow-write"],
        [
          "scripts/stack/zitadel/main.ts",
        ],
      ),
      cwd: root,
      env: {
        ZITADEL_DOUBLE_LISTEN: at(ports.zitadel),
        ZITADEL_DOUBLE_DB_URL: database("zitadel"),
        ZITADEL_DOUBLE_BOOTSTRAP_DIR: files.zitadelDir,
        ZITADEL_DOUBLE_PLAYED: layout.providersUrl,
      },
      logFile: logFile("zitadel"),
      ready: (printed) => printed("ready"),
    },
    providers: {
      name: "providers",
      // samlify asks the environment and the system which crypto it may use.
      command: deno(["--allow-net=127.0.0.1", "--allow-env", "--allow-sys", "--allow-read"], [
        "scripts/stack/providers/main.ts",
      ]),
      cwd: root,
      env: {
        PROVIDERS_LISTEN: at(ports.providers),
        PROVIDERS_CREDENTIALS: files.played,
        PROVIDERS_REDIRECT_URI: `${issuer}/idps/callback`,
      },
      logFile: logFile("providers"),
      ready: (printed) => printed("ready"),
    },
    postgrest: postgrestSpec(postgrest(layout, credentials)),
    functionsPublic: functions(
      "functions-public",
      "gatehouse_functions",
      ports.functionsPublic,
      "widget,session",
      {
        ZITADEL_LOGIN_CLIENT_TOKEN_FILE: token("login-client"),
        GATEHOUSE_SIGNING_KEY_FILE: files.signingKey,
        GATEHOUSE_MAIL_KEY_FILE: files.mailKey,
      },
    ),
    functionsInternal: functions(
      "functions-internal",
      "gatehouse_provision",
      ports.functionsInternal,
      "provision,webhooks,events,audit,zitadel",
      {
        ...provisioning,
        GATEHOUSE_AUDIT_DIR: auditDir,
        GATEHOUSE_MAIL_KEY_FILE: files.mailKey,
      },
    ),
    worker: {
      name: "worker",
      // cosmiconfig, inside graphile-worker, looks for settings in the home folder and above.
      command: deno(
        ["--allow-net", "--allow-env", "--allow-read", "--allow-sys", `--allow-write=${auditDir}`],
        ["functions/_worker/main.ts"],
      ),
      cwd: root,
      env: {
        ...common,
        ...provisioning,
        GATEHOUSE_LISTEN: at(ports.worker),
        GATEHOUSE_DB_URL: database("gatehouse_worker"),
        ZITADEL_EVENT_READER_TOKEN_FILE: token("event-reader"),
        GATEHOUSE_BOOTSTRAP_FILE: files.bootstrap, // holds a password: for the one that makes the person
        GATEHOUSE_MAIL_KEY_FILE: files.mailKey,
        GATEHOUSE_MAIL_FROM: "no-reply@gatehouse.example",
        GATEHOUSE_SMTP_URL: `smtp://${at(ports.smtp)}`,
        GATEHOUSE_SMTP_TLS: "none",
        GATEHOUSE_AUDIT_DIR: auditDir,
        GATEHOUSE_AUDIT_KEY_FILE: files.auditKey,
        GATEHOUSE_AUDIT_CHECKPOINT_FILE: join(auditDir, "checkpoints"),
        // From whoever starts the stack: the database alone must not say how soon records may go.
        GATEHOUSE_AUDIT_RETENTION_DAYS: Deno.env.get("GATEHOUSE_AUDIT_RETENTION_DAYS") ?? "",
      },
      logFile: logFile("worker"),
      graceMs: 25_000, // running jobs get 20 s to end
      ready: (_, signal) => answers(`${url(ports.worker)}/ready`, signal),
    },
    webhookSink: {
      name: "webhook-sink",
      command: deno(["--allow-net=127.0.0.1", "--allow-env"], ["scripts/stack/webhook_sink.ts"]),
      cwd: root,
      env: { WEBHOOK_SINK_LISTEN: at(ports.webhookSink) },
      logFile: logFile("webhook-sink"),
      ready: (_, signal) => answers(`${url(ports.webhookSink)}/requests`, signal),
    },
    mailbox: {
      name: "mailbox",
      command: deno(
        [
          "--allow-net=127.0.0.1",
          "--allow-env",
          "--allow-sys=hostname",
          "--allow-read=scripts/stack/mailbox",
        ],
        ["scripts/stack/mailbox/main.ts"],
      ),
      cwd: root,
      env: {
        MAILBOX_LISTEN: at(ports.mailbox),
        MAILBOX_SMTP_LISTEN: at(ports.smtp),
      },
      logFile: logFile("mailbox"),
      ready: (_, signal) => answers(`${url(ports.mailbox)}/messages`, signal),
    },
    frontDoor: {
      name: "front-door",
      command: deno(["--allow-net=127.0.0.1", "--allow-env", `--allow-read=${door.portalDir}`], [
        "scripts/stack/front_door.ts",
      ]),
      cwd: root,
      env: { FRONT_DOOR_LISTEN: at(ports.frontDoor), FRONT_DOOR: JSON.stringify(door) },
      logFile: logFile("front-door"),
      ready: (_, signal) => answers(layout.portalUrl, signal),
    },
  };
}

/** The demo's customer: knows its own application and nothing of ours. */
export function storefrontSpec(layout: Layout, tenant: DemoTenant): Spec {
  const program = "widget/demo/server.ts";
  return {
    name: "storefront",
    command: deno(["--allow-net=127.0.0.1", "--allow-env", "--allow-read=widget/demo"], [program]),
    cwd: root,
    env: {
      STOREFRONT_LISTEN: `127.0.0.1:${layout.ports.storefront}`,
      STOREFRONT_ISSUER: layout.issuer,
      STOREFRONT_CLIENT_ID: tenant.clientId,
      STOREFRONT_ORG_ID: tenant.organizationId,
      STOREFRONT_WIDGET_URL: `${layout.functionsUrl}/widget/gatehouse.js`,
    },
    logFile: join(layout.logsDir, "storefront.log"),
    ready: (_, signal) => answers(layout.storefrontUrl, signal),
  };
}

export function databaseUrl(
  { ports }: Layout,
  { passwords }: Credentials,
  role: LoginRole,
): string {
  const name = role === "zitadel" ? "zitadel" : "gatehouse";
  return `postgres://${role}:${passwords[role]}@127.0.0.1:${ports.postgres}/${name}`;
}

export function postgrest(layout: Layout, credentials: Credentials): Postgrest {
  return {
    databaseUrl: databaseUrl(layout, credentials, "authenticator"),
    configFile: credentials.files.postgrest,
    port: layout.ports.postgrest,
    adminPort: layout.ports.postgrestAdmin,
    logFile: join(layout.logsDir, "postgrest.log"),
    publicUrl: layout.restUrl,
  };
}

function deno(permissions: string[], program: string[]): [string, ...string[]] {
  return [Deno.execPath(), "run", "--cached-only", "--no-prompt", ...permissions, ...program];
}
