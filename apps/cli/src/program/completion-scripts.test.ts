import { spawnSync } from "node:child_process";
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

test("bash completes a sub-command, an option and a value with it", () => {
  expect(completeInBash("openclaw ", "gat")).toEqual(["gateway"]);
  expect(completeInBash("openclaw devices ", "re")).toEqual([
    "reject",
    "remove",
    "rename",
    "revoke",
  ]);
  expect(completeInBash("openclaw nodes invoke --node pi ", "--inv")).toEqual(["--invoke-timeout"]);
  expect(completeInBash("openclaw nodes notify --priority ", "p")).toEqual(["passive"]);
});

/** Asks a real bash, which every system that runs these tests has. */
function completeInBash(before: string, current: string): string[] {
  const words = [...before.trim().split(" "), current];
  const program = [
    completionScript("bash", commandTree, "openclaw"),
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})`,
    `COMP_CWORD=${words.length - 1}`,
    "_openclaw_completion",
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join("\n");
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", program], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.trim().split("\n").toSorted();
}
