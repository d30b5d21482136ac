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
import { type ContainerNode, LINE_END, type Member, type Outline } from "./json5-outline.ts";
import { outlineOf, type Range } from "./json5-outline.ts";
import { type ConfigPath, formatConfigPath, type PathKey, parseConfigPath } from "./config-path.ts";

/** One change of a config file. */
export interface ConfigEdit {
  /** Path such as `gateway.remote.url` or `agents.list[0].name`, or its keys; see `parseConfigPath`. */
  readonly path: string | ConfigPath;
  /** What is to stand there, of what JSON has; `undefined` removes the key. */
  readonly value: unknown;
}

/** A parser of JSON5. */
export type ParseJson5 = (text: string) => unknown;

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
    if (node.kind === "other" || !fits(node.kind, key)) {
      if (edit.value === undefined) return text;
      throw notAContainer(keys.slice(0, depth), key);
    }
    // Of two members with one name the last counts.
    const member = node.members.findLast(({ name }) => name === String(key));
    const rest = keys.slice(depth + 1);
    if (member === undefined) {
      if (edit.value === undefined) return text;
      assertNext(node, keys.slice(0, depth), key);
      return insert(text, outline, node, String(key), nest(keys, depth + 1, toJson(edit.value)));
    }
    if (rest.length === 0) {
      if (edit.value === undefined) {
        const removed = remove(text, outline, node, member);
        // Again, for there may be another member of that name; the next item of a list stays.
        return node.kind === "list" ? removed : editOnce(removed, edit, parse);
      }
      return replace(text, outline, member, toJson(edit.value), parse);
    }
    node = member.value;
  }
  return text;
}

/** The keys of an edit's path. */
export function keysOf({ path }: ConfigEdit): ConfigPath {
  const keys = typeof path === "string" ? parseConfigPath(path) : path;
  if (keys.length > 0) return keys;
  throw new ConfigError("INVALID_EDIT", `${JSON.stringify(path)} is no path of a config key.`);
}

/** What the parsed config is after the edit: the yardstick for the text. */
export function editValue(config: unknown, edit: ConfigEdit): unknown {
  const change = (value: unknown, [key, ...rest]: ConfigPath): unknown => {
    if (key === undefined) return toJson(edit.value);
    if (Array.isArray(value)) return changeItem(value, Number(key), rest);
    if (value === undefined && typeof key === "number") return changeItem([], key, rest);
    const name = String(key);
    const members = Object.entries(isObject(value) ? value : {});
    const known = members.find(([other]) => other === name)?.[1];
    if (edit.value === undefined && (!isObject(value) || known === undefined)) return value;
    const others = members.filter(([other]) => other !== name);
    if (edit.value === undefined && rest.length === 0) return Object.fromEntries(others);
    return Object.fromEntries([...others, [name, change(known, rest)]]);
  };
  const changeItem = (items: readonly unknown[], index: number, rest: ConfigPath): unknown => {
    if (edit.value === undefined && (!(index < items.length) || rest.length === 0)) {
      return items.filter((_, other) => other !== index);
    }
    const changed = change(items[index], rest);
    return [...items.slice(0, index), changed, ...items.slice(index + 1)];
  };
  return change(config, keysOf(edit));
}

/** Whether a container can have such a key: a list counts its items, an object names its members. */
function fits(kind: ContainerNode["kind"], key: PathKey): boolean {
  if (kind === "object") return typeof key === "string";
  return typeof key === "number" || /^(?:0|[1-9]\d*)$/u.test(key);
}

/** A list grows at its end, without a gap. */
function assertNext({ kind, members }: ContainerNode, path: ConfigPath, key: PathKey): void {
  if (kind === "object" || Number(key) === members.length) return;
  const where = formatConfigPath(path);
  throw new ConfigError(
    "INVALID_EDIT",
    `${where} has ${members.length} items, so that there can be no [${key}].`,
    { hint: `The next one is ${where}[${members.length}].` },
  );
}

function insert(
  text: string,
  outline: Outline,
  node: ContainerNode,
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
  node: ContainerNode,
  key: string,
  value: unknown,
): string {
  const style = styleOf(text, outline);
  const base = indentAt(text, node.start);
  // A document of several lines, or one that holds nothing yet, gets a line for each key.
  const { root } = outline;
  const isInline = node !== root && !LINE_END.test(text.slice(root.start, root.end));
  const layout: Layout = { ...style, indent: isInline ? base : base + style.unit, isInline };
  const member = renderEntry(node, key, value, layout);
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
  node: ContainerNode,
  last: Member,
  key: string,
  value: unknown,
): string {
  const first = node.members[0] ?? last;
  const style = styleOf(text, outline);
  const isInline = !isFirstOnLine(text, first.key.start);
  const sibling = isFirstOnLine(text, last.key.start) ? last : first;
  const layout: Layout = {
    ...style,
    indent: indentAt(text, sibling.key.start),
    isInline,
    hasBareKeys: node.kind === "object" ? isBare(text, last) : style.hasBareKeys,
  };
  const member = renderEntry(node, key, value, layout);
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

function renderEntry(node: ContainerNode, key: string, value: unknown, layout: Layout): string {
  return node.kind === "list" ? renderValue(value, layout) : renderMember(key, value, layout);
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

function remove(text: string, outline: Outline, node: ContainerNode, member: Member): string {
  if (node.members.length === 1 && !outline.comments.some((one) => isBeside(one, node, member))) {
    const nothing = node.kind === "list" ? "[]" : "{}";
    return text.slice(0, node.start) + nothing + text.slice(node.end);
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

/** `value` below the keys from `depth` on. */
function nest(keys: ConfigPath, depth: number, value: unknown): unknown {
  const key = keys[depth];
  if (key === undefined) return value;
  const inner = nest(keys, depth + 1, value);
  if (typeof key === "string") return Object.fromEntries([[key, inner]]);
  assertNext({ kind: "list", members: [], start: 0, end: 0 }, keys.slice(0, depth), key);
  return [inner];
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

function notAContainer(keys: ConfigPath, key: PathKey): ConfigError {
  const what = typeof key === "number" ? "a list" : "an object";
  return new ConfigError(
    "INVALID_EDIT",
    `${formatConfigPath(keys) || "the config"} is not ${what}.`,
    {
      hint: `Remove the key, or make it ${what}, and try again.`,
    },
  );
}
