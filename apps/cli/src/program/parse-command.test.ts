import { expect, test } from "vitest";
import type { CommandSpec } from "./command-spec.ts";
import { commandTree } from "./command-tree.ts";
import { parseCommand, parsePlain } from "./parse-command.ts";
import { parseWithCommander } from "./parse-with-commander.ts";

const COMMAND_LINES: readonly (readonly string[])[] = [
  ["health"],
  ["health", "--json", "--timeout", "500"],
  ["health", "--json", "--url=ws://h:1", "--token", "t"],
  ["gateway"],
  ["gateway", "--port", "0", "--auth", "none"],
  ["gateway", "run", "--allow-unconfigured"],
  ["gateway", "status", "--no-probe", "--no-color"],
  ["gateway", "call", "node.list", "--params", "{}"],
  ["devices"],
  ["devices", "--json"],
  ["devices", "approve"],
  ["devices", "approve", "abcdef", "--json"],
  ["devices", "rotate", "--device", "x", "--role", "node", "--scope", "a", "--scope", "b"],
  ["devices", "rotate", "--device", "x", "--role", "node", "--no-scopes"],
  ["nodes", "rename", "--node", "pi", "--name", "Workshop Pi"],
  ["nodes", "invoke", "--node", "pi", "--command", "c", "--params", '{"a":-1}'],
  ["node", "run", "--no-tls", "--tls-fingerprint", "ab"],
  ["completion", "-s", "bash"],
];

test("the plain parser and commander read every command line alike", () => {
  for (const argv of COMMAND_LINES) {
    const plain = parsePlain(commandTree, argv);
    expect(plain).toMatchObject({ kind: "command" });
    expect(parseWithCommander(commandTree, argv)).toEqual(plain);
  }
});

test("what follows the command of nodes run belongs to that command, options and all", async () => {
  const argv = ["nodes", "run", "--node", "pi", "--env", "A=1", "ls", "--json", "-h"];
  expect(await parseCommand(commandTree, argv)).toMatchObject({
    kind: "command",
    command: {
      path: ["nodes", "run"],
      args: ["ls", "--json", "-h"],
      options: { node: "pi", env: ["A=1"] },
    },
  });
  const dashed = await parseCommand(commandTree, [
    "nodes",
    "run",
    "--node",
    "pi",
    "--",
    "--version",
  ]);
  expect(dashed).toMatchObject({ command: { args: ["--version"] } });
});

test("an unknown command or option is named, with the nearest that exists", async () => {
  await expect(parseCommand(commandTree, ["nodez"])).rejects.toMatchObject({
    message: "unknown command 'nodez'",
    hints: ["Did you mean one of node, nodes?"],
    fields: { kind: "usage" },
  });
  await expect(parseCommand(commandTree, ["gateway", "statos"])).rejects.toMatchObject({
    message: "unknown command 'statos'",
    hints: ["Did you mean status?"],
  });
  await expect(parseCommand(commandTree, ["health", "--jason"])).rejects.toMatchObject({
    message: "unknown option '--jason'",
    hints: ["Did you mean --json?"],
  });
});

test("too many words, a missing one, or an option without its value are errors of usage", async () => {
  const wrong: [string[], string][] = [
    [["health", "now"], "health"],
    [["nodes", "approve"], "nodes approve"],
    [["health", "--timeout"], "health"],
    [["gateway", "call", "a", "b"], "gateway call"],
  ];
  for (const [argv, command] of wrong) {
    // oxlint-disable-next-line no-await-in-loop
    await expect(parseCommand(commandTree, argv)).rejects.toMatchObject({
      type: "cli_error",
      hints: [`See: openclaw ${command} --help`],
    });
  }
});

test("help is found wherever it is asked for", async () => {
  const cases: [string[], string[]][] = [
    [[], []],
    [["--help"], []],
    [["nodes"], ["nodes"]],
    [["nodes", "-h"], ["nodes"]],
    [["gateway", "--help"], ["gateway"]],
    [["devices", "--help"], ["devices"]],
    [
      ["nodes", "list", "--json", "--help"],
      ["nodes", "list"],
    ],
    [
      ["nodes", "run", "--help"],
      ["nodes", "run"],
    ],
    [
      ["help", "nodes", "invoke"],
      ["nodes", "invoke"],
    ],
  ];
  for (const [argv, path] of cases) {
    // oxlint-disable-next-line no-await-in-loop
    expect(await parseCommand(commandTree, argv)).toMatchObject({
      kind: "help",
      path,
    });
  }
});

test("every command says what it does, shows an example, and can be loaded", async () => {
  const commands: [string, CommandSpec][] = [];
  const collect = (spec: CommandSpec, path: string): void => {
    commands.push([path, spec]);
    for (const child of spec.commands ?? []) {
      // The default member goes by the name of its group, too.
      collect(child, child.name === spec.defaultCommand ? path : `${path} ${child.name}`);
    }
  };
  collect(commandTree, "openclaw");
  for (const [path, spec] of commands) {
    expect(`${path}: ${spec.summary}`).toMatch(/: [a-z].*[^.]$/);
    expect(spec.examples?.length).toBeGreaterThan(0);
    for (const { command } of spec.examples ?? []) {
      if (path !== "openclaw") expect(`openclaw ${command}`).toMatch(new RegExp(`^${path}`));
    }
    if (spec.commands !== undefined) continue;
    // oxlint-disable-next-line no-await-in-loop
    expect(`${path}: ${typeof (await spec.load?.())?.run}`).toBe(`${path}: function`);
  }
});
