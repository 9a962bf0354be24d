import type { JSONValue } from "postgres";
import { type InstanceState, organizationId, projectId } from "../../state.ts";
import { defineStep } from "../../step.ts";

/** What our own issuer's tokens name as their audience; they are not ZITADEL's, so not its project. */
export const ownAudience = "gatehouse";

/**
 * Gatehouse's own project, whose id every token for us names as its audience; and the two issuers that the database believes.
 * People of every tenant may get its tokens: what they may do with them is our assignments' to say.
 */
export const gatehouseProject = defineStep<
  InstanceState,
  { id: string; organizationId: string; name: string; issuer: string; ownIssuer: string }
>({
  name: "project",
  input: (state) => ({
    id: projectId(state),
    organizationId: organizationId(state),
    name: "Gatehouse",
    issuer: state.issuer,
    ownIssuer: state.ownIssuer,
  }),
  async run({ id, organizationId, name, issuer, ownIssuer }, { state, zitadel, ledger }) {
    const { changed } = await zitadel.ensureProject({
      id,
      orgId: organizationId,
      name,
      projectAccessRequired: false,
      projectRoleAssertion: true,
      authorizationRequired: false,
    });
    const keys = await state.readKeys();
    await ledger.putIssuer({
      issuer,
      kind: "zitadel",
      audience: id,
      jwksUri: `${issuer}/oauth/v2/keys`,
    });
    await ledger.putVerificationKeys(issuer, keys as JSONValue[]);
    await ledger.putIssuer({
      issuer: ownIssuer,
      kind: "gatehouse",
      audience: ownAudience,
      jwksUri: `${ownIssuer}/keys`,
    });
    await ledger.putSetting("zitadel.project_id", id);
    return { externalId: id, changed };
  },
  refusals: { invalid_argument: "name_refused", already_exists: "name_taken" },
});
