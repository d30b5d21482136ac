import type { Page } from "./pages.ts";
import { codeBlocks } from "./pages.ts";

/** A command that a page tells its reader to type. */
export interface ShellCommand {
  page: string;
  /** Without the comment behind it. */
  text: string;
}

/** The commands in the `sh` blocks of pages, in order. */
export function shellCommands(pages: readonly Page[]): ShellCommand[] {
  return pages.flatMap((page) =>
    codeBlocks(page)
      .filter(({ language }) => language === "sh")
      .flatMap(({ text }) => text.split("\n"))
      .map((line) => line.replace(/\s+# .*$/u, "").trim())
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((text) => ({ page: page.path, text })),
  );
}
