import { chmod, writeFile } from "node:fs/promises";
import {
  freePort,
  generateSshKey,
  hasAsyncssh,
  hasSshd,
  startMisbehavingSshServer,
  type SshTestRig,
  sshTestRig,
  startProcess,
  startSshAgent,
} from "@openclaw/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CliFixture, createCli, startGateway, TOKEN } from "./cli-fixture.ts";
import { diagnose, expectBroken, expectConnected, startTcp } from "./doctor-connect-fixture.ts";
import { type SshGateway, startSshGateway } from "./ssh-rig.ts";

let cli: CliFixture;

beforeEach(async () => {
  cli = await createCli();
});
afterEach(() => cli[Symbol.asyncDispose]());

const far = (gateway: SshGateway, ...more: string[]): string[] => [
  gateway.url,
  "--token",
  TOKEN,
  ...gateway.sshFlags,
  ...more,
];

const keys = ({ identity, knownHosts }: SshTestRig): string[] => [
  "--ssh-identity",
  identity,
  "--ssh-known-hosts",
  knownHosts,
];

/** A program over there that answers, as ours does. */
async function writeFarProgram(port: number): Promise<string> {
  const path = cli.home.file("far-openclaw");
  const status = JSON.stringify({
    runtimeVersion: "0.1.0",
    gateway: { url: `ws://127.0.0.1:${port}` },
  });
  await writeFile(
    path,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo 0.1.0; else echo '${status}'; fi\n`,
  );
  await chmod(path, 0o755);
  return path;
}

describe.runIf(hasSshd)("doctor connect over SSH", () => {
  test("walks every link to a Gateway behind an SSH server", async () => {
    await using gateway = await startSshGateway();
    const cliPath = await writeFarProgram(gateway.gateway.port);
    const found = await diagnose(cli, far(gateway, "--cli-path", cliPath));
    expectConnected(found);
    expect(found.notes).toEqual([]);
    const detailOf = (name: string) => found.steps.find((step) => step.name === name)?.detail;
    expect(detailOf("route")).toContain("SSH-2.0-OpenSSH");
    expect(detailOf("ssh")).toMatch(/^ssh-ed25519 SHA256:/u);
    expect(detailOf("forward")).toBe(`to 127.0.0.1:${gateway.gateway.port} over there`);
  });

  test("fault 1 and 2: a name without an address, and a port on which nothing listens", async () => {
    expectBroken(await diagnose(cli, ["me@nowhere.invalid"]), "name", "NAME_NOT_RESOLVED");
    const closed = await diagnose(cli, [`me@127.0.0.1:${await freePort()}`]);
    const broken = expectBroken(closed, "route", "CONNECTION_REFUSED");
    expect(broken.evidence).toMatchObject({ errno: "ECONNREFUSED" });
  });

  test("a port on which something else than SSH listens", async () => {
    await using mail = await startTcp((socket) => socket.end("220 mail\r\n"));
    expectBroken(await diagnose(cli, [`me@127.0.0.1:${mail.port}`]), "route", "NOT_SSH");
    await using silent = await startTcp(() => {});
    expectBroken(await diagnose(cli, [`me@127.0.0.1:${silent.port}`]), "route", "NO_ANSWER");
  });

  test("fault 8 and 9: a host key that has changed, with both, and one that is not known", async () => {
    await using rig = await sshTestRig();
    const knownHosts = cli.home.file("known_hosts");
    const args = [rig.target, "--ssh-identity", rig.identity, "--ssh-known-hosts", knownHosts];
    const unknown = expectBroken(await diagnose(cli, args), "ssh", "HOST_KEY_UNKNOWN");
    expect(unknown.evidence["fingerprint"]).toMatch(/^SHA256:\S{43}$/u);
    expect(unknown.fix).toBe(`ssh -p ${rig.server.port} ${rig.server.user}@127.0.0.1 true`);

    const { directory, name } = { directory: cli.home.path, name: "other" };
    const other = await generateSshKey({ type: "ed25519", directory, name });
    await writeFile(knownHosts, `[127.0.0.1]:${rig.server.port} ${other.publicKey}\n`);
    const changed = expectBroken(await diagnose(cli, args), "ssh", "HOST_KEY_CHANGED");
    expect(changed.evidence).toMatchObject({
      expected: [other.fingerprint],
      fingerprint: unknown.evidence["fingerprint"],
      file: knownHosts,
    });
    expect(changed.fix).toMatch(/^ssh-keygen -R /u);
  });

  test("fault 10: a key that may not log in", async () => {
    await using rig = await sshTestRig();
    const { directory, name } = { directory: cli.home.path, name: "other" };
    const other = await generateSshKey({ type: "ed25519", directory, name });
    const args = [rig.target, "--ssh-known-hosts", rig.knownHosts, "--ssh-identity"];
    const found = await diagnose(cli, [...args, other.privateKeyPath]);
    const broken = expectBroken(found, "ssh", "AUTHENTICATION_REFUSED");
    expect(broken.fix).toMatch(/^ssh-copy-id -p \d+ /u);
  });

  test("fault 11: a key with a passphrase that nobody is there to type", async () => {
    await using rig = await sshTestRig();
    const { directory, name } = { directory: cli.home.path, name: "locked" };
    const passphrase = "a-passphrase-of-the-test-suite";
    const key = await generateSshKey({ type: "ed25519", directory, name, passphrase });
    await rig.server.authorize(key.publicKey);
    const args = [rig.target, "--ssh-known-hosts", rig.knownHosts, "--ssh-identity"];
    const found = await diagnose(cli, [...args, key.privateKeyPath]);
    const broken = expectBroken(found, "ssh", "IDENTITY_LOCKED");
    expect(broken.fix).toBe(`ssh-add ${key.privateKeyPath}`);
    expect(found.text).not.toContain(passphrase);
  });

  test("fault 11: an agent that is locked", async () => {
    await using rig = await sshTestRig();
    await using agent = await startSshAgent();
    await agent.add(rig.identity);
    await agent.lock("a-word-for-the-agent");
    const args = [rig.target, "--ssh-known-hosts", rig.knownHosts];
    const found = await diagnose(cli, args, { env: { SSH_AUTH_SOCK: agent.socketPath } });
    const broken = expectBroken(found, "ssh", "AGENT_LOCKED");
    expect(broken.fix).toBe("ssh-add -X");
  });

  test("fault 12: a program that is not on PATH there is a note, with what was searched", async () => {
    await using gateway = await startSshGateway();
    const found = await diagnose(cli, far(gateway, "--cli-path", "/no/such/openclaw"));
    expectConnected(found);
    expect(found.notes).toMatchObject([{ code: "CLI_NOT_FOUND" }]);
    expect(found.notes[0]?.message).toContain("searched: /opt/homebrew/bin:/usr/local/bin:");
    expect(found.notes[0]?.message).toContain("127");
  });

  test("fault 13: a server whose policy forbids forwards", async () => {
    await using gateway = await startSshGateway({
      rig: { server: { config: ["AllowTcpForwarding no"] } },
    });
    const broken = expectBroken(await diagnose(cli, far(gateway)), "forward", "FORWARD_REFUSED");
    expect(broken.fix).toBe("AllowTcpForwarding local");
  });

  test("fault 14: no Gateway over there, and one that is on another port there", async () => {
    await using rig = await sshTestRig();
    const port = await freePort();
    const args = [`ssh://${rig.target}/${port}`, ...keys(rig), "--cli-path"];
    const none = await diagnose(cli, [...args, await writeFarProgram(port)]);
    const broken = expectBroken(none, "forward", "REMOTE_PORT_CLOSED");
    expect(broken.fix).toMatch(/openclaw gateway start$/u);
    const elsewhere = await diagnose(cli, [...args, await writeFarProgram(19_999)]);
    const other = expectBroken(elsewhere, "forward", "REMOTE_PORT_CLOSED");
    expect(other.evidence).toMatchObject({ gatewayPortThere: 19_999 });
    expect(other.fix).toMatch(/--remote-port 19999$/u);
  });

  test("fault 5: an ssh -L of this machine whose far side is dead, with its process", async () => {
    await using rig = await sshTestRig();
    const [local, dead] = [await freePort(), await freePort()];
    const forward = ["-v", "-N", "-L", `127.0.0.1:${local}:127.0.0.1:${dead}`];
    await using ssh = startProcess("ssh", [...forward, ...rig.sshArgs]);
    await ssh.line(/Entering interactive session/u);
    const found = await diagnose(cli, [`ws://127.0.0.1:${local}`, "--token", TOKEN]);
    const broken = expectBroken(found, "upgrade", "DEAD_FORWARD");
    expect(JSON.stringify(broken.evidence["holders"])).toContain(`pid ${ssh.pid}`);
  });

  test("what is wrong behind the forward is told as if it were here", async () => {
    await using gateway = await startSshGateway();
    const wrong = [gateway.url, ...gateway.sshFlags, "--token", "not-the-token-at-all-0001"];
    expectBroken(await diagnose(cli, wrong), "authentication", "TOKEN_MISMATCH");
    await using other = await startGateway({ nodes: { pairing: { autoApproveLocal: false } } });
    const target = `ssh://${gateway.rig.target}/${other.port}`;
    const args = [target, ...gateway.sshFlags, "--token", TOKEN];
    expectBroken(await diagnose(cli, args), "pairing", "NOT_PAIRED");
  });
});

describe.runIf(hasAsyncssh)("an SSH server that hangs", () => {
  test.each([
    ["stall-before-banner", "route", "NO_ANSWER"],
    ["stall-after-banner", "ssh", "NO_ANSWER"],
    ["stall-authentication", "ssh", "NO_ANSWER"],
    ["stall-channel", "upgrade", "UPGRADE_NO_ANSWER"],
    ["drop-mid-kex", "ssh", "SSH_FAILED"],
    ["refuse-forward", "forward", "FORWARD_REFUSED"],
    ["connect-failed", "forward", "REMOTE_PORT_CLOSED"],
  ] as const)("in the way of %s breaks the step %s in time", async (misbehaviour, step, code) => {
    await using server = await startMisbehavingSshServer(misbehaviour);
    const key = await generateSshKey({
      type: "ed25519",
      directory: cli.home.path,
      name: "id_test",
    });
    await server.authorize(key.publicKey);
    const knownHosts = cli.home.file("known_hosts");
    await writeFile(knownHosts, `${server.knownHostsLine}\n`);
    const target = `${server.user}@${server.host}:${server.port}`;
    const files = ["--ssh-identity", key.privateKeyPath, "--ssh-known-hosts", knownHosts];
    expectBroken(await diagnose(cli, [target, "--token", TOKEN, ...files]), step, code);
  });
});
