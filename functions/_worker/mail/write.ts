/**
 * A mail's words, as plain text and as HTML. Knows no address and sends nothing. Next: layout.ts (the HTML around the words).
 */
import type { MailContent } from "../../_shared/mailer.ts";
import { layout } from "./layout.ts";
import { type Theme, themeOf } from "./palette.ts";
import { type Language, languageOf } from "./texts/texts.ts";
import { clean, duration, fillText, greetable, type Values } from "./values.ts";

/** As `private.claim_mail` gives it. */
export interface MailLook {
  tenantName: string;
  tokens?: Record<string, string>;
  logo?: Logo;
}

export interface Logo {
  mediaType: string;
  /** Base64. */
  data: string;
}

export interface Draft {
  content: MailContent;
  language: string | null;
  look: MailLook;
  /** How long its code is good from now on. */
  validMs: number;
}

export interface Written {
  subject: string;
  text: string;
  html: string;
  /** Whom it seems to come from. */
  senderName: string;
  language: string;
}

/** What is said, before it has a form. */
export interface Saying {
  language: Language;
  theme: Theme;
  subject: string;
  values: Values;
  greeting: string | undefined;
  heading: string;
  lead: string;
  code: string | undefined;
  link: { address: string; button: string; fallback: string } | undefined;
  validFor: string | undefined;
  otherwise: string;
  footer: string;
  /** `src` of the logo, or none. */
  logo: string | undefined;
}

/** A logo goes along as a part of the mail, named so: programs that show no remote image, and no data: address, show it. */
export const logoId = "logo@gatehouse";

export function writeMail(draft: Draft): Written {
  const saying = say(draft);
  return {
    subject: fillText(saying.subject, saying.values),
    text: plain(saying),
    html: layout(saying),
    senderName: saying.values.tenant!,
    language: saying.language.tag,
  };
}

function say({ content, language: tag, look, validMs }: Draft): Saying {
  const language = languageOf(tag);
  const { texts } = language;
  const name = greetable(content.displayName);
  const values: Values = {
    tenant: clean(look.tenantName),
    time: duration(validMs, language.tag),
    ...(name === undefined ? {} : { name }),
  };
  const own = texts[content.kind];
  const code = "code" in content ? content.code : undefined;
  const address = "link" in content ? content.link : undefined;
  const button = "button" in own ? own.button : "";
  const saying: Saying = {
    language,
    theme: themeOf(look.tokens ?? {}),
    subject: own.subject,
    values,
    greeting: name === undefined ? undefined : texts.hello,
    heading: own.heading,
    lead: own.lead,
    code,
    link: address === undefined ? undefined : { address, button, fallback: texts.copyLink },
    validFor: code === undefined && address === undefined ? undefined : texts.validFor,
    otherwise: own.otherwise,
    footer: texts.footer,
    logo: look.logo === undefined ? undefined : `cid:${logoId}`,
  };
  switch (content.kind) {
    case "invitation": {
      const inviter = greetable(content.inviterName);
      if (inviter === undefined) return saying;
      return {
        ...saying,
        lead: texts.invitation.leadBy,
        values: { ...values, inviter },
      };
    }
    case "sign_in_code":
      if (content.appName === undefined) return saying;
      return {
        ...saying,
        lead: texts.sign_in_code.leadApp,
        values: { ...values, app: clean(content.appName) },
      };
    case "address_changed":
      return { ...saying, values: { ...values, address: clean(content.newAddress, 200) } };
    default:
      return saying;
  }
}

function plain(saying: Saying): string {
  const { language, values, code, link } = saying;
  const fill = (text: string | undefined) => text === undefined ? [] : [fillText(text, values)];
  const paragraphs = [
    ...fill(saying.greeting),
    ...fill(saying.lead),
    ...(code === undefined ? [] : [`    ${code}`]),
    ...(link === undefined
      ? []
      : [`${code === undefined ? "" : `${language.texts.openLink}\n`}${link.address}`]),
    ...fill(saying.validFor),
    ...fill(saying.otherwise),
    `-- \n${fillText(saying.footer, values)}`, // "-- " begins a signature: RFC 3676, section 4.3
  ];
  return paragraphs.join("\n\n") + "\n";
}
