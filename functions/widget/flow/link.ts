/** From a link: a new password, a verified address, an invitation taken. */
import type { Opener } from "./open.ts";
import { notFound } from "./flow.ts";

export const openLink: Opener<"link"> = (_parts, _c, { kind }) => Promise.reject(notFound(kind));
