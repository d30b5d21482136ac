import type { ConfigKey } from "@openclaw/config";

const PREFACE = `# Config reference

<!-- Written by \`npm run docs\` from the schema of the config file. Do not edit. -->

Every key of the config file. [configuration.md](configuration.md) says where the file is, and how it is
read. All keys may be missing; an unknown one makes the file invalid, except where a section takes keys of
any name. \`openclaw config schema\` prints the same as JSON Schema, for editors.

\`<name>\` stands for a name that you choose, \`[]\` for each item of a list. *Change* says what a running
Gateway does when the key changes: **restart** restarts it, **live** renews the part that the key is about,
and with **–** there is nothing to do: the value is read when it is needed next.
`;

const CHANGE = { restart: "restart", hot: "live", none: "–" } as const;

/** `docs/config-reference.md`, written from the keys of the schema; not yet formatted. */
export function configReference(keys: readonly ConfigKey[]): string {
  const sections = keys.filter(({ path }) => !/[.[]/u.test(path));
  return [
    PREFACE,
    list(sections),
    ...sections.map((section) =>
      sectionText(
        section,
        keys.filter(({ path }) => isBelow(path, section.path)),
      ),
    ),
  ].join("\n");
}

function list(sections: readonly ConfigKey[]): string {
  const lines = sections.map(
    ({ path, summary }) =>
      `- [\`${path}\`](#${path.replaceAll(/\W/gu, "").toLowerCase()}): ${summary}`,
  );
  return `${lines.join("\n")}\n`;
}

function sectionText(section: ConfigKey, keys: readonly ConfigKey[]): string {
  const rules = [section, ...keys].flatMap(({ path, rules: own }) =>
    own.map((rule) => `- \`${path}\`: ${rule}`),
  );
  return [
    `## ${section.path}\n`,
    `${section.summary} ${keys.length === 0 ? `Allowed: ${code(section.allowed)}.` : ""}\n`,
    keys.length === 0 ? "" : table(keys),
    rules.length === 0 ? "" : `What several keys must be together:\n\n${rules.join("\n")}\n`,
  ].join("\n");
}

function table(keys: readonly ConfigKey[]): string {
  const rows = keys.map((key) => [
    `\`${key.path}\``,
    key.isSection && key.allowed === "an object" ? "" : code(key.allowed),
    fallbackText(key),
    CHANGE[key.reload],
    [key.summary, key.isSecret ? "Secret." : ""].filter(Boolean).join(" "),
  ]);
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const head = ["Key", "Allowed", "Default", "Change", "Meaning"];
  return `${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}\n`;
}

function fallbackText({ fallback, unit }: ConfigKey): string {
  const inUnit = unit === undefined ? "" : ` ${unit}`;
  if (fallback === undefined) return unit === undefined ? "" : `in ${unit}`;
  return "text" in fallback ? fallback.text : `\`${JSON.stringify(fallback.value)}\`${inUnit}`;
}

/** Words and names as code, the rest as it is. */
function code(allowed: string): string {
  return allowed
    .replaceAll(/"[^"]+"/gu, (word) => `\`${word}\``)
    .replaceAll(/sha256\/\/<base64>/gu, (word) => `\`${word}\``);
}

function isBelow(path: string, section: string): boolean {
  return path.startsWith(`${section}.`) || path.startsWith(`${section}[`);
}
