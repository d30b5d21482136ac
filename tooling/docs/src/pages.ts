import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the repository. */
export const root = fileURLToPath(new URL("../../..", import.meta.url));

/** A Markdown file that people read. */
export interface Page {
  /** Below the root, with forward slashes. */
  path: string;
  text: string;
}

/** A fenced block of code. */
export interface CodeBlock {
  page: string;
  /** Line of the opening fence, counted from 1. */
  line: number;
  language: string;
  text: string;
  /** The file that it is a copy of, as the comment above it says. */
  copyOf: string | undefined;
}

const FENCE =
  /^(?:<!-- (?<copyOf>examples\/\S+) -->\n\n)?```(?<language>\w*)\n(?<text>.*?)^```$/gmsu;

/** Every page: the root's, `docs/`, and the READMEs of all workspaces. */
export function readPages(): Page[] {
  const readmes = ["packages", "apps", "tooling"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}/README.md`),
  );
  const docs = readdirSync(join(root, "docs")).map((name) => `docs/${name}`);
  return ["README.md", "CONTRIBUTING.md", ...docs, ...readmes]
    .filter((path) => path.endsWith(".md") && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** The blocks of code in a page. */
export function codeBlocks({ path, text }: Page): CodeBlock[] {
  return [...text.matchAll(FENCE)].map((match) => {
    const { copyOf, language = "", text: code = "" } = match.groups ?? {};
    const before = text.slice(0, match.index + match[0].indexOf("```"));
    return { page: path, line: before.split("\n").length, language, text: code, copyOf };
  });
}

/** The page with every block that is a copy filled from its file. */
export function fillCopies(text: string, readFile: (path: string) => string): string {
  return text.replaceAll(FENCE, (block: string, ...rest: unknown[]) => {
    // The last argument of a replacer is the named groups.
    const { copyOf, language } = rest.at(-1) as { copyOf?: string; language: string };
    if (copyOf === undefined) return block;
    return `<!-- ${copyOf} -->\n\n\`\`\`${language}\n${readFile(copyOf)}\`\`\``;
  });
}
