/** What our own pages may load and where their forms may go: their content security policy. */
import type { WidgetParts } from "./parts.ts";

const policy = (formAction: string) =>
  "default-src 'none'; script-src 'self'; style-src 'self'; " +
  `img-src 'self'; connect-src 'self'; form-action ${formAction}; frame-ancestors 'none'; ` +
  "require-trusted-types-for 'script'; trusted-types 'none'";

/** Nothing but our own files, no frame, and no string ever becomes script. */
export const pagePolicy = policy("'self'");

/**
 * The same, where the tenant has SAML providers that want a POST: a form may go to their origins too, which browsers would
 * refuse otherwise. Of `urls` only `https` and `http` ones count.
 */
export function pagePolicyFor(urls: string[]): string {
  const origins = new Set(
    urls.flatMap((url) => URL.canParse(url) && /^https?:/.test(url) ? [new URL(url).origin] : []),
  );
  return policy(["'self'", ...origins].join(" "));
}

/** For a page that leads to a tenant's providers. */
export async function pagePolicyOf(
  { providers }: Pick<WidgetParts, "providers">,
  tenantId: string | undefined,
): Promise<string> {
  const listed = tenantId === undefined ? [] : await providers.list(tenantId);
  return pagePolicyFor(listed.flatMap(({ postsTo }) => postsTo));
}
