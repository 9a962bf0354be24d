// One column, tables and inline styles: what mail programs understand. No remote image, no font to load, no script; dark where the program says so.
import { Html, html } from "./html.ts";
import type { Palette, Theme } from "./palette.ts";
import { fillHtml, fillText } from "./values.ts";
import type { Saying } from "./write.ts";

export function layout(saying: Saying): string {
  const { language: { tag, direction }, theme, values } = saying;
  const { light, font, radius } = theme;
  const side = direction === "rtl" ? "right" : "left"; // Outlook knows no `start`
  const text = (colour: string, size: number, more = "") =>
    `margin:0 0 16px;color:${colour};font:400 ${size}px/1.5 ${font};text-align:${side};${more}`;
  const page = html`
    <!doctype html>
    <html lang="${tag}" dir="${direction}">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="supported-color-schemes" content="light dark">
        <title>${fillText(saying.subject, values)}</title>
        <style>${new Html(styleSheet(theme))}</style>
      </head>
      <body class="ground"
        style="margin:0;padding:0;background:${light.ground};-webkit-text-size-adjust:100%">
        <div style="display:none;max-height:0;overflow:hidden">${fillText(
          saying.lead,
          values,
        )}</div>
        <table role="presentation" class="ground" width="100%" cellpadding="0" cellspacing="0"
          dir="${direction}" bgcolor="${light.ground}" style="background:${light.ground}">
          <tr>
            <td align="center" style="padding:32px 12px">
              <table role="presentation" width="100%" cellpadding="0" cellspacing="0"
                style="max-width:520px">
                <tr>
                  <td style="padding:0 4px 16px">${head(
                    saying,
                    text(light.text, 16, "margin:0;font-weight:650;"),
                  )}</td>
                </tr>
                <tr>
                  <td class="card" bgcolor="${light.card}"
                    style="padding:32px;background:${light.card};border:1px solid ${light
                      .line};border-radius:${radius}">
    <h1 class="text" style="${text(
      light.text,
      22,
      "line-height:1.25;font-weight:650;",
    )}">${fillHtml(saying.heading, values)}</h1>
    ${saying.greeting &&
      html`<p class="text" style="${text(light.text, 16)}">${
        fillHtml(saying.greeting, values)
      }</p>`}
    <p class="text" style="${text(light.text, 16)}">${fillHtml(saying.lead, values)}</p>
    ${code(saying, side)}
    ${button(saying, side)}
    ${saying.validFor &&
      html`<p class="muted" style="${text(light.muted, 14)}">${
        fillHtml(saying.validFor, values)
      }</p>`}
    <p class="muted" style="${text(light.muted, 14, "margin:0;")}">${fillHtml(
      saying.otherwise,
      values,
    )}</p>
    ${address(saying, text(light.muted, 13, "margin:20px 0 0;"))}
                  </td>
                </tr>
                <tr>
                  <td style="padding:16px 4px 0">
                    <p class="muted" style="${text(light.muted, 13, "margin:0;")}">${fillHtml(
                      saying.footer,
                      values,
                    )}</p>
                  </td>
                </tr>
              </table>
            </td>
          </tr>
        </table>
      </body>
    </html>
  `;
  return page.text;
}

function head({ logo, values }: Saying, style: string): Html {
  const tenant = values.tenant!;
  return logo === undefined
    ? html`<p class="text" style="${style}"><bdi>${tenant}</bdi></p>`
    : html`
      <img src="${logo}" alt="${tenant}" height="40"
        style="display:block;height:40px;width:auto;max-width:220px;border:0">
    `;
}

function code({ code, theme: { light, radius } }: Saying, side: string): Html | undefined {
  if (code === undefined) return;
  const size = code.length > 10 ? 18 : 28;
  const style =
    `margin:8px 0 24px;padding:16px 20px;background:${light.field};color:${light.text};` +
    `border:1px solid ${light.line};border-radius:${radius};text-align:${side};` +
    `font:600 ${size}px/1.2 ui-monospace,SFMono-Regular,Consolas,monospace;letter-spacing:0.14em;word-break:break-all`;
  // In one piece, so that a double click takes all of it.
  return html`<p class="code" style="${style}"><bdi dir="ltr">${code}</bdi></p>`;
}

function button({ link, theme: { light, radius, font } }: Saying, side: string): Html | undefined {
  if (link === undefined) return;
  const style =
    `display:inline-block;padding:13px 22px;color:${light.onAccent};background:${light.accent};` +
    `border-radius:${radius};font:600 16px/1.25 ${font};text-decoration:none`;
  return html`
    <table role="presentation" cellpadding="0" cellspacing="0" align="${side}"
      style="margin:0 0 24px">
      <tr>
        <td class="button" bgcolor="${light.accent}"
          style="background:${light.accent};border-radius:${radius}"><a class="button" href="${link
            .address}" style="${style}">${link.button}</a></td>
      </tr>
    </table>
    <div style="clear:both;height:0;line-height:0;font-size:0">&nbsp;</div>
  `;
}

function address({ link, theme: { light } }: Saying, style: string): Html | undefined {
  if (link === undefined) return;
  return html`
    <p class="muted line"
      style="${style}padding-top:16px;border-top:1px solid ${light.line}">${link.fallback}<br>
    <a class="muted" dir="ltr" href="${link.address}" style="color:${light
      .muted};word-break:break-all">${link.address}</a></p>
  `;
}

/** Inline styles are for light; here is what overrides them. */
function styleSheet({ dark }: Theme): string {
  const rules: [string, keyof Palette, keyof Palette][] = [
    [".ground", "ground", "text"],
    [".card", "card", "text"],
    [".code", "field", "text"],
    [".button", "accent", "onAccent"],
  ];
  const grounds = rules.map(([name, ground, text]) =>
    `${name}{background:${dark[ground]}!important;color:${dark[text]}!important}`
  );
  return `:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){${grounds.join("")}` +
    `.card,.code,.line{border-color:${dark.line}!important}` +
    `.text{color:${dark.text}!important}.muted{color:${dark.muted}!important}}
@media (max-width:480px){.card{padding:24px 20px!important}}`;
}
