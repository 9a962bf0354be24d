/** What is bundled for browsers: one entry, one output each, with the most bytes it may have. */
export interface Bundle {
  name: string;
  entry: string;
  output: string;
  /** Style sheets have none. */
  format?: "iife" | "esm";
  /** It has texts in other languages to fetch, and style sheets within its script: the widget's two. */
  texts?: true;
  /** Copied beside the output, as they are. */
  files: string[];
  /** Most bytes after brotli; the widget's is a promise of the product. */
  brotliBudget?: number;
}

export const bundles: Bundle[] = [
  {
    name: "widget",
    entry: "widget/src/define.ts",
    output: "widget/dist/gatehouse.js",
    format: "iife", // a classic script knows its own address, and so where its API is
    files: ["widget/page/page.css", "widget/page/mark.svg"],
    texts: true,
    brotliBudget: 20_000,
  },
  {
    name: "account",
    entry: "widget/src/define_account.ts",
    output: "widget/dist/account.js",
    format: "iife",
    files: [],
    texts: true,
    brotliBudget: 20_000,
  },
  {
    name: "portal",
    entry: "portal/src/main.ts",
    output: "portal/dist/portal.js",
    format: "esm",
    files: ["portal/index.html", "portal/mark.svg"],
  },
  {
    name: "portal styles",
    entry: "portal/css/portal.css",
    output: "portal/dist/portal.css",
    files: [],
  },
];
