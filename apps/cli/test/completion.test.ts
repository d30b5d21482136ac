import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { commandTree } from "../src/program/command-tree.ts";
import { completionScript, type Shell } from "../src/program/completion-scripts.ts";

const NODES_COMMANDS = ["approve", "describe", "invoke", "list", "rename", "run", "status"];

function isInstalled(shell: Shell): boolean {
  const isThere = spawnSync(shell, ["-c", "exit 0"]).status === 0;
  if (!isThere) process.stderr.write(`skipped: ${shell} is missing; apt-get install ${shell}\n`);
  return isThere;
}

const SSH_CONFIG = `Host gateway-box other-box
  HostName 192.0.2.1
host *.example.com !not-this $(never) late-box
`;

const HOSTS = ["gateway-box", "late-box", "other-box"];

interface Sourced extends AsyncDisposable {
  /** Runs code in a shell of its own that has read no file of the user; answers with its output. */
  run(code: string, args?: readonly string[]): string;
  /** The generated script. */
  path: string;
}

async function createShell(shell: Shell, flags: readonly string[]): Promise<Sourced> {
  const home = await temporaryDirectory();
  // The name under which a shell finds it by itself.
  const folder = home.file("completions");
  await mkdir(folder);
  await mkdir(home.file(".ssh"));
  await writeFile(home.file(".ssh", "config"), SSH_CONFIG);
  const path = `${folder}/_openclaw`;
  await writeFile(path, completionScript(shell, commandTree, "openclaw"));
  return {
    path,
    run(code, args = []) {
      const result = spawnSync(shell, [...flags, "-c", code, ...args], {
        encoding: "utf8",
        cwd: home.path,
        env: { PATH: process.env["PATH"], HOME: home.path, TERM: "dumb", LC_ALL: "C.UTF-8" },
        timeout: 20_000,
      });
      expect({ stderr: result.stderr, status: result.status }).toEqual({ stderr: "", status: 0 });
      return result.stdout;
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

describe.runIf(isInstalled("bash"))("bash", () => {
  /** What is offered for the last word, which may be empty. */
  function complete({ run, path }: Sourced, ...words: string[]): string[] {
    const code = [
      `source ${path}`,
      `COMP_WORDS=(openclaw "$@")`,
      "COMP_CWORD=$#",
      "_openclaw_completion",
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ].join("\n");
    return run(code, ["bash", ...words])
      .trim()
      .split("\n")
      .toSorted();
  }

  test("takes the script, and uses it for the program", async () => {
    await using shell = await createShell("bash", ["--norc", "--noprofile"]);
    expect(shell.run(`source ${shell.path}; complete -p openclaw`)).toContain(
      "-F _openclaw_completion openclaw",
    );
  });

  test("completes sub-commands, options and values", async () => {
    await using shell = await createShell("bash", ["--norc", "--noprofile"]);
    expect(complete(shell, "nodes", "")).toEqual(expect.arrayContaining(NODES_COMMANDS));
    expect(complete(shell, "gat")).toEqual(["gateway"]);
    expect(complete(shell, "devices", "re")).toEqual(["reject", "remove", "rename", "revoke"]);
    expect(complete(shell, "nodes", "invoke", "--node", "pi", "--inv")).toEqual([
      "--invoke-timeout",
    ]);
    expect(complete(shell, "nodes", "notify", "--priority", "p")).toEqual(["passive"]);
  });

  test("offers the hosts of the ssh config where a target stands", async () => {
    await using shell = await createShell("bash", ["--norc", "--noprofile"]);
    const offered = complete(shell, "tunnel", "open", "");
    expect(offered.filter((word) => !word.startsWith("-"))).toEqual(HOSTS);
    expect(complete(shell, "tunnel", "install", "ga")).toEqual(["gateway-box"]);
    expect(complete(shell, "nodes", "list", "ga")).toEqual([""]);
  });
});

describe.runIf(isInstalled("fish"))("fish", () => {
  function complete({ run, path }: Sourced, line: string): string[] {
    const offered = run(`source ${path}; complete -C '${line}'`).trim().split("\n");
    // Each line is a word, a tab, and what it means.
    return offered.map((text) => text.split("\t")[0] ?? "").toSorted();
  }

  test("completes sub-commands, options and values", async () => {
    await using shell = await createShell("fish", ["--no-config"]);
    expect(complete(shell, "openclaw nodes ")).toEqual(expect.arrayContaining(NODES_COMMANDS));
    expect(complete(shell, "openclaw nodes ")).not.toContain("gateway");
    expect(complete(shell, "openclaw gat")).toEqual(["gateway"]);
    expect(complete(shell, "openclaw devices re")).toEqual([
      "reject",
      "remove",
      "rename",
      "revoke",
    ]);
    expect(complete(shell, "openclaw nodes invoke --node pi --inv")).toEqual(["--invoke-timeout"]);
    expect(complete(shell, "openclaw nodes notify --priority p")).toEqual(["passive"]);
  });

  test("offers the hosts of the ssh config where a target stands", async () => {
    await using shell = await createShell("fish", ["--no-config"]);
    expect(complete(shell, "openclaw tunnel open ")).toEqual(expect.arrayContaining([...HOSTS]));
    expect(complete(shell, "openclaw tunnel install ga")).toEqual(["gateway-box"]);
  });
});

describe.runIf(isInstalled("zsh"))("zsh", () => {
  /** Types a line into an interactive shell on a terminal of its own, and waits for what it shows. */
  function typeAndTab({ run }: Sourced, setup: string, line: string, awaited: string): string {
    const code = [
      "zmodload zsh/zpty",
      "zpty terminal 'TERM=dumb zsh -f -i'",
      // Long lines would be wrapped, and a first list could be asked about.
      `zpty -w terminal 'COLUMNS=200 LINES=100 LISTMAX=500 PS1=; ${setup}; print -r -- is-"ready"'`,
      "zpty -r terminal shown '*is-ready*'",
      // -n: no return behind it.
      `zpty -w -n terminal '${line}'$'\\t'`,
      `zpty -r terminal shown '*${awaited}*'`,
      "zpty -d terminal",
      `print -r -- "$shown"`,
    ].join("\n");
    return run(code);
  }

  test("takes the script, and uses it for the program", async () => {
    await using shell = await createShell("zsh", ["-f"]);
    const code = `autoload -Uz compinit; compinit -D -u; source ${shell.path}; print $_comps[openclaw]`;
    expect(shell.run(code)).toBe("_openclaw\n");
    expect(shell.run(`zsh -n ${shell.path}`)).toBe("");
  });

  test("completes sub-commands once the script is read", async () => {
    await using shell = await createShell("zsh", ["-f"]);
    const setup = `autoload -Uz compinit; compinit -D -u; source ${shell.path}`;
    const shown = typeAndTab(shell, setup, "openclaw nodes ", "status");
    for (const command of NODES_COMMANDS) expect(shown).toContain(command);
    expect(shown).not.toContain("gateway");
  });

  test("offers the hosts of the ssh config where a target stands", async () => {
    await using shell = await createShell("zsh", ["-f"]);
    const setup = `autoload -Uz compinit; compinit -D -u; source ${shell.path}`;
    expect(typeAndTab(shell, setup, "openclaw tunnel open oth", "other-box")).toContain(
      "other-box",
    );
  });

  test("completes at the first attempt when the script lies in fpath", async () => {
    await using shell = await createShell("zsh", ["-f"]);
    const folder = shell.path.replace(/\/[^/]*$/, "");
    const setup = `fpath=(${folder} $fpath); autoload -Uz compinit; compinit -D -u`;
    expect(typeAndTab(shell, setup, "openclaw nodes not", "notify")).toContain("notify");
    expect(typeAndTab(shell, setup, "openclaw nodes ", "status")).toContain("describe");
  });
});
