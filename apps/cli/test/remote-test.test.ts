import { chmod, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import {
  freePort,
  generateSshKey,
  hasAsyncssh,
  hasSshd,
  startMisbehavingSshServer,
  type TemporaryDirectory,
  withDeadline,
} from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { type CliFixture, createCli, startGateway, TOKEN } from "./cli-fixture.ts";
import { type SshGateway, startSshGateway } from "./ssh-rig.ts";

interface Step {
  name: string;
  ok: boolean;
  reached: boolean;
  durationMs: number;
  error?: string;
  hint?: string;
  code?: string;
  exitCode?: number;
}

const SSH_STEPS = ["name", "port", "hostKey", "login", "cli", "status", "tunnel", "websocket"];
const ALL_STEPS = [...SSH_STEPS, "authentication", "pairing"];

/** A program that answers like ours does. */
async function writeFarProgram(
  home: TemporaryDirectory,
  status = '{"runtimeVersion":"0.1.0","gateway":{"url":"ws://127.0.0.1:18789","reachable":true}}',
): Promise<string> {
  const path = home.file("far-openclaw");
  await writeFile(
    path,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo 0.1.0; else echo '${status}'; fi\n`,
  );
  await chmod(path, 0o755);
  return path;
}

async function testRemote(cli: CliFixture, args: readonly string[]) {
  const result = await cli.run(["remote", "test", "--json", ...args]);
  expect(result.stderr).toBe("");
  const document = result.json() as { ok: boolean; steps: Step[]; remote: unknown };
  expect(document.ok).toBe(result.code === 0);
  return { ...document, code: result.code };
}

/** The one step that failed; what is before it went well, what is behind was not reached. */
function failedStep(steps: readonly Step[], names = ALL_STEPS): Step {
  expect(steps.map(({ name }) => name)).toEqual(names);
  const index = steps.findIndex(({ ok }) => !ok);
  expect(steps.slice(index + 1).every(({ ok, reached }) => !ok && !reached)).toBe(true);
  const failed = steps[index];
  if (failed === undefined) throw new Error("no step has failed");
  expect(failed.reached).toBe(true);
  expect(failed.error).not.toBe("");
  return failed;
}

const sshArgs = (far: SshGateway): string[] => [
  "--ssh",
  far.url,
  "--token",
  TOKEN,
  ...far.sshFlags,
];

describe.runIf(hasSshd)("remote test over SSH", () => {
  test("shows each step with its time, and that all went well", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const cliPath = await writeFarProgram(cli.home);
    const args = [...sshArgs(far), "--cli-path", cliPath];
    const shown = await cli.run(["remote", "test", ...args]);
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    expect(shown.stdout.match(/^✓ /gmu)).toHaveLength(ALL_STEPS.length);
    expect(shown.stdout).toMatch(/✓ The SSH port answers: .* is SSH-2\.0-OpenSSH.* \(\d+ ms\)/);
    expect(shown.stdout).toMatch(/✓ The host key is known: ssh-ed25519 SHA256:\S{43}/);
    expect(shown.stdout.endsWith("Ready.\n")).toBe(true);

    const result = await testRemote(cli, args);
    expect(result).toMatchObject({
      code: 0,
      ok: true,
      transport: "ssh",
      target: far.rig.target,
      engine: "ssh2",
      remote: { version: "0.1.0", statusOk: true },
    });
    expect(result.steps.map(({ name }) => name)).toEqual(ALL_STEPS);
    expect(result.steps.every(({ ok, reached }) => ok && reached)).toBe(true);
  });

  test("stops at a name without an address", async () => {
    await using cli = await createCli();
    const { steps, code } = await testRemote(cli, ["--ssh", "me@nowhere.invalid"]);
    expect(code).toBe(1);
    expect(failedStep(steps)).toMatchObject({ name: "name", code: "NAME_NOT_RESOLVED" });
  });

  test("stops at a port on which nothing listens", async () => {
    await using cli = await createCli();
    const { steps } = await testRemote(cli, ["--ssh", `me@127.0.0.1:${await freePort()}`]);
    expect(failedStep(steps)).toMatchObject({ name: "port", code: "CONNECTION_REFUSED" });
  });

  test("stops at a port on which something else listens", async () => {
    await using cli = await createCli();
    const server = createServer((socket) => socket.on("error", () => {}).end("220 mail\r\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    try {
      const { steps } = await testRemote(cli, ["--ssh", `me@127.0.0.1:${port}`]);
      expect(failedStep(steps)).toMatchObject({ name: "port", code: "NOT_SSH" });
    } finally {
      server.close();
    }
  });

  test("stops at a host key that is unknown, or another one", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const knownHosts = cli.home.file("known_hosts");
    const identity = ["--ssh", far.url, "--ssh-identity", far.rig.identity];
    const unknown = await testRemote(cli, [...identity, "--ssh-known-hosts", knownHosts]);
    const step = failedStep(unknown.steps);
    expect(step).toMatchObject({ name: "hostKey", code: "HOST_KEY_UNKNOWN" });
    expect(step.error).toMatch(/SHA256:\S{43}/);

    const other = await generateSshKey({
      type: "ed25519",
      directory: cli.home.path,
      name: "other",
    });
    const { host, port } = far.rig.server;
    await writeFile(knownHosts, `[${host}]:${port} ${other.publicKey}\n`);
    const changed = await testRemote(cli, [...identity, "--ssh-known-hosts", knownHosts]);
    const changedStep = failedStep(changed.steps);
    expect(changedStep).toMatchObject({ name: "hostKey", code: "HOST_KEY_CHANGED" });
    expect(changedStep.error).toContain(other.fingerprint);
    expect(changedStep.hint).toContain("ssh-keygen -R");
  });

  test("stops at a key that may not log in", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const other = await generateSshKey({
      type: "ed25519",
      directory: cli.home.path,
      name: "other",
    });
    const args = ["--ssh", far.url, "--ssh-known-hosts", far.rig.knownHosts];
    const { steps } = await testRemote(cli, [...args, "--ssh-identity", other.privateKeyPath]);
    expect(failedStep(steps)).toMatchObject({ name: "login", code: "AUTHENTICATION_REFUSED" });
  });

  test("stops where the program is not found, with what was searched and the three cures", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const args = [...sshArgs(far), "--cli-path", "/no/such/openclaw"];
    const { steps, code } = await testRemote(cli, args);
    expect(code).toBe(1);
    const step = failedStep(steps);
    expect(step).toMatchObject({ name: "cli", code: "CLI_NOT_FOUND", exitCode: 127 });
    expect(step.error).toContain("searched: /opt/homebrew/bin:/usr/local/bin:");
    for (const cure of ["/etc/paths", "~/.zshenv", "ln -s"]) expect(step.hint).toContain(cure);
    const shown = await cli.run(["remote", "test", ...args]);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toContain("✗ openclaw is found there");
    expect(shown.stdout).toContain("– The forward opens (not reached)");
  });

  test("stops where the status there is none", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const cliPath = await writeFarProgram(cli.home, "Welcome!");
    const { steps } = await testRemote(cli, [...sshArgs(far), "--cli-path", cliPath]);
    expect(failedStep(steps)).toMatchObject({ name: "status", code: "NOT_JSON", exitCode: 0 });
  });

  test("stops where no Gateway listens, and knows of one on another port", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const cliPath = await writeFarProgram(cli.home);
    const port = await freePort();
    const args = [...sshArgs(far), "--cli-path", cliPath, "--remote-port", String(port)];
    const { steps, remote } = await testRemote(cli, args);
    const step = failedStep(steps);
    expect(step).toMatchObject({ name: "tunnel", code: "REMOTE_PORT_CLOSED" });
    expect(step.hint).toContain("--remote-port 18789");
    expect(remote).toEqual({ version: "0.1.0", statusOk: true });
  });

  test("stops at what is no Gateway", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const cliPath = await writeFarProgram(cli.home);
    const port = String(far.rig.server.port);
    const args = [...sshArgs(far), "--cli-path", cliPath, "--remote-port", port];
    const { steps } = await testRemote(cli, args);
    expect(failedStep(steps)).toMatchObject({ name: "websocket", code: "NOT_A_GATEWAY" });
  });

  test("stops at a wrong secret, and at none", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const cliPath = await writeFarProgram(cli.home);
    const args = ["--ssh", far.url, ...far.sshFlags, "--cli-path", cliPath];
    const wrong = await testRemote(cli, [...args, "--token", "not-the-token-at-all"]);
    expect(failedStep(wrong.steps)).toMatchObject({
      name: "authentication",
      code: "AUTH_TOKEN_MISMATCH",
    });
    expect(JSON.stringify(wrong)).not.toContain("not-the-token-at-all");
    const none = await testRemote(cli, args);
    expect(failedStep(none.steps)).toMatchObject({ name: "authentication" });
  });

  test("stops at a device that waits for approval, with the request to approve", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway({
      gateway: { nodes: { pairing: { autoApproveLocal: false } } },
    });
    const cliPath = await writeFarProgram(cli.home);
    const { steps } = await testRemote(cli, [...sshArgs(far), "--cli-path", cliPath]);
    const step = failedStep(steps);
    expect(step).toMatchObject({ name: "pairing", code: "PAIRING_REQUIRED" });
    expect(step.hint).toMatch(/openclaw devices approve [\w-]{6,}/);
  });

  test("sends the secret of the config to the Gateway of the config alone", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const cliPath = await writeFarProgram(cli.home);
    const remote = { sshTarget: far.rig.target, remotePort: far.gateway.port, token: TOKEN };
    const path = cli.home.file("openclaw.json");
    await writeFile(path, JSON.stringify({ gateway: { mode: "local", remote } }));
    const env = { OPENCLAW_CONFIG_PATH: path };
    const args = ["remote", "test", "--json", ...far.sshFlags, "--cli-path", cliPath];
    expect((await cli.run(args, { env })).json()).toMatchObject({ ok: true });
    const same = await cli.run([...args, "--ssh", far.url], { env });
    expect(same.json()).toMatchObject({ ok: true });
    await using other = await startGateway();
    const elsewhere = ["--ssh", far.rig.target, "--remote-port", String(other.port)];
    const result = await cli.run([...args, ...elsewhere], { env });
    const { steps } = result.json() as { steps: Step[] };
    expect(failedStep(steps)).toMatchObject({ name: "authentication" });
  });
});

describe("remote test without SSH", () => {
  const steps = ["name", "port", "tls", "websocket", "authentication", "pairing"];

  test("walks to a Gateway that is reached directly", async () => {
    await using cli = await createCli();
    await using gateway = await startGateway();
    const result = await testRemote(cli, gateway.flags);
    expect(result).toMatchObject({ code: 0, ok: true, transport: "direct", remote: null });
    expect(result.steps.map(({ name }) => name)).toEqual(steps);
  });

  test("stops where nothing listens, and at a wrong secret", async () => {
    await using cli = await createCli();
    const url = `ws://127.0.0.1:${await freePort()}`;
    const closed = await testRemote(cli, ["--url", url, "--token", TOKEN]);
    expect(failedStep(closed.steps, steps)).toMatchObject({ name: "port" });
    await using gateway = await startGateway();
    const wrong = await testRemote(cli, ["--url", gateway.url, "--token", "not-the-token"]);
    expect(failedStep(wrong.steps, steps)).toMatchObject({ name: "authentication" });
  });

  test("without a target says how to name one, and refuses what cannot be meant", async () => {
    await using cli = await createCli();
    const none = await cli.run(["remote", "test"]);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("openclaw remote set me@box");
    const two = await cli.run(["remote", "test", "--ssh", "a", "--url", "ws://127.0.0.1:1"]);
    expect(two.stderr).toContain("cannot be combined");
    const bare = await cli.run(["remote", "test", "--json", "--url", "ws://127.0.0.1:1"]);
    expect(bare.json()).toMatchObject({ error: { type: "gateway_credentials_required" } });
  });
});

describe.runIf(hasAsyncssh)("remote test that is interrupted", () => {
  test("ends at once, as a shell reports it", async () => {
    await using server = await startMisbehavingSshServer("stall-after-banner");
    await using cli = await createCli();
    const { host, port } = server;
    const running = cli.run(["remote", "test", "--ssh", `me@${host}:${port}`]);
    await expect.poll(() => cli.live.stdout).toContain("✓ The SSH port answers");
    cli.signal();
    const { code } = await withDeadline(running, 2_000, () => cli.live.stdout);
    expect(code).toBe(130);
  });
});
