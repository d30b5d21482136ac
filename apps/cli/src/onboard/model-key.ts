import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { asObject, hasCode, writePrivateFile } from "@openclaw/app-kit";
import { CliError } from "../errors.ts";
import { MODEL_PROVIDERS, type ModelAnswer } from "./answers.ts";

/** Where the keys of the main agent's model providers are kept, 0600, on the Gateway's machine only. */
export function authProfilesPath(stateDir: string): string {
  return join(stateDir, "agents", "main", "agent", "auth-profiles.json");
}

/** Keeps the key of a provider beside those that are there. */
export async function keepModelKey(
  stateDir: string,
  { choice, apiKey }: ModelAnswer,
): Promise<void> {
  if (choice === "skip" || apiKey === undefined) return;
  const { provider } = MODEL_PROVIDERS[choice];
  const path = authProfilesPath(stateDir);
  const store = await readStore(path);
  const profiles = {
    ...asObject(store["profiles"]),
    [`${provider}:default`]: { type: "api_key", provider, key: apiKey },
  };
  writePrivateFile(path, `${JSON.stringify({ version: 1, ...store, profiles }, undefined, 2)}\n`);
}

async function readStore(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return {};
    throw error;
  }
  try {
    return asObject(JSON.parse(text));
  } catch (error) {
    // It holds other keys: what cannot be read is not written over.
    throw new CliError("cli_error", `${path} cannot be read, and stays as it is`, {
      hints: ["Mend it or move it away, and try again."],
      fields: { kind: "config" },
      cause: error,
    });
  }
}
