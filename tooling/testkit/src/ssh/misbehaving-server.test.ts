import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startProcess } from "../process-fixture.ts";
import type { TestProcess } from "../process-fixture.ts";
import { startMisbehavingSshServer } from "./misbehaving-server.ts";
import type { MisbehavingSshServer, SshMisbehaviour } from "./misbehaving-server.ts";
import { hasAsyncssh } from "./ssh-programs.ts";
import { sshTestRig } from "./ssh-test-rig.ts";
import type { SshTestRig } from "./ssh-test-rig.ts";

// ssh counts these during a handshake too, where ConnectTimeout ends with the banner.
const KEEPALIVE = ["-oServerAliveInterval=1", "-oServerAliveCountMax=1"];

describe.skipIf(!hasAsyncssh)("a misbehaving SSH server, as the ssh program sees it", () => {
  // Python and its library take most of a second to start: one server shows everything.
  let rig: SshTestRig<MisbehavingSshServer>;

  beforeAll(async () => {
    rig = await sshTestRig({
      startServer: (key) => startMisbehavingSshServer("normal", { authorizedKeys: [key] }),
    });
  });
  afterAll(() => rig.stop());

  /** What stands before the rig's own options wins over them. */
  function ssh(options: readonly string[], command: readonly string[] = []): TestProcess {
    return startProcess("ssh", [...options, ...rig.sshArgs, ...command]);
  }

  function forward(options: readonly string[] = [], input = ""): TestProcess {
    const args = [...options, "-W", `127.0.0.1:${rig.echo.port}`, ...rig.sshArgs];
    return startProcess("ssh", args, { input });
  }

  test("when it behaves, it runs commands and forwards", async () => {
    await rig.server.behave("normal");

    await using client = ssh([], ["cat; echo done; exec >&-; echo late >&2; exit 7"]);
    expect(await client.exited).toEqual({ code: 7, signal: null });
    expect(client.stdout).toBe("done\n");
    expect(client.stderr).toBe("late\n");

    await using forwarded = forward([], "through and back");
    expect((await forwarded.exited).code).toBe(0);
    expect(forwarded.stdout).toBe("through and back");
  });

  test("a forward to a port where nothing listens fails as it does elsewhere", async () => {
    await rig.server.behave("normal");

    await using client = ssh(["-W", "127.0.0.1:1"]);

    expect((await client.exited).code).toBe(255);
    expect(client.stderr).toContain("connect failed");
  });

  test.each<[SshMisbehaviour, string[], RegExp]>([
    ["stall-before-banner", ["-oConnectTimeout=1"], /timed out during banner exchange/u],
    ["stall-after-banner", ["-v", ...KEEPALIVE], /SSH2_MSG_KEXINIT sent[^]*timed out/u],
    ["stall-authentication", ["-v", ...KEEPALIVE], /SERVICE_ACCEPT received[^]*timed out/u],
    ["refuse-forward", [], /open failed: administratively prohibited/u],
    ["connect-failed", [], /open failed: connect failed/u],
    ["change-host-key", [], /REMOTE HOST IDENTIFICATION HAS CHANGED/u],
    ["drop-mid-kex", ["-v"], /expecting SSH2_MSG_KEX_ECDH_REPLY[^]*Connection closed by/u],
    ["drop-after-auth", ["-v"], /Authenticated to/u],
    ["ignore-keepalive", ["-N", ...KEEPALIVE], /not resp/u],
    ["password-only", [], /Permission denied \(password\)/u],
    ["keyboard-interactive", [], /Permission denied \(keyboard-interactive\)/u],
  ])("%s fails a forward", async (behaviour, options, expected) => {
    await rig.server.behave(behaviour);

    await using client = options.includes("-N") ? ssh(options) : forward(options, "lost");

    expect((await client.exited).code).toBe(255);
    expect(client.stderr).toMatch(expected);
    expect(client.stdout).toBe("");
  });

  test("no-session fails a command, and a forward works", async () => {
    await rig.server.behave("no-session");

    await using client = ssh([], ["true"]);
    expect((await client.exited).code).toBe(255);
    expect(client.stderr).toContain("open failed: administratively prohibited");

    await using forwarded = forward([], "through");
    expect((await forwarded.exited).code).toBe(0);
    expect(forwarded.stdout).toBe("through");
  });

  test("ignore-keepalive leaves channels alone", async () => {
    await rig.server.behave("ignore-keepalive");

    await using forwarded = forward([], "through");

    expect((await forwarded.exited).code).toBe(0);
    expect(forwarded.stdout).toBe("through");
  });

  test("stall-channel takes a channel and answers keepalives, and nothing comes", async () => {
    await rig.server.behave("stall-channel", { connections: 1 });
    const { accepted } = rig.echo;
    const channels = (): number =>
      rig.server.events.filter(({ event }) => event === "channel").length;
    const before = channels();

    await using stalled = forward(KEEPALIVE, "lost");
    await vi.waitFor(() => expect(channels()).toBe(before + 1));
    await using next = forward([], "through");

    expect((await next.exited).code).toBe(0);
    expect(next.stdout).toBe("through");
    expect(rig.echo.accepted).toBe(accepted + 1);
    expect(stalled.stdout).toBe("");
    expect(stalled.isRunning).toBe(true);
  });

  test.each(["password-only", "keyboard-interactive"] as const)(
    "%s lets in who knows the answer",
    async (behaviour) => {
      await rig.server.behave(behaviour);
      const askpass = join(rig.home, "askpass");
      const answers = rig.server.prompts.map(
        ({ text, answer }) => `*"${text}"*) echo "${answer}";;`,
      );
      const otherwise = `*) echo "${rig.server.password}";;`;
      await writeFile(
        askpass,
        `#!/bin/sh\ncase "$1" in\n${answers.join("\n")}\n${otherwise}\nesac\n`,
        {
          mode: 0o700,
        },
      );

      await using client = startProcess("ssh", ["-oBatchMode=no", ...rig.sshArgs, "echo in"], {
        env: { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" },
      });

      expect((await client.exited).code).toBe(0);
      expect(client.stdout).toBe("in\n");
    },
  );

  test("a behaviour for one connection ends with it", async () => {
    await rig.server.behave("normal");
    await rig.server.behave("drop-mid-kex", { connections: 1 });

    await using first = ssh([], ["echo first"]);
    expect((await first.exited).code).toBe(255);
    await using second = ssh([], ["echo second"]);
    expect((await second.exited).code).toBe(0);
  });

  test("a behaviour reaches connections that are open", async () => {
    await rig.server.behave("normal");
    await using client = ssh(
      ["-oServerAliveInterval=1", "-oServerAliveCountMax=1"],
      ["cat; echo up; exec sleep 60"],
    );
    await client.line("up");

    await rig.server.behave("ignore-keepalive");

    expect((await client.exited).code).toBe(255);
    expect(client.stderr).toContain("not responding");
  });

  test("new host keys are shown from the next connection on", async () => {
    await rig.server.behave("normal");
    const before = rig.server.knownHostsLine;

    const [key] = await rig.server.changeHostKeys();

    await using client = ssh([], ["true"]);
    expect((await client.exited).code).toBe(255);
    expect(client.stderr).toContain(key?.fingerprint);
    expect(rig.server.knownHostsLine).not.toBe(before);
    await writeFile(rig.knownHosts, `${rig.server.knownHostsLine}\n`);
    await using next = ssh([], ["true"]);
    expect((await next.exited).code).toBe(0);
  });
});

test.skipIf(!hasAsyncssh)("a misbehaving SSH server tells what happens, in order", async () => {
  await using rig = await sshTestRig({
    startServer: (key) => startMisbehavingSshServer("normal", { authorizedKeys: [key] }),
  });
  const destination = `127.0.0.1:${rig.echo.port}`;
  await using client = startProcess("ssh", ["-N", "-W", destination, ...rig.sshArgs], {
    input: "hello",
  });
  await client.exited;

  const { user } = rig.server;
  expect(await rig.server.event("connection")).toEqual({ event: "connection", connection: 1 });
  expect(await rig.server.event("channel")).toMatchObject({ kind: "direct-tcpip", destination });
  await rig.server.event("closed");
  // ssh itself asks for things that are none of the test's.
  expect(rig.server.events.filter(({ event }) => event !== "global-request")).toEqual([
    { event: "connection", connection: 1 },
    { event: "auth", connection: 1, user, outcome: "begun" },
    { event: "auth", connection: 1, user, outcome: "completed" },
    { event: "channel", connection: 1, kind: "direct-tcpip", destination },
    { event: "closed", connection: 1 },
  ]);
});

test.skipIf(!hasAsyncssh)("a misbehaving SSH server resets its connections on demand", async () => {
  await using rig = await sshTestRig({
    startServer: (key) => startMisbehavingSshServer("normal", { authorizedKeys: [key] }),
  });
  await using client = startProcess("ssh", [...rig.sshArgs, "echo up; exec sleep 60"]);
  await client.line("up");

  await rig.server.dropConnections();

  expect((await client.exited).code).toBe(255);
  await rig.server.event("closed");
  await rig.server.stop();
  expect(rig.server.process.isRunning).toBe(false);
});
