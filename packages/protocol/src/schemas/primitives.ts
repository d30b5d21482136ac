import * as z from "zod";
import { mustBe } from "../failure-text.ts";

/** A string that may be empty. */
export const anyText = z.string();

/** A string of at least one character. */
export const text = z.string().min(1);

export const texts = z.array(text);

export const flag = z.boolean();

/** JSON that is handed on as it is. */
export const anyJson = z.unknown();

/** An object whose members are somebody else's concern. */
export const anyObject = z.record(z.string(), z.unknown());

export const flags = z.record(z.string(), z.boolean());

/** An integer of any size: `z.int()` would refuse those beyond 2⁵³, which peers may send. */
export const integer = z
  .number({ error: mustBe("integer") })
  .refine(Number.isInteger, { error: mustBe("integer") })
  // For the JSON Schema, which cannot see into a refinement.
  .meta({ type: "integer" });

/** An integer that is not negative: a count, a duration or a point in time in milliseconds. */
export const count = integer.min(0);

/** A number that is not negative, whole or not. */
export const amount = z.number().min(0);

/**
 * An object that a peer sends and we read: members we do not know pass, and are kept. The type
 * leaves them out, so that a misspelt member does not compile.
 */
export function open<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape> {
  return z.looseObject(shape);
}

/** A closed object: a member that is not listed is refused. */
export const closed = z.strictObject;

/** Params of a method that takes none. */
export const noParams = closed({});

/** The answer of a method that only acknowledges. */
export const acknowledged = open({ ok: flag });

/** Members that may be left out. A schema costs more to build than to share, and these are many. */
export const maybe = {
  anyText: anyText.optional(),
  text: text.optional(),
  texts: texts.optional(),
  flag: flag.optional(),
  flags: flags.optional(),
  count: count.optional(),
  anyJson: anyJson.optional(),
  anyObject: anyObject.optional(),
} as const;
