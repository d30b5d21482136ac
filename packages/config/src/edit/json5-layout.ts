import { isObject } from "../json.ts";
import { LINE_END, type Member, type Outline } from "./json5-outline.ts";

/** How a value is written at one place of a text. */
export interface Layout {
  /** Of the line on which the value begins. */
  readonly indent: string;
  /** One step further in. */
  readonly unit: string;
  readonly lineEnd: string;
  /** Everything on one line. */
  readonly isInline: boolean;
  readonly hasBareKeys: boolean;
}

/** How the text as a whole is written; the rest follows from the place. */
export function styleOf(
  text: string,
  { root }: Outline,
): Pick<Layout, "unit" | "lineEnd" | "hasBareKeys"> {
  const first = root.kind === "object" ? root.members[0] : undefined;
  const unit =
    first !== undefined && isFirstOnLine(text, first.key.start)
      ? indentAt(text, first.key.start)
      : "";
  return {
    unit: unit === "" ? "  " : unit,
    lineEnd: text.includes("\r\n") ? "\r\n" : "\n",
    hasBareKeys: first !== undefined && isBare(text, first),
  };
}

/** Whether a key is written without quotes. */
export function isBare(text: string, { key }: Member): boolean {
  return !/["']/u.test(text.charAt(key.start));
}

/** The white space with which the line of a position begins. */
export function indentAt(text: string, position: number): string {
  const start = lineStart(text, position);
  let end = start;
  while (isBlank(text.charAt(end))) end += 1;
  return text.slice(start, Math.min(end, position));
}

export function isFirstOnLine(text: string, position: number): boolean {
  return lineStart(text, position) + indentAt(text, position).length === position;
}

export function lineStart(text: string, position: number): number {
  let at = position;
  while (at > 0 && !LINE_END.test(text.charAt(at - 1))) at -= 1;
  return at;
}

/** White space that ends no line. */
export function isBlank(char: string): boolean {
  return char !== "" && /[\s\uFEFF]/u.test(char) && !LINE_END.test(char);
}

/** `key: value`, as it is written there. */
export function renderMember(key: string, value: unknown, layout: Layout): string {
  return `${renderKey(key, layout)}: ${renderValue(value, layout)}`;
}

/** A value of JSON, as JSON5 that is also JSON unless keys are bare. */
export function renderValue(value: unknown, layout: Layout): string {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => renderValue(item, inner(layout)));
    return enclose("[", items, "]", layout, "");
  }
  if (isObject(value)) {
    const members = Object.entries(value).map(([key, item]) =>
      renderMember(key, item, inner(layout)),
    );
    return enclose("{", members, "}", layout, " ");
  }
  return quote(value);
}

function inner(layout: Layout): Layout {
  return { ...layout, indent: layout.indent + layout.unit };
}

function enclose(
  open: string,
  items: readonly string[],
  close: string,
  layout: Layout,
  padding: string,
): string {
  if (items.length === 0) return open + close;
  if (layout.isInline) return `${open}${padding}${items.join(", ")}${padding}${close}`;
  const { indent, unit, lineEnd } = layout;
  const lines = items.map((item) => `${lineEnd}${indent}${unit}${item}`).join(",");
  return `${open}${lines}${lineEnd}${indent}${close}`;
}

function renderKey(key: string, { hasBareKeys }: Layout): string {
  return hasBareKeys && /^[A-Za-z$][\w$]*$/u.test(key) ? key : quote(key);
}

/** JSON that JSON5 parsers take without a warning as well. */
function quote(value: unknown): string {
  return JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}
