type Value = string | number | boolean | undefined | ((event: Event) => void);
type Attributes = Record<string, Value>;
export type Child = Node | string | false | undefined;

/** Makes one element; a function is listened with (`onclick`). Text only ever goes in as text, so nothing here is a script sink. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  append(element, children);
  return element;
}

export function append(parent: ParentNode, children: Child[]): void {
  parent.append(...children.filter((child) => child !== false && child !== undefined));
}

/** Sets what has a value; `true` is an empty attribute, `false` and `undefined` remove it. */
export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

const svgNamespace = "http://www.w3.org/2000/svg";

/** A drawing, hidden from assistive technology. A path may begin with a colour to be filled with: `#f25022 M1 1h10…`. */
export function svg(attributes: Attributes, ...paths: string[]): SVGSVGElement {
  const drawing = document.createElementNS(svgNamespace, "svg");
  setAttributes(drawing, { "aria-hidden": "true", focusable: "false", ...attributes });
  for (const text of paths) {
    const [, fill, d] = /^(?:(#\w+|currentColor) )?(.*)$/.exec(text)!;
    const path = document.createElementNS(svgNamespace, "path");
    setAttributes(path, { d: d!, fill, stroke: fill && "none" });
    drawing.append(path);
  }
  return drawing;
}

/** Stroked lines on a 24 × 24 grid. */
export const icon = (...paths: string[]) => svg({ viewBox: "0 0 24 24", class: "icon" }, ...paths);
