import { basename } from "node:path";

/**
 * Whether an absolute path matches a pattern of the exec approvals: `?` is one character, `*` any
 * number of them within one folder, `**` any number of folders; `~` in front is the home folder. A
 * pattern without a separator matches nothing, since a name alone says nothing about the file behind
 * it. Case counts, but on Windows and macOS.
 */
export function matchesPathPattern(
  pattern: string,
  path: string,
  homedir: string,
  platform: NodeJS.Platform,
): boolean {
  const isWindows = platform === "win32";
  const expanded = pattern.trim().replace(/^~(?=[/\\])/, () => homedir);
  const normal = isWindows ? expanded.replaceAll("\\", "/") : expanded;
  if (!normal.includes("/") || basename(normal) === "") return false;
  const flags = isWindows || platform === "darwin" ? "iu" : "u";
  return new RegExp(`^${toSource(normal)}$`, flags).test(
    isWindows ? path.replaceAll("\\", "/") : path,
  );
}

function toSource(pattern: string): string {
  let source = "";
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? "";
    if (character === "*" && pattern[at + 1] === "*") {
      at += 1;
      if (pattern[at + 1] === "/") {
        at += 1;
        source += "(?:[^/]*/)*";
      } else {
        source += "[^]*";
      }
    } else if (character === "*") source += "[^/]*";
    else if (character === "?") source += "[^/]";
    else source += character.replace(/[\\^$.*+?()[\]{}|/]/, (special) => `\\${special}`);
  }
  return source;
}
