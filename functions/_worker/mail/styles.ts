// How the parts of a mail look. Inline styles are for light; a style sheet, where the program reads one, overrides them in the dark.
import type { ColourName, Theme } from "./palette.ts";

export type Styles = ReturnType<typeof inlineStyles>;

/** `side`: where lines begin. Outlook knows no `start`. */
export function inlineStyles({ light, font, radius }: Theme, side: "left" | "right") {
  const words = (colour: string, size: number, margin: string, weight = 400) =>
    `margin:${margin};color:${colour};font:${weight} ${size}px/1.5 ${font};text-align:${side}`;
  const mono = "ui-monospace,SFMono-Regular,Consolas,monospace";
  return {
    backdrop: `margin:0;padding:0;background:${light.backdrop}`,
    card: `padding:32px;background:${light.ground};border-radius:${radius}`,
    tenant: words(light.muted, 16, "0", 650),
    logo: "display:block;height:40px;width:auto;max-width:220px;border:0",
    heading: `${words(light.text, 22, "0 0 16px", 650)};line-height:1.25`,
    paragraph: words(light.text, 16, "0 0 16px"),
    /** In one piece, so that a double click takes all of it; no box, which would look like a field to fill in. */
    code: (length: number) =>
      `margin:4px 0 24px;padding:6px 0;padding-${side}:16px;color:${light.text};` +
      `border-${side}:4px solid ${light.accent};text-align:${side};` +
      `font:600 ${length > 10 ? 18 : 28}px/1.2 ${mono};letter-spacing:0.14em;word-break:break-all`,
    buttonCell: `background:${light.accent};border-radius:${radius}`,
    button:
      `display:inline-block;padding:13px 22px;color:${
        light["on-accent"]
      };background:${light.accent};` +
      `border-radius:${radius};font:600 16px/1.25 ${font};text-decoration:none`,
    small: words(light.muted, 14, "0 0 12px"),
    address: `${
      words(light.muted, 13, "20px 0 0")
    };padding-top:16px;border-top:1px solid ${light.border}`,
    link: `color:${light.muted};word-break:break-all`,
    footer: words(light.muted, 13, "0"),
  };
}

export function styleSheet({ dark }: Theme): string {
  const grounds: [string, ColourName, ColourName][] = [
    [".backdrop", "backdrop", "text"],
    [".card", "ground", "text"],
    [".button", "accent", "on-accent"],
  ];
  const rules = [
    ...grounds.map(([name, ground, text]) =>
      `${name}{background:${dark[ground]}!important;color:${dark[text]}!important}`
    ),
    `.line{border-color:${dark.border}!important}`,
    `.code{border-color:${dark.accent}!important}`,
    `.text{color:${dark.text}!important}`,
    `.muted{color:${dark.muted}!important}`,
  ];
  return `:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){${rules.join("")}}
@media (max-width:480px){.card{padding:24px 20px!important}}`;
}
