// A tenant's theme as mail programs can show it: plain values, one set for light and one for dark. What is missing is the widget's own.

/** Names as in a theme (sql/45_widgets/02_themes.sql), where every pair of text and ground was checked when it was published. */
const defaults = {
  backdrop: ["#f3f4f0", "#0c110f"],
  ground: ["#ffffff", "#161d1a"],
  border: ["#84918c", "#6b7a74"],
  text: ["#17201d", "#eef3f0"],
  muted: ["#56635e", "#a9b8b1"],
  accent: ["#17594a", "#7cd9bf"],
  "on-accent": ["#ffffff", "#06231c"],
} as const satisfies Record<string, [light: string, dark: string]>;

export type ColourName = keyof typeof defaults;
export type Palette = Record<ColourName, string>;

export interface Theme {
  light: Palette;
  dark: Palette;
  radius: string;
  font: string;
}

const systemFont =
  "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans Arabic', sans-serif";

export function themeOf(tokens: Record<string, string>): Theme {
  const names = Object.keys(defaults) as ColourName[];
  const palette = (scheme: 0 | 1) =>
    Object.fromEntries(
      names.map((name) => [name, (pair(tokens[name]) ?? defaults[name])[scheme]]),
    ) as Palette;
  return {
    light: palette(0),
    dark: palette(1),
    radius: /^\d{1,2}px$/.test(tokens.radius ?? "") ? tokens.radius! : "10px",
    font: /^[\w\s,'"-]{1,200}$/.test(tokens.font ?? "")
      ? tokens.font!.replaceAll('"', "'")
      : systemFont,
  };
}

const lightDark = /^light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)$/i;

/** `light-dark(#17594a, #7cd9bf)`; nothing else, since it stands in a style. */
function pair(token = ""): [string, string] | undefined {
  const [, light, dark] = lightDark.exec(token) ?? [];
  return light === undefined || dark === undefined ? undefined : [light, dark];
}
