import { expect, test } from "vitest";
import { describeHolder, showableCommandLine } from "./describe-holder.ts";

test("names the holder, its process and its command", () => {
  expect(
    describeHolder({
      kind: "ssh",
      pid: 123,
      program: "ssh",
      commandLine: ["ssh", "-N", "-L", "18789:127.0.0.1:18789", "box"],
    }),
  ).toBe("held by ssh (pid 123): ssh -N -L 18789:127.0.0.1:18789 box");
  expect(describeHolder({ kind: "program", pid: 7, program: "postgres" })).toBe(
    "held by postgres (pid 7)",
  );
  expect(describeHolder({ kind: "gateway", pid: 7, commandLine: ["openclaw-gateway"] })).toBe(
    "held by a Gateway (pid 7): openclaw-gateway",
  );
  expect(describeHolder({ kind: "own-orphan", pid: 7 })).toMatch(/earlier run/u);
  expect(describeHolder({ kind: "own-tunnel", pid: 7 })).toMatch(/another tunnel of ours/u);
  expect(describeHolder({ kind: "unknown" })).toBe(
    "held by a program that the system does not name",
  );
});

test.for([
  ["--token", "hunter2"],
  ["--token=hunter2"],
  ["--gateway-token", "hunter2"],
  ["--password", "hunter2 and more"],
  ["--password=my hunter2 phrase"],
  ["-password", "hunter2"],
  ["--api-key=hunter2"],
  ["OPENCLAW_GATEWAY_TOKEN=hunter2"],
  ["wss://me:hunter2@gateway.example/path"],
  ["postgres://me:hunter2@db/x?sslmode=require"],
  ["https://hunter2@git.example"],
  ["https://gateway.example/?token=hunter2&x=1"],
  ["https://x.example/#access_token=hunter2"],
  ["-H", "Authorization: Bearer hunter2"],
  ["-c", "exec openclaw gateway --token hunter2 --port 1"],
  ["-c", "PGPASSWORD=hunter2 psql"],
])("withholds the secret in %j", (words) => {
  const shown = showableCommandLine(["program", ...words, "rest"]).join(" ");
  expect(shown).not.toContain("hunter2");
  expect(shown).toContain("…");
  expect(shown).toMatch(/^program .* rest$/u);
});

test("shows everything else as it is", () => {
  const words = [
    ...["ssh", "-N", "-o", "PasswordAuthentication=no", "-oBatchMode=yes"],
    ...["-i", "/home/me/.ssh/token_key", "-L", "[::1]:80:db:5432", "me@box"],
  ];
  expect(showableCommandLine(words)).toEqual(words);
});

test("is of bounded length and free of control characters", () => {
  const long = showableCommandLine(Array.from({ length: 500 }, () => "x".repeat(1_000)));
  expect(long.length).toBeLessThan(40);
  expect(Math.max(...long.map((word) => word.length))).toBeLessThan(300);
  expect(describeHolder({ kind: "program", pid: 1, commandLine: long }).length).toBeLessThan(300);
  expect(showableCommandLine(["a\u001B[2Jb\nc"]).join("")).toMatch(/^[^\p{Cc}]*$/u);
});
