import fc from "fast-check";
import { expect, test } from "vitest";
import type { ServiceDefinition } from "../definition/service-definition.ts";
import { quoteCmdWord, readCmdLine, splitWindowsCommandLine } from "./quoting.ts";
import { parseTaskScript, windowsTask } from "./task-script.ts";

const STATE = String.raw`C:\Users\me\.openclaw`;
const TUNNEL: ServiceDefinition = {
  kind: "tunnel",
  description: "OpenClaw SSH tunnel to me@box",
  programArguments: [
    String.raw`C:\Program Files\nodejs\node.exe`,
    String.raw`C:\openclaw\openclaw.js`,
    "tunnel",
    "open",
    "me@box",
  ],
  workingDirectory: String.raw`C:\Users\me`,
  environment: { OPENCLAW_SERVICE_KIND: "tunnel" },
};

const hostile = fc
  .array(
    fc.constantFrom(
      "%",
      "%PATH%",
      "^",
      "&",
      "|",
      "<",
      ">",
      "(",
      ")",
      "!",
      '"',
      "'",
      "\\",
      " ",
      "\t",
      ";",
      ",",
      "=",
      "a",
      "é",
    ),
  )
  .map((parts) => parts.join(""));
const argument = fc.oneof(
  hostile,
  fc.string({ unit: "grapheme", maxLength: 20 }).filter((text) => !/[\r\n\0\u001a]/u.test(text)),
);

test("a task runs a script at logon with no more than the rights of the user", () => {
  const task = windowsTask(TUNNEL, { scriptDirectory: STATE, user: "BOX\\me" });
  expect(task.script.split("\r\n")).toEqual([
    "@echo off",
    "rem OpenClaw SSH tunnel to me@box",
    "setlocal DisableDelayedExpansion",
    String.raw`cd /d "C:\Users\me"`,
    `set "OPENCLAW_SERVICE_KIND=tunnel"`,
    String.raw`"C:\Program Files\nodejs\node.exe" C:\openclaw\openclaw.js tunnel open me@box`,
    "",
  ]);
  expect(task.createArguments).toEqual([
    "/Create",
    "/F",
    "/SC",
    "ONLOGON",
    "/RL",
    "LIMITED",
    "/TN",
    "OpenClaw SSH Tunnel",
    "/TR",
    String.raw`C:\Users\me\.openclaw\ssh-tunnel.cmd`,
    "/RU",
    "BOX\\me",
    "/NP",
    "/IT",
  ]);
  expect(task.createArgumentsWithoutUser).toEqual(task.createArguments.slice(0, 10));
});

test("arguments and variables of any text are read back as cmd and the C library read them", () => {
  fc.assert(
    fc.property(
      fc.array(argument),
      fc.dictionary(fc.stringMatching(/^[A-J_]{1,9}$/), argument),
      (args, environment) => {
        const programArguments = [String.raw`C:\node.exe`, ...args];
        const { script } = windowsTask(
          { ...TUNNEL, programArguments, environment },
          { scriptDirectory: STATE },
        );
        const parsed = parseTaskScript(script);
        expect(parsed.programArguments).toEqual(programArguments);
        expect(parsed.environment).toEqual(environment);
      },
    ),
    { numRuns: 500 },
  );
});

test("nothing that means something to cmd stands outside of quotes or without a caret", () => {
  fc.assert(
    fc.property(argument, (text) => {
      const written = quoteCmdWord(text);
      let isQuoted = false;
      for (let index = 0; index < written.length; index += 1) {
        const character = written.charAt(index);
        if (character === '"') isQuoted = !isQuoted;
        else if (character === "^" && !isQuoted) index += 1;
        else if (!isQuoted) expect(character).not.toMatch(/[&|<>()^]/u);
      }
      expect(isQuoted).toBe(false);
      // Every percent sign is one of a pair, or a variable would be put in.
      expect(written.replaceAll("%%", "")).not.toContain("%");
    }),
    { numRuns: 500 },
  );
});

test.each([
  [String.raw`a\"b`, [String.raw`a"b`]],
  [String.raw`"a b" c`, ["a b", "c"]],
  [String.raw`"a\\" b`, ["a\\", "b"]],
  [String.raw`a\\b`, [String.raw`a\\b`]],
  [`"" x`, ["", "x"]],
])("the C library reads %s as %j", (commandLine, words) => {
  expect(splitWindowsCommandLine(commandLine)).toEqual(words);
});

test("output is appended to the log files, and those are no arguments", () => {
  const { script } = windowsTask(
    { ...TUNNEL, logs: { stdout: String.raw`C:\a b\out.log`, stderr: String.raw`C:\50%\err.log` } },
    { scriptDirectory: STATE },
  );
  const line = script.split("\r\n").at(-2) ?? "";
  expect(line).toContain(String.raw` >> "C:\a b\out.log" 2>> "C:\50%%\err.log"`);
  expect(readCmdLine(line).redirections).toEqual([
    String.raw`C:\a b\out.log`,
    String.raw`C:\50%\err.log`,
  ]);
  expect(parseTaskScript(script).programArguments.at(-1)).toBe("me@box");
});

test("a script beyond ASCII says in which encoding it is", () => {
  const { script } = windowsTask({ ...TUNNEL, description: "Tür" }, { scriptDirectory: STATE });
  expect(script).toMatch(/^@echo off\r\nchcp 65001 >nul\r\nrem Tür\r\n/u);
});

test("a description cannot add a command", () => {
  const { script } = windowsTask(
    { ...TUNNEL, description: "a\r\ndel C:\\ & %PATH%" },
    { scriptDirectory: STATE },
  );
  expect(script).toContain("\r\nrem a del C:\\    PATH \r\n");
});

test("a path with a space is quoted for the Task Scheduler, and one that is too long is refused", () => {
  const task = windowsTask(TUNNEL, { scriptDirectory: String.raw`C:\Users\Ann Other` });
  expect(task.createArguments.at(-1)).toBe(String.raw`"C:\Users\Ann Other\ssh-tunnel.cmd"`);
  expect(() => windowsTask(TUNNEL, { scriptDirectory: `C:\\${"x".repeat(300)}` })).toThrow(
    expect.objectContaining({ code: "INVALID_DEFINITION" }),
  );
});

test.each([
  ["a line break in an argument", { programArguments: ["C:\\x.exe", "a\nb"] }],
  ["a relative program", { programArguments: ["node.exe"] }],
  ["a quote in a directory", { workingDirectory: `C:\\a"b` }],
  ["an environment file", { environmentFile: "C:\\x.env" }],
])("%s is refused", (_name, change) => {
  expect(() => windowsTask({ ...TUNNEL, ...change }, { scriptDirectory: STATE })).toThrow(
    expect.objectContaining({ code: "INVALID_DEFINITION" }),
  );
});

test("a script of an earlier release is read", () => {
  const parsed = parseTaskScript(
    [
      "@echo off",
      "rem OpenClaw Gateway (v2026.1.29)",
      "cd /d C:\\work",
      "set HOME=C:\\Users\\me",
      "set OPENCLAW_GATEWAY_PORT=18789",
      `"C:\\Program Files\\nodejs\\node.exe" C:\\npm\\openclaw.mjs gateway --port 18789`,
    ].join("\r\n"),
  );
  expect(parsed).toMatchObject({
    description: "OpenClaw Gateway (v2026.1.29)",
    workingDirectory: "C:\\work",
    environment: { HOME: "C:\\Users\\me", OPENCLAW_GATEWAY_PORT: "18789" },
    programArguments: [
      "C:\\Program Files\\nodejs\\node.exe",
      "C:\\npm\\openclaw.mjs",
      "gateway",
      "--port",
      "18789",
    ],
  });
  expect(() => parseTaskScript("@echo off\r\nrem nothing\r\n")).toThrow("runs no program");
});
