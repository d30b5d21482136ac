import { expect, expectTypeOf, test } from "vitest";
import { validateParams } from "../validate.ts";
import {
  type CommandName,
  type CommandParams,
  type CommandResult,
  commandSchemas,
} from "./commands.ts";

const params: [CommandName, unknown][] = [
  ["system.run", { command: ["ls"] }],
  ["system.run", { command: ["ls"], cwd: null, env: null, timeoutMs: null, runId: "r" }],
  [
    "system.run",
    { command: ["ls"], env: { A: "" }, approvalDecision: "allow-once", approved: true },
  ],
  ["system.run.prepare", { command: ["ls", "-l"], rawCommand: "ls -l", cwd: "/" }],
  ["system.which", { bins: ["git"] }],
  ["system.notify", { title: "t", body: "b", sound: "Glass", priority: "passive" }],
  ["system.execApprovals.get", {}],
  ["system.execApprovals.set", { file: { version: 1 } }],
];

test.each(params)("%s takes %j", (command, value) => {
  expect(validateParams(commandSchemas[command].params, value)).toEqual({ ok: true, value });
});

test.each<[CommandName, unknown, string]>([
  ["system.run", {}, "must have required property 'command'"],
  ["system.run", { command: [] }, "at /command: must not have fewer than 1 items"],
  ["system.run", { command: "ls" }, "at /command: must be array"],
  ["system.run", { command: ["ls"], shell: true }, "at root: unexpected property 'shell'"],
  ["system.which", {}, "must have required property 'bins'"],
  [
    "system.notify",
    { priority: "loud" },
    "at /priority: must be equal to one of the allowed values",
  ],
])("%s refuses %j", (command, value, detail) => {
  expect(validateParams(commandSchemas[command].params, value)).toEqual({ ok: false, detail });
});

const results: [CommandName, unknown][] = [
  [
    "system.run",
    { exitCode: null, timedOut: true, success: false, stdout: "", stderr: "", error: null },
  ],
  ["system.which", { bins: { git: "/usr/bin/git" } }],
  ["system.which", { bins: ["git"], paths: { git: "/usr/bin/git" } }],
];

test.each(results)("%s may answer %j", (command, value) => {
  expect(validateParams(commandSchemas[command].result, value)).toEqual({ ok: true, value });
});

test("the types follow the name of a command", () => {
  expectTypeOf<CommandParams<"system.which">>().toEqualTypeOf<{ bins: string[] }>();
  expectTypeOf<CommandResult<"system.run">["exitCode"]>().toEqualTypeOf<number | null>();
});
