import { expect, test } from "vitest";
import { serviceEnvironment, serviceLogs, servicePath } from "./service-environment.ts";
import { serviceNames } from "./service-names.ts";

test("a service is told where everything is and who wrote it, and no secret", () => {
  expect(
    serviceEnvironment({
      kind: "tunnel",
      names: serviceNames("tunnel", "work", "box"),
      home: "/home/me",
      stateDir: "/home/me/.openclaw-work",
      configPath: "/home/me/.openclaw-work/openclaw.json",
      profile: "work",
      name: "box",
      port: 18_789,
      version: "1.2.3",
      path: "/usr/bin:/bin",
    }),
  ).toEqual({
    HOME: "/home/me",
    PATH: "/usr/bin:/bin",
    OPENCLAW_PROFILE: "work",
    OPENCLAW_STATE_DIR: "/home/me/.openclaw-work",
    OPENCLAW_CONFIG_PATH: "/home/me/.openclaw-work/openclaw.json",
    OPENCLAW_GATEWAY_PORT: "18789",
    OPENCLAW_LAUNCHD_LABEL: "ai.openclaw.ssh-tunnel.work.box",
    OPENCLAW_SYSTEMD_UNIT: "openclaw-ssh-tunnel-work.box.service",
    OPENCLAW_WINDOWS_TASK_NAME: "OpenClaw SSH Tunnel (work.box)",
    OPENCLAW_TASK_SCRIPT_NAME: "ssh-tunnel-box.cmd",
    OPENCLAW_LOG_PREFIX: "ssh-tunnel-box",
    OPENCLAW_SERVICE_MARKER: "openclaw",
    OPENCLAW_SERVICE_KIND: "tunnel",
    OPENCLAW_SERVICE_VERSION: "1.2.3",
    OPENCLAW_SERVICE_NAME: "box",
  });
});

test("the PATH has the user's folders that exist, once, then the system's", () => {
  const there = new Set(["/opt/pnpm", "/home/me/.local/bin", "/home/me/bin"]);
  const path = servicePath({
    platform: "linux",
    home: "/home/me",
    env: {
      PNPM_HOME: "/opt/pnpm",
      BUN_INSTALL: "relative",
      VOLTA_HOME: "/a:/b",
      PATH: "/home/me/secret-shell-setting",
    },
    exists: (folder) => there.has(folder),
  });
  expect(path).toBe("/opt/pnpm:/home/me/.local/bin:/home/me/bin:/usr/local/bin:/usr/bin:/bin");
});

test("macOS has a fixed PATH, and Windows that of the user", () => {
  const input = { home: "/Users/me", env: {}, exists: () => true };
  expect(servicePath({ ...input, platform: "darwin" })).toBe(
    "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin",
  );
  expect(servicePath({ ...input, platform: "win32" })).toBeUndefined();
});

test("logs lie in the state directory", () => {
  expect(serviceLogs("/home/me/.openclaw", serviceNames("node"), "darwin")).toEqual({
    stdout: "/home/me/.openclaw/logs/node.log",
    stderr: "/home/me/.openclaw/logs/node.err.log",
  });
  expect(serviceLogs(String.raw`C:\s`, serviceNames("gateway"), "win32").stdout).toBe(
    String.raw`C:\s\logs\gateway.log`,
  );
});
