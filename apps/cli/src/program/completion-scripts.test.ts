import { expect, test } from "vitest";
import { commandTree } from "./command-tree.ts";
import { completionScript, SHELLS } from "./completion-scripts.ts";

test("each shell's script knows commands, options and fixed values", () => {
  for (const shell of SHELLS) {
    const script = completionScript(shell, commandTree, "openclaw");
    for (const word of ["gateway", "approve", "invoke-timeout", "timeSensitive", "powershell"]) {
      expect(script).toContain(word);
    }
  }
});
