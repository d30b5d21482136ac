import type { PortHolder } from "../errors.ts";

/** Programs that run a script, whose name then counts. */
const RUNTIMES = new Set(["node", "nodejs", "bun", "deno", "electron"]);
/** The product's names, present and former. */
const PRODUCTS = new Set(["openclaw", "clawdbot", "moltbot", "moldbot"]);
/** Global options of the product's command that take the next word. */
const OPTIONS_WITH_VALUE = new Set(["--profile", "--log-level", "--config", "--state-dir"]);

/** What a program is, by its name and its words. `own-orphan` cannot be seen from these. */
export function holderKind(
  program: string | undefined,
  argv: readonly string[],
): Exclude<PortHolder["kind"], "own-orphan"> {
  const first = argv[0] ?? program;
  if (first === undefined || first === "") return "unknown";
  // The master of a shared connection writes its own title: `ssh: /home/me/.ssh/cm-box [mux]`.
  if (first.startsWith("ssh: ")) return "ssh";
  const name = baseName(first);
  if (name === "ssh" || baseName(program ?? "") === "ssh") return "ssh";
  const words = RUNTIMES.has(name) ? scriptAndWords(argv) : argv;
  return productKind(words) ?? "program";
}

/** `node --flag … script word…` without the runtime and what is meant for it. */
function scriptAndWords(argv: readonly string[]): readonly string[] {
  let at = 1;
  while (at < argv.length && argv[at]?.startsWith("-")) {
    at += /^(?:-r|--require|--import|--loader|--experimental-loader|-C|--conditions)$/u.test(
      argv[at] ?? "",
    )
      ? 2
      : 1;
  }
  return argv.slice(at);
}

function productKind([script, ...words]: readonly string[]): "gateway" | "own-tunnel" | undefined {
  if (script === undefined) return undefined;
  // A process that has set its title has one word, which may hold several.
  const [title = "", ...titleWords] = script.split(/\s+/u);
  const name = baseName(title);
  const product = [...PRODUCTS].find((known) => name === known || name.startsWith(`${known}-`));
  if (product !== undefined && name !== product) {
    const role = name.slice(product.length + 1);
    if (role === "gateway") return "gateway";
    return role === "tunnel" || role === "node" ? "own-tunnel" : undefined;
  }
  const isOurs =
    product !== undefined ||
    script.split(/[/\\]/u).some((part) => PRODUCTS.has(part.toLowerCase()));
  if (!isOurs) return undefined;
  const command = commandOf(words.length === 0 ? titleWords : words);
  if (command === "gateway" || command === "daemon") return "gateway";
  return command === "tunnel" || command === "node" ? "own-tunnel" : undefined;
}

function commandOf(words: readonly string[]): string | undefined {
  return words.find(
    (word, index) => !word.startsWith("-") && !OPTIONS_WITH_VALUE.has(words[index - 1] ?? ""),
  );
}

function baseName(path: string): string {
  const name = path.split(/[/\\]/u).at(-1) ?? path;
  return name.toLowerCase().replace(/\.(?:exe|cmd|m?js|cjs|ts)$/u, "");
}
