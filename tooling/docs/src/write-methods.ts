import { join } from "node:path";
import { documentedProgramMethods } from "@openclaw/gateway/program-methods";
import { createGateway } from "@openclaw/gateway-core";
import { formatPage } from "./format-page.ts";
import { methodReference } from "./method-reference.ts";
import { root } from "./pages.ts";

/** Where {@link renderMethods} belongs. */
export const METHODS_PATH = join(root, "docs/methods.md");

/** The reference of all methods, formatted as the repository's files are. */
export async function renderMethods(): Promise<string> {
  await using gateway = createGateway({ auth: { mode: "none" } });
  return formatPage(METHODS_PATH, methodReference(gateway.methods, documentedProgramMethods()));
}
