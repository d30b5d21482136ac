import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { hasSshd } from "@openclaw/testkit";
import { afterAll, describe, expect, test } from "vitest";
import { readPages, root } from "../src/pages.ts";
import { shellCommands } from "../src/shell-commands.ts";
import { commandList, type Stand, type Trial } from "./command-list.ts";
import { setUp, type Shell } from "./stand.ts";

// Wants a build, which `npm test` makes: the commands run the program that users get.

if (!hasSshd) {
  process.stderr.write("skipped: commands over SSH need the Debian package openssh-server\n");
}

const UP_MS = 30_000;
const GUIDES = /^(?:README|CONTRIBUTING|docs\/[\w-]+)\.md$/;
const guides = readPages().filter(({ path }) => GUIDES.test(path));

test("every command that a page shows is in the list, and the list has no other", () => {
  const shown = shellCommands(guides).map(({ text }) => text);
  expect(new Set(Object.keys(commandList))).toEqual(new Set(shown));
});

test("every script that a page names exists", () => {
  const manifest = readFileSync(join(root, "package.json"), "utf8");
  // The root's own manifest.
  const { scripts } = JSON.parse(manifest) as { scripts: Record<string, string> };
  const named = of("script").map(([command]) => command.replace(/^npm (?:run )?/, ""));
  for (const name of named) expect(Object.keys(scripts)).toContain(name.split(" ", 1)[0]);
});

// One for all that only look, so that they run as the pages tell them, one after the other.
const shared = new Map<Stand, Promise<Shell>>();
afterAll(async () => {
  const shells = await Promise.allSettled(shared.values());
  const up = shells.filter((shell) => shell.status === "fulfilled");
  await Promise.all(up.map(({ value }) => value[Symbol.asyncDispose]()));
});

function share(stand: Stand): Promise<Shell> {
  const shell = shared.get(stand) ?? setUp(stand);
  shared.set(stand, shell);
  return shell;
}

describe("commands that end", () => {
  test.each(possible("run"))("%s", { timeout: 60_000 }, async (command, { on, prints }) => {
    if (on === "paired" || on === "behind ssh") {
      await expectToRun(await share(on), command, prints);
      return;
    }
    await using shell = await setUp(on);
    await expectToRun(shell, command, prints);
  });
});

describe("commands that stay up", () => {
  test.each(possible("stays up"))("%s", { timeout: 60_000 }, async (command, { on, prints }) => {
    await using own = on === "behind ssh" ? undefined : await setUp(on);
    const shell = own ?? (await share(on));
    const isGateway = command.includes("gateway run");
    const port = isGateway ? "0" : String(shell.port);
    const child = shell.start(command.replace("--port 18789", `--port ${port}`), {
      isSomeoneElse: true,
    });
    expect(await child.line(prints, { deadlineMs: UP_MS })).toBeTruthy();
  });
});

async function expectToRun(shell: Shell, command: string, prints: RegExp): Promise<void> {
  let line = command;
  for (const [name, value] of Object.entries(shell.placeholders)) line = line.replace(name, value);
  const child = shell.start(line);
  const { code } = await child.exited;
  expect({ line, code, stderr: child.stderr }).toMatchObject({ line, code: 0 });
  expect(child.stdout).toMatch(prints);
}

/** Those that can be tried on this machine. */
function possible<K extends "run" | "stays up">(kind: K): [string, TrialOf<K>][] {
  return of(kind).filter(([, trial]) => hasSshd || on(trial) !== "behind ssh");
}

function on(trial: Trial): Stand | undefined {
  return "on" in trial ? trial.on : undefined;
}

type TrialOf<K extends Trial["kind"]> = Extract<Trial, { kind: K }>;

function of<K extends Trial["kind"]>(kind: K): [string, TrialOf<K>][] {
  return Object.entries(commandList).filter(
    (entry): entry is [string, TrialOf<K>] => entry[1].kind === kind,
  );
}
