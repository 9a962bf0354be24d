import type { Wire } from "./call.ts";
import { awaited, orNull, sameSet, updated } from "./ensure.ts";
import { isZitadelError, ZitadelError } from "./errors.ts";
import type { OidcApplicationInput, Provisioner } from "./types.ts";

const service = "zitadel.application.v2.ApplicationService";

interface OidcConfiguration {
  clientId?: string;
  redirectUris?: string[];
  postLogoutRedirectUris?: string[];
  responseTypes?: string[];
  grantTypes?: string[];
  applicationType?: string;
  authMethodType?: string;
  accessTokenType?: string;
  developmentMode?: boolean;
  clockSkew?: string;
  nonCompliant?: boolean;
  complianceProblems?: { key?: string }[];
}
interface Application {
  projectId: string;
  name: string;
  state?: string;
  oidcConfiguration?: OidcConfiguration;
}
interface Created {
  oidcConfiguration?: OidcConfiguration & { clientSecret?: string };
}

const kinds = {
  web: { applicationType: "OIDC_APP_TYPE_WEB", authMethodType: "OIDC_AUTH_METHOD_TYPE_BASIC" },
  spa: {
    applicationType: "OIDC_APP_TYPE_USER_AGENT",
    authMethodType: "OIDC_AUTH_METHOD_TYPE_NONE",
  },
  native: { applicationType: "OIDC_APP_TYPE_NATIVE", authMethodType: "OIDC_AUTH_METHOD_TYPE_NONE" },
};

export function applications(wire: Wire) {
  const get = async (applicationId: string) =>
    (await orNull(
      wire.connect<{ application: Application }>(service, "GetApplication", { applicationId }),
    ))?.application ?? null;

  /** Null: an application of this id is there, though our read did not show it yet. */
  async function create(input: OidcApplicationInput): Promise<Created | null> {
    try {
      return await wire.connect<Created>(service, "CreateApplication", {
        projectId: input.projectId,
        applicationId: input.id,
        name: input.name,
        oidcConfiguration: { ...configuration(input), version: "OIDC_VERSION_1_0" },
      });
    } catch (error) {
      if (isZitadelError(error, "failed_precondition", "PROJECT-lxowmp")) return null;
      throw error;
    }
  }

  async function setState(input: OidcApplicationInput, enabled: boolean): Promise<boolean> {
    if (enabled === input.enabled) return false;
    const method = input.enabled ? "ReactivateApplication" : "DeactivateApplication";
    return await updated(
      wire.connect(service, method, { applicationId: input.id, projectId: input.projectId }),
      async () => isEnabled(await get(input.id)) === input.enabled,
    );
  }

  async function remove(projectId: string, applicationId: string): Promise<void> {
    await orNull(wire.connect(service, "DeleteApplication", { projectId, applicationId }));
  }

  return {
    async ensureOidcApplication(input) {
      refuse(problemsOf(input));
      let found = await get(input.id);
      if (found === null) {
        const made = await create(input);
        if (made !== null) {
          const { clientId = "", clientSecret, complianceProblems = [] } = made.oidcConfiguration ??
            {};
          if (made.oidcConfiguration?.nonCompliant) {
            await remove(input.projectId, input.id); // it would be there and never sign anybody in
            refuse(complianceProblems.map((problem) => problem.key ?? ""));
          }
          await setState(input, true);
          return {
            id: input.id,
            clientId,
            changed: true,
            problems: [],
            ...(clientSecret ? { clientSecret } : {}),
          };
        }
        found = await awaited(() => get(input.id));
      }
      if (found === null || found.projectId !== input.projectId) {
        throw new ZitadelError({
          code: "already_exists",
          id: "PROJECT-lxowmp",
          message: `Application "${input.id}" is taken outside project "${input.projectId}"`,
        });
      }
      const present = found.oidcConfiguration ?? {};
      if (input.postLogoutUris.length === 0 && present.postLogoutRedirectUris?.length) {
        refuse(["postLogoutUris: ZITADEL cannot clear them, only replace them"]);
      }
      const body = {
        ...(found.name === input.name ? {} : { name: input.name }), // its own name would be refused (COMMAND-2m8vx)
        ...(agrees(present, input) ? {} : { oidcConfiguration: configuration(input) }),
      };
      const changes = [
        Object.keys(body).length > 0 && await updated(
          wire.connect(service, "UpdateApplication", {
            applicationId: input.id,
            projectId: input.projectId,
            ...body,
          }),
          async () => {
            const now = await get(input.id);
            return now?.name === input.name && agrees(now.oidcConfiguration ?? {}, input);
          },
        ),
        await setState(input, isEnabled(found)),
      ];
      const changed = changes.includes(true);
      if (!changed && present.nonCompliant) {
        refuse((present.complianceProblems ?? []).map((problem) => problem.key ?? ""));
      }
      return { id: input.id, clientId: present.clientId ?? "", changed, problems: [] };
    },

    async generateClientSecret(projectId, applicationId) {
      const { clientSecret } = await wire.connect<{ clientSecret: string }>(
        service,
        "GenerateClientSecret",
        { projectId, applicationId },
      );
      return clientSecret;
    },

    removeApplication: remove,
  } satisfies Partial<Provisioner>;
}

/** An update resets what it leaves out of responseTypes, grantTypes and clockSkew, so all of it is sent every time. */
function configuration(input: OidcApplicationInput) {
  return {
    redirectUris: input.redirectUris,
    postLogoutRedirectUris: input.postLogoutUris,
    responseTypes: ["OIDC_RESPONSE_TYPE_CODE"],
    grantTypes: ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE", "OIDC_GRANT_TYPE_REFRESH_TOKEN"],
    clockSkew: "0s",
    developmentMode: input.developmentMode,
    accessTokenType: "OIDC_TOKEN_TYPE_JWT",
    ...kinds[input.kind],
  };
}

/** Enum members numbered 0 are left out of answers. */
function agrees(present: OidcConfiguration, input: OidcApplicationInput): boolean {
  const asked = configuration(input);
  return sameSet(present.redirectUris ?? [], asked.redirectUris) &&
    sameSet(present.postLogoutRedirectUris ?? [], asked.postLogoutRedirectUris) &&
    sameSet(present.responseTypes ?? [], asked.responseTypes) &&
    sameSet(present.grantTypes ?? [], asked.grantTypes) &&
    (present.applicationType ?? "OIDC_APP_TYPE_WEB") === asked.applicationType &&
    (present.authMethodType ?? "OIDC_AUTH_METHOD_TYPE_BASIC") === asked.authMethodType &&
    present.accessTokenType === asked.accessTokenType &&
    (present.developmentMode ?? false) === asked.developmentMode &&
    (present.clockSkew ?? "0s") === asked.clockSkew;
}

const isEnabled = (application: Application | null) =>
  application?.state !== "APPLICATION_STATE_INACTIVE";

function refuse(problems: string[]): void {
  if (problems.length === 0) return;
  throw new ZitadelError({
    code: "non_compliant",
    message: `ZITADEL would keep this application but let nobody sign in: ${problems.join("; ")}`,
    problems,
  });
}

/** What ZITADEL only notes at create, and refuses at sign-in. Asked before anything is written. */
function problemsOf({ kind, redirectUris, developmentMode }: OidcApplicationInput): string[] {
  if (redirectUris.length === 0) return ["redirectUris: none"];
  return redirectUris.flatMap((text) => {
    const uri = URL.parse(text);
    if (uri === null) return [`redirectUris: "${text}" is no URI`];
    if (uri.hash !== "" || text.includes("#")) return [`redirectUris: "${text}" has a fragment`];
    if (uri.protocol === "https:") return [];
    if (uri.protocol === "http:") {
      const native = kind === "native" &&
        ["localhost", "127.0.0.1", "[::1]"].includes(uri.hostname);
      return developmentMode || native
        ? []
        : [`redirectUris: "${text}" is not https, which only development mode allows`];
    }
    return kind === "native" ? [] : [`redirectUris: the scheme of "${text}" is for native only`];
  });
}
