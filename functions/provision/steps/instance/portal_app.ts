import { derivedId } from "../../ids.ts";
import { type InstanceState, projectId } from "../../state.ts";
import { defineStep } from "../../step.ts";
import { needsDevelopmentMode } from "../app.ts";

type PortalInput = {
  id: string;
  projectId: string;
  name: string;
  kind: "spa";
  redirectUris: string[];
  postLogoutUris: string[];
  enabled: boolean;
};

/** The portal as a public client with PKCE: the one client whose tokens carry every right that their user holds. */
export const portalApp = defineStep<InstanceState, PortalInput>({
  name: "portal_app",
  input: (state) => ({
    id: derivedId("app", state.tenant.id, "portal"),
    projectId: projectId(state),
    name: "Gatehouse portal",
    kind: "spa",
    redirectUris: [state.portalUrl],
    postLogoutUris: [state.portalUrl],
    enabled: true,
  }),
  async run(input, { state, zitadel, ledger }) {
    const { id, clientId, changed } = await zitadel.ensureOidcApplication({
      ...input,
      developmentMode: needsDevelopmentMode(input),
    });
    await ledger.putPortalClient(state.issuer, clientId);
    await ledger.putSetting("zitadel.portal_application_id", id);
    await ledger.putSetting("zitadel.portal_client_id", clientId);
    return { externalId: id, changed };
  },
  refusals: { non_compliant: "redirect_uri_refused", invalid_argument: "redirect_uri_refused" },
});
