import { faultOf } from "../fault.ts";
import { projectId, type TenantState } from "../state.ts";
import { defineStep, type Refusals, type StepContext } from "../step.ts";

type AppInput = {
  id: string;
  name: string;
  kind: "web" | "spa" | "native";
  redirectUris: string[];
  postLogoutUris: string[];
  enabled: boolean;
};

const refusals: Refusals = {
  non_compliant: "redirect_uri_refused",
  invalid_argument: "app_refused",
  already_exists: "app_name_taken",
};

/** Every application of the tenant. One that ZITADEL refuses does not hold up the others. */
export const app = defineStep<TenantState, { projectId: string; apps: AppInput[] }>({
  name: "app",
  input: (state) =>
    state.apps.length === 0 ? null : {
      projectId: projectId(state),
      apps: state.apps.map(({ id, name, kind, redirectUris, postLogoutUris, enabled }) => ({
        id,
        name,
        kind,
        redirectUris,
        postLogoutUris,
        enabled,
      })),
    },
  async run({ projectId, apps }, context) {
    let changed = false;
    let refused: unknown;
    for (const asked of apps) {
      try {
        changed = await ensureApp(projectId, asked, context) || changed;
      } catch (error) {
        const fault = faultOf(error, refusals);
        if (fault === null) throw error;
        await context.ledger.settleApp(asked.id, { state: "error", fault });
        if (fault.retryable) throw error;
        refused ??= error;
      }
    }
    if (refused !== undefined) throw refused;
    return { changed };
  },
  refusals,
});

async function ensureApp(
  projectId: string,
  asked: AppInput,
  { zitadel, ledger }: StepContext<TenantState>,
): Promise<boolean> {
  const made = await zitadel.ensureOidcApplication({
    ...asked,
    projectId,
    developmentMode: needsDevelopmentMode(asked),
  });
  const { id: applicationId, clientId } = made;
  await ledger.settleApp(asked.id, { state: "active", applicationId, clientId }); // no write when nothing differs
  return made.changed;
}

/** ZITADEL takes `http:` from web and spa only in its development mode; ours are loopback (B2), native ones it takes anyway. */
export function needsDevelopmentMode(
  { kind, redirectUris }: Pick<AppInput, "kind" | "redirectUris">,
): boolean {
  return kind !== "native" && redirectUris.some((uri) => uri.startsWith("http://"));
}
