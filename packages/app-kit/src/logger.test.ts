import { expect, test } from "vitest";
import { createLogger, joinLoggers, logLevelFrom } from "./logger.ts";

function capture(options: Parameters<typeof createLogger>[1] = {}) {
  const lines: string[] = [];
  const logger = createLogger({ write: (text) => lines.push(text) }, { now: () => 0, ...options });
  return { lines, logger };
}

test("a line is one JSON object with its fields and those of its child", () => {
  const { lines, logger } = capture();
  logger.child({ connId: "c1" }).info({ port: 1 }, "peer connected");
  expect(lines).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","connId":"c1","port":1,"msg":"peer connected"}\n',
  ]);
});

test("the message stands under the name that readers of a file know", () => {
  const { lines, logger } = capture({ messageKey: "message" });
  logger.info({}, "peer connected");
  expect(lines).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"peer connected"}\n',
  ]);
});

test("secret fields and secret values never appear, not even inside other text", () => {
  const { lines, logger } = capture({ secrets: ["swordfish-42", undefined, "ab"] });
  logger.warn({ token: "x", auth: { password: "y" }, url: "ws://h/?t=swordfish-42" }, "ab refused");
  expect(lines[0]).not.toMatch(/swordfish|"x"|"y"/);
  expect(lines[0]).toContain("ab refused");
});

test("errors keep code and message; levels below the threshold are dropped", () => {
  const { lines, logger } = capture({ level: "warn" });
  logger.info({}, "quiet");
  logger.debug({}, "quiet");
  logger.error({ err: Object.assign(new Error("no room"), { code: "ENOSPC" }) }, "cannot write");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ err: { code: "ENOSPC", message: "no room" } });
});

test("for a terminal a line is text", () => {
  const { lines, logger } = capture({ format: "text" });
  logger.warn({ attempt: 2, reason: "two words" }, "not yet");
  expect(lines).toEqual(['00:00:00 warn: not yet  attempt=2 reason="two words"\n']);
});

test("the level is read from the environment in any vocabulary, and --verbose wins", () => {
  expect(logLevelFrom("trace", false)).toBe("debug");
  expect(logLevelFrom("fatal", false)).toBe("error");
  expect(logLevelFrom("nonsense", false)).toBe("info");
  expect(logLevelFrom("error", true)).toBe("debug");
  expect(logLevelFrom(undefined, false, "warn")).toBe("warn");
});

test("at a terminal only an error shows its stack; a program that reads lines gets every one", () => {
  const { lines, logger } = capture({ format: "text" });
  const err = new Error("no room");
  logger.warn({ err }, "again soon");
  logger.error({ err }, "given up");
  expect(lines.map((line) => line.includes("stack"))).toEqual([false, true]);
  const json = capture();
  json.logger.warn({ err }, "again soon");
  expect(json.lines[0]).toContain("stack");
});

test("a secret with characters that JSON escapes does not appear either", () => {
  const { lines, logger } = capture({ secrets: ['pa"ss\\word\n'] });
  logger.info({ url: 'ws://h/?t=pa"ss\\word\n' }, "refused");
  expect(lines[0]).not.toContain("word");
  expect(lines[0]).toContain("[redacted]");
});

test("what a pattern matches is blanked, wherever it stands", () => {
  const { lines, logger } = capture({ redact: [/sk-\w+/] });
  logger.info({ key: "sk-one and sk-two" }, "with sk-three");
  expect(lines[0]).not.toMatch(/sk-/);
});

test("joined loggers all get each line, those of a child too", () => {
  const one = capture();
  const two = capture({ level: "warn" });
  const logger = joinLoggers(one.logger, two.logger).child({ subsystem: "s" });
  logger.info({}, "quiet");
  logger.warn({}, "loud");
  expect(one.lines).toHaveLength(2);
  expect(two.lines).toHaveLength(1);
  expect(two.lines[0]).toContain('"subsystem":"s"');
});

test("a secret that is learnt later is blanked from then on", () => {
  const lines: string[] = [];
  const secrets = ["the-first-secret"];
  const logger = createLogger({ write: (text) => void lines.push(text) }, { secrets });
  logger.info({ seen: "the-first-secret" }, "one");
  secrets.push("the-second-secret");
  logger.info({ seen: "the-first-secret, the-second-secret" }, "two");
  expect(lines.join("")).not.toMatch(/the-(?:first|second)-secret/u);
});
