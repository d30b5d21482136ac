import { existsSync, readFileSync, statSync } from "node:fs";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, onTestFinished, test } from "vitest";
import { createTourFolder, quoteSh } from "./tour-folder.ts";

async function base(): Promise<string> {
  const directory = await temporaryDirectory("openclaw-tour-");
  onTestFinished(() => directory[Symbol.asyncDispose]());
  return directory.path;
}

test("keeps the token in a file of mode 0600 and out of the file that sets up a shell", async () => {
  const folder = createTourFolder({
    base: await base(),
    pid: 4_242,
    platform: "linux",
    command: ["/opt/node 24/node", "/opt/openclaw.js"],
    isAlive: () => false,
  });
  const file = folder.writeShellFile({ port: 18_789 });

  expect(statSync(`${folder.path}/token`).mode & 0o777).toBe(0o600);
  expect(readFileSync(`${folder.path}/token`, "utf8")).toBe(folder.token);
  expect(readFileSync(file, "utf8")).not.toContain(folder.token);
  expect(readFileSync(`${folder.path}/bin/openclaw`, "utf8")).toContain(
    `exec '/opt/node 24/node' /opt/openclaw.js "$@"`,
  );
});

test("removes what killed tours left, and leaves that of running ones", async () => {
  const options = { base: await base(), platform: "linux", command: ["node"] } as const;
  const killed = createTourFolder({ ...options, pid: 1_001, isAlive: () => true });
  const running = createTourFolder({ ...options, pid: 1_002, isAlive: () => true });

  const own = createTourFolder({ ...options, pid: 1_003, isAlive: (pid) => pid === 1_002 });

  expect([killed, running, own].map(({ path }) => existsSync(path))).toEqual([false, true, true]);
  own.remove();
  expect(existsSync(own.path)).toBe(false);
});

test("quotes words for a shell only where they need it", () => {
  expect(quoteSh(".cache/tour/run-1/env")).toBe(".cache/tour/run-1/env");
  expect(quoteSh("it's here")).toBe(`'it'\\''s here'`);
});
