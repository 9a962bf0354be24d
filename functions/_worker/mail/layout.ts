// One column of tables with inline styles: what mail programs understand. No remote image, no font to load, no script.
import { Markup, markup } from "./markup.ts";
import { inlineStyles, type Styles, styleSheet } from "./styles.ts";
import { fillHtml, fillText } from "./values.ts";
import type { Saying } from "./write.ts";

const table = new Markup('<table role="presentation" cellpadding="0" cellspacing="0"');

export function layout(saying: Saying): string {
  const { language: { tag, direction }, theme: { light }, values } = saying;
  const side = direction === "rtl" ? "right" : "left";
  const styles = inlineStyles(saying.theme, side);
  const words = (name: string, style: string, text: string | undefined) =>
    text && markup`<p class="${name}" style="${style}">${fillHtml(text, values)}</p>\n`;
  return markup`<!doctype html>
<html lang="${tag}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${fillText(saying.subject, values)}</title>
<style>${new Markup(styleSheet(saying.theme))}</style>
</head>
<body class="backdrop" style="${styles.backdrop}">
<div style="display:none;max-height:0;overflow:hidden">${fillText(saying.lead, values)}</div>
${table} class="backdrop" dir="${direction}" width="100%" bgcolor="${light.backdrop}" style="${styles.backdrop}"><tr>
<td align="center" style="padding:32px 12px">${table} width="100%" style="max-width:520px">
<tr><td style="padding:0 4px 16px">${head(saying, styles)}</td></tr>
<tr><td class="card" bgcolor="${light.ground}" style="${styles.card}">
<h1 class="text" style="${styles.heading}">${fillHtml(saying.heading, values)}</h1>
${words("text", styles.paragraph, saying.greeting)}${words("text", styles.paragraph, saying.lead)}
${code(saying, styles)}${button(saying, styles, side)}
${words("muted", styles.small, saying.validFor)}${words("muted", styles.small, saying.otherwise)}
${address(saying, styles)}
</td></tr>
<tr><td style="padding:16px 4px 0">${words("muted", styles.footer, saying.footer)}</td></tr>
</table></td>
</tr></table>
</body>
</html>
`.text;
}

function head({ logo, values }: Saying, styles: Styles): Markup {
  const tenant = values.tenant!;
  return logo === undefined
    ? markup`<p class="muted" style="${styles.tenant}"><bdi>${tenant}</bdi></p>`
    : markup`<img src="${logo}" alt="${tenant}" height="40" style="${styles.logo}">`;
}

function code({ code }: Saying, styles: Styles): Markup | undefined {
  return code === undefined
    ? undefined
    : markup`<p class="code text" style="${
      styles.code(code.length)
    }"><bdi dir="ltr">${code}</bdi></p>\n`;
}

function button({ link, theme }: Saying, styles: Styles, side: string): Markup | undefined {
  return link && markup`${table} align="${side}" style="margin:0 0 24px"><tr>
<td class="button" bgcolor="${theme.light.accent}" style="${styles.buttonCell}"><a class="button" href="${link.address}" style="${styles.button}">${link.button}</a></td>
</tr></table><div style="clear:both;height:0;line-height:0;font-size:0">&nbsp;</div>`;
}

function address({ link }: Saying, styles: Styles): Markup | undefined {
  return link && markup`<p class="muted line" style="${styles.address}">${link.fallback}<br>
<a class="muted" dir="ltr" href="${link.address}" style="${styles.link}">${link.address}</a></p>`;
}
