import { z } from "zod";
import { joinPath } from "../json.ts";

/** Dotted paths of all keys that a schema knows, sections included. */
export function knownKeys(schema: z.core.$ZodType, path = ""): string[] {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(inner.shape).flatMap(([key, child]) => {
    const childPath = joinPath(path, key);
    return [childPath, ...knownKeys(child, childPath)];
  });
}
