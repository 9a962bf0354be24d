/** What may stand in the address of our pages and must not stay there: neither in the history nor in what the page sends as referrer. */
const secrets = [
  "code",
  "token",
  "id",
  "ticket",
  "user",
  "logout_token",
  "error",
  "error_description",
];

/** Reads query and fragment (which no server has seen), and takes the secrets out of the address at once. */
export function takeFromAddress(): Record<string, string | undefined> {
  const address = new URL(location.href);
  const fragment = new URLSearchParams(address.hash.slice(1));
  const taken = { ...Object.fromEntries(address.searchParams), ...Object.fromEntries(fragment) };
  for (const name of secrets) address.searchParams.delete(name);
  address.hash = "";
  if (address.href !== location.href) history.replaceState(history.state, "", address);
  return taken;
}
