import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { commandBench, type CommandBench } from "./command-bench.ts";

const node = process.execPath;
const command = [node, "-e", "1"];

function writePolicy(bench: CommandBench, file: unknown): void {
  mkdirSync(dirname(bench.execApprovalsPath), { recursive: true });
  const text = typeof file === "string" ? file : JSON.stringify(file);
  writeFileSync(bench.execApprovalsPath, text, { mode: 0o600 });
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

async function refusal(bench: CommandBench, params: object = {}): Promise<string> {
  try {
    await bench.call("system.run", { command, ...params });
  } catch (error) {
    expect(error).toMatchObject({ code: "SYSTEM_RUN_DENIED" });
    return (error as Error).message;
  }
  throw new Error("it ran");
}

const runs = async (bench: CommandBench, params: object = {}): Promise<void> => {
  expect(await bench.call("system.run", { command, ...params })).toMatchObject({ success: true });
};

describe("what may run", () => {
  test("is everything while there is no file", async () => {
    const result = await commandBench().call("system.run", { command });
    expect(result).toMatchObject({ success: true });
  });

  test("is nothing with security deny", async () => {
    const bench = commandBench();
    writePolicy(bench, { version: 1, defaults: { security: "deny" } });
    expect(await refusal(bench)).toBe("SYSTEM_RUN_DISABLED: security=deny");
    expect(bench.events).toMatchObject([
      { event: "exec.denied", payload: { reason: "SYSTEM_RUN_DISABLED: security=deny" } },
    ]);
  });

  test("is what the list names with security allowlist", async () => {
    const bench = commandBench();
    const withPattern = (pattern: string): void =>
      writePolicy(bench, {
        version: 1,
        defaults: { security: "allowlist", ask: "off" },
        agents: { main: { allowlist: [{ pattern }] } },
      });
    withPattern("/opt/other/*");
    expect(await refusal(bench)).toBe("SYSTEM_RUN_DENIED: allowlist miss");
    withPattern("node");
    expect(await refusal(bench)).toBe("SYSTEM_RUN_DENIED: allowlist miss");
    withPattern(node);
    await runs(bench);
    withPattern(`${dirname(node)}/*`);
    await runs(bench);
    withPattern(`${dirname(dirname(node))}/**`);
    await runs(bench);
    await runs(bench, { agentId: "main" });
    expect(await refusal(bench, { agentId: "other" })).toBe("SYSTEM_RUN_DENIED: allowlist miss");
  });

  test("is decided for the file that is executed, not for the name it is called by", async () => {
    const bench = commandBench();
    const bin = join(bench.directory, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "tool"), "#!/bin/sh\necho wrong one\n");
    chmodSync(join(bin, "tool"), 0o755);
    const listed = join(bench.directory, "listed");
    mkdirSync(listed);
    symlinkSync(node, join(listed, "tool"));
    writePolicy(bench, {
      version: 1,
      defaults: { security: "allowlist", ask: "off" },
      agents: { "*": { allowlist: [{ pattern: `${listed}/tool` }] } },
    });
    const { PATH = "" } = process.env;
    const params = { command: ["tool", "-e", "1"], env: { PATH: `${bin}:${PATH}` } };
    expect(await refusal(bench, params)).toBe("SYSTEM_RUN_DENIED: allowlist miss");
    await runs(bench, { command: [join(listed, "tool"), "-e", "1"] });
  });

  test("takes only harmless variables from the caller with security allowlist", async () => {
    const bench = commandBench();
    writePolicy(bench, {
      version: 1,
      defaults: { security: "allowlist", ask: "off" },
      agents: { main: { allowlist: [{ pattern: node }] } },
    });
    const print = [
      node,
      "-e",
      "console.log(JSON.stringify([process.env.BASH_ENV, process.env.TZ]))",
    ];
    const { stdout } = await bench.call("system.run", {
      command: print,
      env: { BASH_ENV: "/tmp/x", TZ: "UTC" },
    });
    expect(JSON.parse(String(stdout))).toEqual([null, "UTC"]);
  });

  test("needs an approval that nobody can give here with ask", async () => {
    const bench = commandBench();
    const policy = (defaults: object): void => writePolicy(bench, { version: 1, defaults });
    policy({ security: "full", ask: "always" });
    expect(await refusal(bench)).toBe("SYSTEM_RUN_DENIED: approval required");
    policy({ security: "allowlist", ask: "on-miss" });
    expect(await refusal(bench)).toBe("SYSTEM_RUN_DENIED: approval required");
    policy({ security: "full", ask: "on-miss" });
    await runs(bench);
    policy({ security: "full", ask: "always", askFallback: "full" });
    await runs(bench);
    policy({ security: "full", ask: "always", askFallback: "allowlist" });
    expect(await refusal(bench)).toBe("SYSTEM_RUN_DENIED: approval required");
    policy({ security: "deny", askFallback: "full" });
    expect(await refusal(bench)).toBe("SYSTEM_RUN_DISABLED: security=deny");
  });

  test("is not changed by anything in the request", async () => {
    const bench = commandBench();
    writePolicy(bench, { version: 1, defaults: { security: "full", ask: "always" } });
    const claims = {
      approved: true,
      approvalDecision: "allow-always",
      security: "full",
      ask: "off",
      systemRunPlan: { argv: command, policySnapshot: { security: "full", ask: "off" } },
    };
    expect(await refusal(bench, claims)).toBe("SYSTEM_RUN_DENIED: approval required");
  });

  test("is nothing while the file cannot be read as one", async () => {
    const bench = commandBench();
    const broken = [
      "",
      "{",
      "[]",
      '{"version":2}',
      '{"version":1,"defaults":{"security":"fulll"}}',
      '{"version":1,"defaults":{"ask":7}}',
    ];
    for (const text of broken) {
      writePolicy(bench, text);
      expect(await refusal(bench)).toMatch(/^SYSTEM_RUN_DENIED: exec approvals/);
      expect(readFileSync(bench.execApprovalsPath, "utf8")).toBe(text);
    }
  });
});

describe("system.execApprovals", () => {
  test("tells that there is no file, and makes one with mode 0600", async () => {
    const bench = commandBench();
    expect(await bench.call("system.execApprovals.get")).toEqual({
      path: bench.execApprovalsPath,
      exists: false,
      hash: sha256(""),
      file: { version: 1 },
    });
    const file = { version: 1, defaults: { security: "deny" } };
    const snapshot = await bench.call("system.execApprovals.set", { file });
    const text = readFileSync(bench.execApprovalsPath, "utf8");
    expect(snapshot).toEqual({
      path: bench.execApprovalsPath,
      exists: true,
      hash: sha256(text),
      file,
    });
    expect(statSync(bench.execApprovalsPath).mode & 0o777).toBe(0o600);
    expect(await bench.call("system.execApprovals.get")).toEqual(snapshot);
    expect(await refusal(bench)).toBe("SYSTEM_RUN_DISABLED: security=deny");
  });

  test("replaces a file only for who has seen it", async () => {
    const bench = commandBench();
    writePolicy(bench, { version: 1 });
    const before = readFileSync(bench.execApprovalsPath, "utf8");
    const file = { version: 1 };
    await expect(bench.call("system.execApprovals.set", { file })).rejects.toMatchObject({
      code: "INVALID_REQUEST",
      message: "exec approvals base hash required; re-run exec.approvals.get and retry",
    });
    await expect(
      bench.call("system.execApprovals.set", { file, baseHash: sha256("something else") }),
    ).rejects.toMatchObject({
      code: "INVALID_REQUEST",
      message: "exec approvals changed since last load; re-run exec.approvals.get and retry",
    });
    expect(readFileSync(bench.execApprovalsPath, "utf8")).toBe(before);
    await bench.call("system.execApprovals.set", { file, baseHash: sha256(before) });
  });

  test("does not replace a file that cannot be read", async () => {
    const bench = commandBench();
    writePolicy(bench, "{ torn");
    await expect(
      bench.call("system.execApprovals.set", { file: { version: 1 }, baseHash: sha256("{ torn") }),
    ).rejects.toMatchObject({
      message: "exec approvals base hash unavailable; re-run exec.approvals.get and retry",
    });
    await expect(bench.call("system.execApprovals.get")).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    expect(readFileSync(bench.execApprovalsPath, "utf8")).toBe("{ torn");
  });

  test("keeps the socket token to itself, and keeps it", async () => {
    const bench = commandBench();
    writePolicy(bench, { version: 1, socket: { path: "/run/x.sock", token: "secret" } });
    const snapshot = await bench.call("system.execApprovals.get");
    expect(snapshot["file"]).toEqual({ version: 1, socket: { path: "/run/x.sock" } });
    const after = await bench.call("system.execApprovals.set", {
      file: { version: 1, defaults: { ask: "off" } },
      baseHash: snapshot["hash"],
    });
    expect(JSON.stringify(after)).not.toContain("secret");
    expect(readFileSync(bench.execApprovalsPath, "utf8")).toContain('"token": "secret"');
  });

  test("refuses a policy with values that nobody knows", async () => {
    const bench = commandBench();
    await expect(
      bench.call("system.execApprovals.set", {
        file: { version: 1, agents: { main: { security: "most" } } },
      }),
    ).rejects.toThrow(/unknown security "most"/);
  });
});
