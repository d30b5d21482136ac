import { lstat, readdir } from "node:fs/promises";
import { join, parse, sep } from "node:path";

/**
 * The files that an absolute path with wildcards names, in the order of their bytes: `*`, `?` and
 * `[…]` within one part of the path; a leading dot only where it is written.
 */
export async function filesMatching(pattern: string): Promise<readonly string[]> {
  const { root } = parse(pattern);
  let found: readonly string[] = [root];
  for (const part of pattern.slice(root.length).split(sep === "\\" ? /[\\/]/u : "/")) {
    if (part === "") continue;
    const hasWildcard = /[*?[]/u.test(part);
    const next = await Promise.all(
      found.map(async (directory) => {
        if (!hasWildcard) return [join(directory, part)];
        const names = await readdir(directory).catch(() => []);
        return names.filter((name) => fits(name, part)).map((name) => join(directory, name));
      }),
    );
    found = next.flat();
  }
  const existing = await Promise.all(found.map(exists));
  return found
    .filter((_, index) => existing[index])
    .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function fits(name: string, part: string): boolean {
  if (name.startsWith(".") && !part.startsWith(".")) return false;
  const source = part.replace(
    /\*+|\?|\[([!^]?)(\]?[^\]]*)\]|\\(.)|[\s\S]/gu,
    (found, negation?: string, set?: string, escaped?: string) => {
      if (set !== undefined) {
        return `[${negation === "" ? "" : "^"}${set.replace(/[\\\]^[]/gu, "\\$&")}]`;
      }
      if (found.startsWith("*")) return "[^]*";
      if (found === "?") return "[^]";
      return (escaped ?? found).replace(/[.*+?^${}()|[\]\\/-]/gu, "\\$&");
    },
  );
  try {
    return new RegExp(`^${source}$`, "u").test(name);
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
