import type { JsonObject } from "../json.ts";

/** What a running Gateway does when a key changes: start anew, renew that one part, or nothing at all. */
export type ReloadKind = "restart" | "hot" | "none";

/** What is known of a key besides its shape. Messages, docs and JSON Schema are written from it. */
export interface KeyFacts {
  /** What the key is for: one sentence, or several. */
  readonly summary: string;
  /** Value that counts while the key is missing. */
  readonly default?: unknown;
  /** The same in words, where it depends on something. */
  readonly defaultText?: string;
  /** Unit of a number, such as `ms` or `bytes`. */
  readonly unit?: string;
  /** For the key and everything below it. @default that of the section around it */
  readonly reload?: ReloadKind;
  /** Another key that takes the same as this one, for the docs. */
  readonly sameAs?: string;
  /** The value is never shown, logged or written into a message. */
  readonly isSecret?: true;
  /**
   * The fewer entries, the more is allowed. A reference to a variable without a value makes the file
   * invalid here, where elsewhere it counts as unset.
   */
  readonly isRestriction?: true;
  /** Other releases know the key; this program leaves it alone, and neither docs nor messages name it. */
  readonly isElsewhere?: true;
  /** The value is a path; a leading `~` stands for the home directory. */
  readonly isPath?: true;
}

/** A string. */
export interface TextNode extends KeyFacts {
  readonly kind: "text";
  /** What is allowed, for messages. */
  readonly allowed: string;
  readonly mayBeEmpty: boolean;
  /** For the JSON Schema, and the check itself while there is no `isRight`. */
  readonly pattern?: RegExp;
  isRight?(value: string): boolean;
}

/** A number; both ends of the range are allowed. */
export interface NumberNode extends KeyFacts {
  readonly kind: "number";
  readonly allowed: string;
  readonly isInteger: boolean;
  readonly min: number;
  readonly max: number;
}

/** `true` or `false`. */
export interface FlagNode extends KeyFacts {
  readonly kind: "flag";
}

/** One of a few words, or of `true` and `false` where only one of them is allowed. */
export interface WordNode extends KeyFacts {
  readonly kind: "word";
  readonly words: readonly (string | boolean)[];
}

/** A list whose items are all of one kind. */
export interface ListNode extends KeyFacts {
  readonly kind: "list";
  readonly allowed: string;
  readonly item: ConfigNode;
  readonly minItems: number;
  readonly maxItems: number;
}

/** A rule that looks at several keys of a section. */
export interface SectionRule {
  /** The rule in words, for the docs. */
  readonly summary: string;
  /** What breaks the rule; nothing where the section keeps it. */
  problems(section: JsonObject): readonly RuleProblem[];
}

/** One way in which a section breaks a rule. */
export interface RuleProblem {
  /** Steps from the section to the value that is at fault. */
  readonly path: readonly (string | number)[];
  /** What is allowed there. */
  readonly allowed: string;
}

/** An object. All of its keys may be missing. */
export interface SectionNode extends KeyFacts {
  readonly kind: "section";
  readonly keys: Readonly<Record<string, ConfigNode>>;
  /** What keys may hold that are not named in `keys`. @default there are no others */
  readonly rest?: ConfigNode;
  /** What those keys look like. */
  readonly restKey?: { readonly pattern: RegExp; readonly allowed: string };
  readonly rules?: readonly SectionRule[];
  /**
   * When the defaults below count: `when-present` only where somebody has written the section, and
   * `elsewhere` not at all, since what is missing is taken from a section further up.
   */
  readonly defaults?: "when-present" | "elsewhere";
}

/** A value that may have one of several shapes. */
export interface EitherNode extends KeyFacts {
  readonly kind: "either";
  readonly allowed: string;
  readonly options: readonly ConfigNode[];
}

/** Anything that JSON can hold. */
export interface AnyNode extends KeyFacts {
  readonly kind: "any";
}

/** A place in the tree of the config, and what it may hold. */
export type ConfigNode =
  | TextNode
  | NumberNode
  | FlagNode
  | WordNode
  | ListNode
  | SectionNode
  | EitherNode
  | AnyNode;

declare const VALUE: unique symbol;

/** A node whose values have the type `T`. The type exists for the compiler alone. */
export type Typed<T, N extends ConfigNode = ConfigNode> = N & { readonly [VALUE]?: T };

/** The type of the values of a node. */
export type ValueOf<N> = N extends { readonly [VALUE]?: infer T } ? T : never;
