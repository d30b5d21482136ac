import { ServiceError } from "../errors.ts";

/** What a property list can hold. Dates and data stay text. */
export type PlistValue =
  | string
  | number
  | boolean
  | readonly PlistValue[]
  | { readonly [key: string]: PlistValue };

const MAX_DEPTH = 64;
const HEADER = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
`;

/**
 * A property list in XML.
 *
 * @throws {@link ServiceError} `INVALID_DEFINITION` for a character that XML cannot hold
 */
export function writeXmlPlist(value: PlistValue): string {
  return `${HEADER}${element(value, "")}</plist>\n`;
}

/**
 * Reads a property list in XML: the elements that Apple's DTD has, the entities that XML has by
 * itself, comments and CDATA. Entities that a document declares itself are refused.
 *
 * @throws {@link ServiceError} `UNREADABLE_DEFINITION`
 */
export function readXmlPlist(text: string): PlistValue {
  const reader: Reader = { text: text.replace(/^\uFEFF/u, ""), offset: 0 };
  skipMisc(reader);
  const root = openTag(reader);
  if (root.name !== "plist" || root.isEmpty) throw unreadable("its root is no plist");
  const value = readElement(reader, 0);
  if (value === undefined) throw unreadable("it is empty");
  closeTag(reader, "plist");
  skipMisc(reader);
  if (reader.offset < reader.text.length) throw unreadable("something stands behind its end");
  return value;
}

function element(value: PlistValue, indent: string): string {
  if (typeof value === "string") return `${indent}<string>${escapeXml(value)}</string>\n`;
  if (typeof value === "boolean") return `${indent}<${value}/>\n`;
  if (typeof value === "number") {
    const name = Number.isInteger(value) ? "integer" : "real";
    return `${indent}<${name}>${value}</${name}>\n`;
  }
  const deeper = `${indent}\t`;
  if (isList(value)) {
    const items = value.map((item) => element(item, deeper)).join("");
    return `${indent}<array>\n${items}${indent}</array>\n`;
  }
  const entries = Object.entries(value)
    .map(([key, item]) => `${deeper}<key>${escapeXml(key)}</key>\n${element(item, deeper)}`)
    .join("");
  return `${indent}<dict>\n${entries}${indent}</dict>\n`;
}

function isList(value: PlistValue): value is readonly PlistValue[] {
  return Array.isArray(value);
}

function escapeXml(text: string): string {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/u.test(text) || !text.isWellFormed()) {
    throw new ServiceError(
      "INVALID_DEFINITION",
      "the service cannot be defined: a property list cannot hold control characters.",
    );
  }
  return (
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      // A reader turns a plain one into a line feed.
      .replaceAll("\r", "&#13;")
  );
}

interface Reader {
  readonly text: string;
  offset: number;
}

interface Tag {
  readonly name: string;
  /** `<true/>`, `<string/>`. */
  readonly isEmpty: boolean;
}

/** The next value, or undefined where the parent ends. */
function readElement(reader: Reader, depth: number): PlistValue | undefined {
  if (depth > MAX_DEPTH) throw unreadable("it is nested too deeply");
  skipMisc(reader);
  if (reader.text.startsWith("</", reader.offset)) return undefined;
  const { name, isEmpty } = openTag(reader);
  switch (name) {
    case "true":
    case "false":
      if (!isEmpty) closeTag(reader, name);
      return name === "true";
    case "string":
    case "key":
    case "date":
    case "data":
      return isEmpty ? "" : readText(reader, name);
    case "integer":
    case "real":
      return isEmpty ? 0 : readNumber(readText(reader, name));
    case "array":
      return isEmpty ? [] : readArray(reader, depth);
    case "dict":
      return isEmpty ? {} : readDict(reader, depth);
    default:
      throw unreadable(`it has an element ${JSON.stringify(name)}`);
  }
}

function readArray(reader: Reader, depth: number): PlistValue[] {
  const items: PlistValue[] = [];
  for (;;) {
    const item = readElement(reader, depth + 1);
    if (item === undefined) break;
    items.push(item);
  }
  closeTag(reader, "array");
  return items;
}

function readDict(reader: Reader, depth: number): { [key: string]: PlistValue } {
  const entries: [string, PlistValue][] = [];
  for (;;) {
    skipMisc(reader);
    if (reader.text.startsWith("</", reader.offset)) break;
    const { name, isEmpty } = openTag(reader);
    if (name !== "key") throw unreadable("a dictionary has a value without a key");
    const key = isEmpty ? "" : readText(reader, name);
    const value = readElement(reader, depth + 1);
    if (value === undefined) throw unreadable(`the key ${JSON.stringify(key)} has no value`);
    entries.push([key, value]);
  }
  closeTag(reader, "dict");
  // Not assigned one by one: a key may be called __proto__.
  return Object.fromEntries(entries);
}

function readNumber(text: string): number {
  const plain = text.trim();
  const value = /^[+-]?0x[0-9a-f]+$/iu.test(plain)
    ? Number.parseInt(plain.replace("+", ""), 16)
    : Number(plain === "" ? Number.NaN : plain);
  if (Number.isNaN(value)) throw unreadable(`${JSON.stringify(plain)} is no number`);
  return value;
}

/** Text up to the end of its element. */
function readText(reader: Reader, name: string): string {
  let result = "";
  for (;;) {
    const next = reader.text.indexOf("<", reader.offset);
    if (next === -1) throw unreadable(`<${name}> does not end`);
    result += decodeEntities(reader.text.slice(reader.offset, next).replaceAll(/\r\n?/gu, "\n"));
    reader.offset = next;
    if (reader.text.startsWith("<![CDATA[", next)) {
      result += reader.text.slice(next + "<![CDATA[".length, skipTo(reader, "]]>"));
    } else if (reader.text.startsWith("<!--", next)) {
      skipTo(reader, "-->");
    } else {
      closeTag(reader, name);
      return result;
    }
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

function decodeEntities(text: string): string {
  return text.replaceAll(/&([^;&]{0,10});?/gu, (whole, name: string) => {
    const [, hex, decimal] = /^#(?:x([0-9a-f]+)|([0-9]+))$/iu.exec(name) ?? [];
    const code = Number.parseInt(hex ?? decimal ?? "", hex === undefined ? 10 : 16);
    const decoded = code <= 0x10_ffff ? String.fromCodePoint(code) : ENTITIES[name];
    if (decoded === undefined || !whole.endsWith(";"))
      throw unreadable(`it has the entity ${whole}`);
    return decoded;
  });
}

function openTag(reader: Reader): Tag {
  const pattern = /<([A-Za-z][\w.-]*)(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(\/?)>/uy;
  const [, name, slash] = match(reader, pattern) ?? [];
  if (name === undefined) throw unreadable(`an element is expected at ${reader.offset}`);
  return { name, isEmpty: slash === "/" };
}

function closeTag(reader: Reader, name: string): void {
  skipMisc(reader);
  const [, found] = match(reader, /<\/([A-Za-z][\w.-]*)\s*>/uy) ?? [];
  if (found !== name) throw unreadable(`<${name}> does not end where it should`);
}

/** White space, comments, processing instructions, and a DOCTYPE that declares nothing. */
function skipMisc(reader: Reader): void {
  for (;;) {
    match(reader, /\s+/uy);
    if (reader.text.startsWith("<?", reader.offset)) skipTo(reader, "?>");
    else if (reader.text.startsWith("<!--", reader.offset)) skipTo(reader, "-->");
    else if (match(reader, /<!DOCTYPE[^[<>]*>/uy) === null) return;
  }
}

/** Moves behind `end`, and returns where `end` begins. */
function skipTo(reader: Reader, end: string): number {
  const found = reader.text.indexOf(end, reader.offset);
  if (found === -1) throw unreadable(`${end} is missing`);
  reader.offset = found + end.length;
  return found;
}

function match(reader: Reader, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = reader.offset;
  const found = pattern.exec(reader.text);
  if (found !== null) reader.offset = pattern.lastIndex;
  return found;
}

function unreadable(fault: string): ServiceError {
  return new ServiceError("UNREADABLE_DEFINITION", `this is no XML property list: ${fault}.`);
}
