// The colours and shapes of a tenant's theme (functions/widget/contract.ts, Look.tokens) as mail programs can show them: plain
// values, one set for light and one for dark. What is not plain, or missing, is ours.

export interface Palette {
  ground: string;
  card: string;
  line: string;
  text: string;
  muted: string;
  field: string;
  accent: string;
  onAccent: string;
}

export interface Theme {
  light: Palette;
  dark: Palette;
  radius: string;
  font: string;
}

const light: Palette = {
  ground: "#f3f4f0",
  card: "#ffffff",
  line: "#e0e3dd",
  text: "#17201d",
  muted: "#56635e",
  field: "#f3f4f0",
  accent: "#17594a",
  onAccent: "#ffffff",
};
const dark: Palette = {
  ground: "#0c110f",
  card: "#161d1a",
  line: "#27312d",
  text: "#eef3f0",
  muted: "#a9b8b1",
  field: "#0c110f",
  accent: "#7cd9bf",
  onAccent: "#06231c",
};

const systemFont = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

/** Only the pair of accent and its text is taken: it stands on its own ground, so a theme whose pairs hold holds here too. */
export function themeOf(tokens: Record<string, string>): Theme {
  const [accent, onAccent] = [pair(tokens.accent), pair(tokens["on-accent"])];
  const own = accent && onAccent;
  return {
    light: own ? { ...light, accent: accent.light, onAccent: onAccent.light } : light,
    dark: own ? { ...dark, accent: accent.dark, onAccent: onAccent.dark } : dark,
    radius: /^\d{1,2}px$/.test(tokens.radius ?? "") ? tokens.radius! : "10px",
    font: /^[\w\s,'"-]{1,200}$/.test(tokens.font ?? "")
      ? tokens.font!.replaceAll('"', "'")
      : systemFont,
  };
}

const colour = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i;
const lightDark = /^light-dark\(\s*(#[0-9a-f]{3,6})\s*,\s*(#[0-9a-f]{3,6})\s*\)$/i;

/** `#17594a` or `light-dark(#17594a, #7cd9bf)`. */
function pair(token = ""): { light: string; dark: string } | undefined {
  const [, day = token, night = token] = lightDark.exec(token) ?? [];
  return colour.test(day) && colour.test(night) ? { light: day, dark: night } : undefined;
}
