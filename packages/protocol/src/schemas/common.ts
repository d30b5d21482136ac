import { z } from "zod";

/** A string of at least one character. */
export const text = z.string().min(1);
/** An integer of 0 or more. */
export const count = z.int().min(0);
/** Epoch milliseconds. */
export const epochMs = count;
/** Closed object without members. */
export const nothing = z.strictObject({});
/** An object of which only some members are known. */
export const open = z.looseObject({});
