import type {
  AnyNode,
  ConfigNode,
  EitherNode,
  FlagNode,
  KeyFacts,
  ListNode,
  NumberNode,
  SectionNode,
  TextNode,
  Typed,
  ValueOf,
  WordNode,
} from "./config-node.ts";

type Facts = Omit<KeyFacts, "summary">;
type SectionFacts = Facts & Pick<SectionNode, "rules" | "defaults">;
type Keys = Readonly<Record<string, ConfigNode>>;
type ValuesOf<K extends Keys> = { -readonly [Key in keyof K]?: ValueOf<K[Key]> | undefined };
type Defined<T> = Exclude<T, undefined>;

/** A string that says something. */
export function text(summary: string, facts: Facts = {}): Typed<string, TextNode> {
  return { kind: "text", summary, allowed: "a string", mayBeEmpty: false, ...facts };
}

/** A string that may be empty. */
export function anyText(summary: string, facts: Facts = {}): Typed<string, TextNode> {
  return { ...text(summary, facts), mayBeEmpty: true };
}

/** A password, a token, a key. */
export function secret(summary: string, facts: Facts = {}): Typed<string, TextNode> {
  return { ...text(summary, facts), isSecret: true };
}

/** A file or folder. */
export function path(summary: string, facts: Facts = {}): Typed<string, TextNode> {
  return { ...text(summary, facts), isPath: true };
}

/** A string of a certain shape. */
export function matching(
  pattern: RegExp,
  allowed: string,
  summary: string,
  facts: Facts = {},
): Typed<string, TextNode> {
  return { ...text(summary, facts), pattern, allowed };
}

/** A string that a function knows to be right. */
export function checked(
  isRight: (value: string) => boolean,
  allowed: string,
  summary: string,
  facts: Facts = {},
): Typed<string, TextNode> {
  return { ...text(summary, facts), isRight, allowed };
}

/** A list of strings. */
export function texts(summary: string, facts: Facts = {}): Typed<string[], ListNode> {
  return list(text("One of them."), summary, { allowed: "a list of strings", ...facts });
}

/** `true` or `false`. */
export function flag(summary: string, facts: Facts = {}): Typed<boolean, FlagNode> {
  return { kind: "flag", summary, ...facts };
}

/** A whole number. */
export function integer(
  min: number,
  summary: string,
  { max = Number.MAX_SAFE_INTEGER, ...facts }: Facts & { readonly max?: number } = {},
): Typed<number, NumberNode> {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const allowed = `an integer ${range}`;
  return { kind: "number", isInteger: true, summary, allowed, min, max, ...facts };
}

/** A number, whole or not. */
export function number(
  min: number,
  summary: string,
  { max = Number.MAX_VALUE, ...facts }: Facts & { readonly max?: number } = {},
): Typed<number, NumberNode> {
  const range = max === Number.MAX_VALUE ? `of at least ${min}` : `from ${min} to ${max}`;
  return {
    kind: "number",
    isInteger: false,
    summary,
    allowed: `a number ${range}`,
    min,
    max,
    ...facts,
  };
}

/** A TCP port. */
export function port(summary: string, facts: Facts = {}): Typed<number, NumberNode> {
  return integer(1, summary, { max: 65_535, ...facts });
}

/** One of a few words. */
export function oneOf<const W extends readonly [string | boolean, ...(string | boolean)[]]>(
  words: W,
  summary: string,
  facts: Facts = {},
): Typed<W[number], WordNode> {
  return { kind: "word", words, summary, ...facts };
}

/** A list. */
export function list<N extends ConfigNode>(
  item: N,
  summary: string,
  {
    allowed = "a list",
    minItems = 0,
    maxItems = Number.MAX_SAFE_INTEGER,
    ...facts
  }: Facts & {
    readonly allowed?: string;
    readonly minItems?: number;
    readonly maxItems?: number;
  } = {},
): Typed<Defined<ValueOf<N>>[], ListNode> {
  return { kind: "list", item, allowed, minItems, maxItems, summary, ...facts };
}

/** An object of which every key is known; all of them may be missing. */
export function section<const K extends Keys>(
  summary: string,
  keys: K,
  facts: SectionFacts = {},
): Typed<ValuesOf<K>, SectionNode> {
  return { kind: "section", summary, keys, ...facts };
}

/** An object of which some keys are known, and whose others all hold the same. */
export function openSection<const K extends Keys, const N extends ConfigNode>(
  summary: string,
  keys: K,
  rest: N,
  facts: SectionFacts = {},
): Typed<ValuesOf<K> & Record<string, unknown>, SectionNode> {
  return { kind: "section", summary, keys, rest, ...facts };
}

/** An object whose keys are names that the user chooses. */
export function mapOf<const N extends ConfigNode>(
  item: N,
  summary: string,
  facts: Facts & Pick<SectionNode, "restKey"> = {},
): Typed<Record<string, Defined<ValueOf<N>>>, SectionNode> {
  return { kind: "section", summary, keys: {}, rest: item, ...facts };
}

/** An object whose keys belong to an extension, or to a part that reads them by itself. */
export function open(
  summary: string,
  facts: Facts = {},
): Typed<Record<string, unknown>, SectionNode> {
  return mapOf(anything("Whatever that part knows."), summary, facts);
}

/** Anything that JSON can hold. */
export function anything(summary: string, facts: Facts = {}): Typed<unknown, AnyNode> {
  return { kind: "any", summary, ...facts };
}

/** A value that may have one of several shapes. */
export function either<const N extends readonly ConfigNode[]>(
  options: N,
  allowed: string,
  summary: string,
  facts: Facts = {},
): Typed<ValueOf<N[number]>, EitherNode> {
  return { kind: "either", options, allowed, summary, ...facts };
}
