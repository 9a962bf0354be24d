/** Links that a mail or an administrator gives to a person; functions/widget/contract.ts, `Open` of mode `link`, takes them apart. */

export interface Link {
  kind: "reset" | "verify_email" | "invitation";
  /** ZITADEL's id of the person. */
  userId: string;
  code: string;
  /** Goes on with it in the browser that asked for the link. */
  authRequest?: string | undefined;
}

/** Everything stands in the fragment: no server, proxy or log between us and the person reads it. */
export function linkAddress(publicUrl: string, { kind, userId, code, authRequest }: Link): string {
  const fragment = new URLSearchParams({ kind, userId, code });
  if (authRequest !== undefined) fragment.set("authRequest", authRequest);
  return `${publicUrl}/functions/v1/widget/link#${fragment}`;
}
