import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readPages, root } from "../src/pages.ts";
import { shellCommands } from "../src/shell-commands.ts";
import { commandList, type Trial } from "./command-list.ts";
import { setUp, type Shell } from "./stand.ts";

// Wants a build, which `npm test` makes: the commands run the program that users get.

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

describe("commands that end", () => {
  // One for all that only look, so that they run as the pages tell them, one after the other.
  let shared: Promise<Shell> | undefined;
  afterAll(async () => (await shared)?.[Symbol.asyncDispose]());

  test.each(of("run"))("%s", { timeout: 60_000 }, async (command, { on, prints }) => {
    if (on === "paired") {
      await expectToRun(await (shared ??= setUp(on)), command, prints);
      return;
    }
    await using shell = await setUp(on);
    await expectToRun(shell, command, prints);
  });
});

describe("commands that stay up", () => {
  test.each(of("stays up"))("%s", { timeout: 60_000 }, async (command, { prints }) => {
    await using shell = await setUp("paired");
    const isGateway = command.includes("gateway run");
    const port = isGateway ? "0" : String(shell.port);
    const child = shell.start(command.replace("18789", port), { isSomeoneElse: true });
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

function of<K extends Trial["kind"]>(kind: K): [string, Extract<Trial, { kind: K }>][] {
  return Object.entries(commandList).filter(
    (entry): entry is [string, Extract<Trial, { kind: K }>] => entry[1].kind === kind,
  );
}
