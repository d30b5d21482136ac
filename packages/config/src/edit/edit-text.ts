import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "../config-error.ts";
import { isObject } from "../json.ts";
import {
  indentAt,
  isBare,
  isBlank,
  isFirstOnLine,
  type Layout,
  lineStart,
  renderMember,
  renderValue,
  styleOf,
} from "./json5-layout.ts";
import { LINE_END, type Member, type Outline, outlineOf, type Range } from "./json5-outline.ts";

/** One change of a config file. */
export interface ConfigEdit {
  /** Dotted path such as `gateway.remote.url`, or its keys, where one of them has a dot in it. */
  readonly path: string | readonly string[];
  /** What is to stand there, of what JSON has; `undefined` removes the key. */
  readonly value: unknown;
}

/** A parser of JSON5. */
export type ParseJson5 = (text: string) => unknown;

type ObjectNode = Extract<Outline["root"], { kind: "object" }>;

/**
 * Makes changes in a JSON5 text and leaves everything else as it was, byte for byte: comments, the
 * order of keys, quotes, indentation, trailing commas. An object on the way that is missing is made.
 * A value that is already so stays as it is written.
 *
 * @throws {@link ConfigError} `INVALID_EDIT` when a path leads through something that is no object.
 */
export function editText(text: string, edits: readonly ConfigEdit[], parse: ParseJson5): string {
  return edits.reduce((edited, edit) => editOnce(edited, edit, parse), text);
}

function editOnce(text: string, edit: ConfigEdit, parse: ParseJson5): string {
  const keys = keysOf(edit);
  const outline = outlineOf(text, (literal) => String(parse(literal)));
  let node = outline.root;
  for (const [depth, key] of keys.entries()) {
    if (node.kind !== "object") {
      if (edit.value === undefined) return text;
      throw notAnObject(keys.slice(0, depth));
    }
    // Of two members with one name the last counts.
    const member = node.members.findLast(({ name }) => name === key);
    const rest = keys.slice(depth + 1);
    if (member === undefined) {
      return edit.value === undefined
        ? text
        : insert(text, outline, node, key, nest(rest, toJson(edit.value)));
    }
    if (rest.length === 0) {
      // Again, for there may be another member of that name.
      if (edit.value === undefined)
        return editOnce(remove(text, outline, node, member), edit, parse);
      return replace(text, outline, member, toJson(edit.value), parse);
    }
    node = member.value;
  }
  return text;
}

/** The keys of an edit's path. */
export function keysOf({ path }: ConfigEdit): readonly string[] {
  const keys = typeof path === "string" ? path.split(".") : path;
  if (keys.length > 0 && (typeof path !== "string" || !keys.includes(""))) return keys;
  throw new ConfigError("INVALID_EDIT", `${JSON.stringify(path)} is no path of a config key.`);
}

/** What the parsed config is after the edit: the yardstick for the text. */
export function editValue(config: unknown, edit: ConfigEdit): unknown {
  const change = (value: unknown, [key, ...rest]: readonly string[]): unknown => {
    if (key === undefined) return toJson(edit.value);
    const members = Object.entries(isObject(value) ? value : {});
    const known = members.find(([name]) => name === key)?.[1];
    if (edit.value === undefined && (!isObject(value) || known === undefined)) return value;
    if (edit.value === undefined && rest.length === 0) {
      return Object.fromEntries(members.filter(([name]) => name !== key));
    }
    const others = members.filter(([name]) => name !== key);
    return Object.fromEntries([...others, [key, change(known, rest)]]);
  };
  return change(config, keysOf(edit));
}

function insert(
  text: string,
  outline: Outline,
  node: ObjectNode,
  key: string,
  value: unknown,
): string {
  const last = node.members.at(-1);
  return last === undefined
    ? insertFirst(text, outline, node, key, value)
    : insertAfter(text, outline, node, last, key, value);
}

function insertFirst(
  text: string,
  outline: Outline,
  node: ObjectNode,
  key: string,
  value: unknown,
): string {
  const style = styleOf(text, outline);
  const base = indentAt(text, node.start);
  // A document of several lines, or one that holds nothing yet, gets a line for each key.
  const { root } = outline;
  const isInline = node !== root && !LINE_END.test(text.slice(root.start, root.end));
  const layout: Layout = { ...style, indent: isInline ? base : base + style.unit, isInline };
  const member = renderMember(key, value, layout);
  const comment = outline.comments.findLast((one) => isWithin(one, node));
  const from = comment?.end ?? node.start + 1;
  const inside = text.slice(from, node.end - 1);
  const lead = isInline ? " " : `${style.lineEnd}${layout.indent}`;
  const close = isInline ? " " : `${style.lineEnd}${base}`;
  // White space alone is rewritten; behind a comment it stays where it already breaks the line.
  const tail = comment !== undefined && LINE_END.test(inside) ? inside : close;
  return text.slice(0, from) + lead + member + tail + text.slice(node.end - 1);
}

function insertAfter(
  text: string,
  outline: Outline,
  node: ObjectNode,
  last: Member,
  key: string,
  value: unknown,
): string {
  const first = node.members[0] ?? last;
  const isInline = !isFirstOnLine(text, first.key.start);
  const sibling = isFirstOnLine(text, last.key.start) ? last : first;
  const layout: Layout = {
    ...styleOf(text, outline),
    indent: indentAt(text, sibling.key.start),
    isInline,
    hasBareKeys: isBare(text, last),
  };
  const member = renderMember(key, value, layout);
  const comma = last.comma === undefined ? "" : ",";
  const separator = last.comma === undefined ? "," : "";
  const end = (last.comma ?? last.value).end;
  if (isInline) return `${text.slice(0, end)}${separator} ${member}${comma}${text.slice(end)}`;
  // A comment at the end of the line speaks of the member before it.
  const lineEnd = endOfRemarks(text, outline, end);
  return (
    `${text.slice(0, end)}${separator}${text.slice(end, lineEnd)}` +
    `${layout.lineEnd}${layout.indent}${member}${comma}${text.slice(lineEnd)}`
  );
}

/** Where the comments end that follow a position on its line. */
function endOfRemarks(text: string, { comments }: Outline, position: number): number {
  let end = position;
  for (;;) {
    let at = end;
    while (isBlank(text.charAt(at))) at += 1;
    const comment = comments.find(({ start }) => start === at);
    if (comment === undefined || LINE_END.test(text.slice(comment.start, comment.end))) return end;
    end = comment.end;
  }
}

function replace(
  text: string,
  outline: Outline,
  { key, value: old }: Member,
  value: unknown,
  parse: ParseJson5,
): string {
  if (isDeepStrictEqual(toPlain(parse(text.slice(old.start, old.end))), value)) return text;
  const layout: Layout = {
    ...styleOf(text, outline),
    indent: indentAt(text, key.start),
    isInline: !isFirstOnLine(text, key.start),
  };
  return text.slice(0, old.start) + renderValue(value, layout) + text.slice(old.end);
}

function remove(text: string, outline: Outline, node: ObjectNode, member: Member): string {
  if (node.members.length === 1 && !outline.comments.some((one) => isBeside(one, node, member))) {
    return `${text.slice(0, node.start)}{}${text.slice(node.end)}`;
  }
  const { key, colon, value, comma } = member;
  const index = node.members.indexOf(member);
  const before = node.members[index - 1];
  const after = node.members[index + 1];
  const parts = [key, colon, value, ...(comma === undefined ? [] : [comma])];
  const span = { start: key.start, end: (comma ?? value).end };
  const remarks = outline.comments.filter((one) => isWithin(one, span) && !isWithin(one, value));
  const cuts = remarks.length > 0 ? parts : [wholeLine(text, span) ?? inLine(text, span, after)];
  // A list without a comma at its end keeps none.
  if (comma === undefined && before?.comma !== undefined) cuts.unshift(before.comma);
  return cuts
    .toSorted((a, b) => b.start - a.start)
    .reduce((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), text);
}

/** The lines of a range, if nothing else stands on them. */
function wholeLine(text: string, { start, end }: Range): Range | undefined {
  if (!isFirstOnLine(text, start)) return undefined;
  let to = end;
  while (isBlank(text.charAt(to))) to += 1;
  if (!LINE_END.test(text.charAt(to))) return undefined;
  const width = text.startsWith("\r\n", to) ? 2 : 1;
  return { start: lineStart(text, start), end: to + width };
}

/** The range with the space towards its neighbour. */
function inLine(text: string, { start, end }: Range, after: Member | undefined): Range {
  let from = start;
  let to = end;
  // What follows takes the place, at the beginning of a line too; the last of a line leaves none.
  const isFollowed = after !== undefined || isFirstOnLine(text, start);
  if (isFollowed) while (isBlank(text.charAt(to))) to += 1;
  else while (isBlank(text.charAt(from - 1))) from -= 1;
  return { start: from, end: to };
}

/** In the object, and not in the value of its member. */
function isBeside(comment: Range, node: Range, { value }: Member): boolean {
  return isWithin(comment, node) && !isWithin(comment, value);
}

function isWithin(inner: Range, outer: Range): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

/** `value` below these keys. */
function nest(keys: readonly string[], value: unknown): unknown {
  return keys.reduceRight<unknown>((inner, key) => Object.fromEntries([[key, inner]]), value);
}

/** What JSON has of a value. */
function toJson(value: unknown): unknown {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new ConfigError("INVALID_EDIT", "the value is not one of JSON.");
  return toPlain(JSON.parse(text));
}

/** The same, with objects that compare alike whoever made them. */
export function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
}

function notAnObject(keys: readonly string[]): ConfigError {
  return new ConfigError("INVALID_EDIT", `${keys.join(".") || "the config"} is not an object.`, {
    hint: "Remove the key, or make it an object, and try again.",
  });
}
