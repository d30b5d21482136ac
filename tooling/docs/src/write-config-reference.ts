import { join } from "node:path";
import { listConfigKeys } from "@openclaw/config";
import { configReference } from "./config-reference.ts";
import { formatPage } from "./format-page.ts";
import { root } from "./pages.ts";

/** Where {@link renderConfigReference} belongs. */
export const CONFIG_REFERENCE_PATH = join(root, "docs/config-reference.md");

/** The reference of all keys, formatted as the repository's files are. */
export async function renderConfigReference(): Promise<string> {
  return formatPage(CONFIG_REFERENCE_PATH, configReference(await listConfigKeys()));
}
