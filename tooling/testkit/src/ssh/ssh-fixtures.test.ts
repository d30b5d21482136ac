import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import { expect, test, vi } from "vitest";
import { startProcess } from "../process-fixture.ts";
import type { TestProcess } from "../process-fixture.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { startDropbearServer } from "./dropbear-server.ts";
import { startOpenSshServer } from "./openssh-server.ts";
import { startSshAgent } from "./ssh-agent.ts";
import { generateSshKey, signSshKey } from "./ssh-keys.ts";
import { hasDropbear, hasSshd } from "./ssh-programs.ts";
import type { SshServer } from "./ssh-server.ts";
import { sshTestRig } from "./ssh-test-rig.ts";
import type { SshTestRig } from "./ssh-test-rig.ts";

const servers: [string, boolean, (key: string) => Promise<SshServer>][] = [
  ["OpenSSH", hasSshd, (key) => startOpenSshServer({ authorizedKeys: [key] })],
  ["Dropbear", hasDropbear, (key) => startDropbearServer({ authorizedKeys: [key] })],
];

/** Whether a process runs; one that has ended and was not waited for does not. */
function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}

/** Runs the ssh program; what stands before the rig's own options wins over them. */
function ssh(
  { sshArgs }: Pick<SshTestRig, "sshArgs">,
  { options = [], command = [] }: { options?: string[]; command?: string[] } = {},
): TestProcess {
  return startProcess("ssh", [...options, ...sshArgs, ...command]);
}

for (const [name, isHere, startServer] of servers) {
  test.skipIf(!isHere)(`the ssh program runs a command on ${name}`, async () => {
    await using rig = await sshTestRig({ startServer });

    await using client = ssh(rig, { command: ["echo from $USER; ls -A ~; exit 7"] });

    expect(await client.exited).toEqual({ code: 7, signal: null });
    // Nothing of the account's own home is there.
    expect(client.stdout).toMatch(/^from (\S+)\n(\.ssh\n)?$/u);
    expect(client.stdout).toContain(rig.server.user);
  });

  test.skipIf(!isHere)(`the ssh program forwards through ${name}`, async () => {
    await using rig = await sshTestRig({ startServer });
    await using directory = await temporaryDirectory();
    const path = directory.file("local.sock");
    await using client = ssh(rig, { options: ["-N", "-L", `${path}:127.0.0.1:${rig.echo.port}`] });
    await vi.waitFor(() => expect(existsSync(path)).toBe(true));
    expect(client.isRunning).toBe(true);

    const local = connect(path);
    local.end("through and back");

    expect(String(await buffer(local))).toBe("through and back");
    expect(rig.echo.accepted).toBe(1);
    expect(rig.server.connections()).toHaveLength(1);
  });

  test.skipIf(!isHere)(`${name} does not let a stranger in`, async () => {
    await using rig = await sshTestRig({ startServer: () => startServer("") });

    await using client = ssh(rig, { command: ["true"] });

    expect(await client.exited).toEqual({ code: 255, signal: null });
    expect(client.stderr).toMatch(/Permission denied \(publickey/u);
  });

  test.skipIf(!isHere)(`${name} loses its connections and listens on`, async () => {
    await using rig = await sshTestRig({ startServer });
    await using client = ssh(rig, { command: ["echo up; exec sleep 60"] });
    await client.line("up");

    await rig.server.killConnections();

    expect((await client.exited).code).toBe(255);
    expect(rig.server.connections()).toEqual([]);
    await using next = ssh(rig, { command: ["echo again"] });
    await next.line("again");
  });

  test.skipIf(!isHere)(`${name} starts again on its port with other keys`, async () => {
    await using rig = await sshTestRig({ startServer });
    await using directory = await temporaryDirectory();
    const { port } = rig.server;
    const hostKey = await generateSshKey({ directory: directory.path });

    await rig.server.restart();
    await using same = ssh(rig, { command: ["echo same"] });
    await same.line("same");

    await rig.server.restart({ hostKeys: [hostKey] });
    await using other = ssh(rig, { command: ["true"] });
    expect((await other.exited).code).toBe(255);
    expect(other.stderr).toContain(hostKey.fingerprint);
    expect(other.stderr).toContain("REMOTE HOST IDENTIFICATION HAS CHANGED");
    expect(rig.server.port).toBe(port);
    const starts = rig.server.log.filter((line) => /listening on|Not background/u.test(line));
    expect(starts).toHaveLength(3);
  });

  test.skipIf(!isHere)(`a frozen ${name} says nothing until it is thawed`, async () => {
    await using rig = await sshTestRig({ startServer });
    await using session = ssh(rig, { command: ["echo up; exec sleep 60"] });
    await session.line("up");

    rig.server.freeze();
    await using late = ssh(rig, { options: ["-oConnectTimeout=1"], command: ["true"] });
    expect((await late.exited).code).toBe(255);
    expect(late.stderr).toMatch(/timed out/u);

    rig.server.thaw();
    await using next = ssh(rig, { command: ["echo again"] });
    await next.line("again");
    expect(session.isRunning).toBe(true);
  });

  test.skipIf(!isHere)(`nothing is left of ${name}`, async () => {
    const rig = await sshTestRig({ startServer });
    // One command whose client stays, and one whose client has gone away.
    await using client = ssh(rig, { command: ["echo pid $$; exec sleep 60"] });
    const present = Number((await client.line(/pid (\d+)/u))[1]);
    await using lost = ssh(rig, { command: ["echo pid $$; exec sleep 60"] });
    const orphan = Number((await lost.line(/pid (\d+)/u))[1]);
    const sessions = rig.server.connections();
    const pids = [present, orphan, rig.server.process.pid, ...sessions];
    expect(sessions).toHaveLength(2);
    expect(pids.filter((pid) => !runs(pid))).toEqual([]);
    await lost.kill();
    await vi.waitFor(() => expect(rig.server.connections()).toHaveLength(1));

    await rig.stop();

    expect(pids.filter((pid) => runs(pid))).toEqual([]);
    expect(existsSync(rig.home)).toBe(false);
    expect(existsSync(rig.server.directory)).toBe(false);
  });
}

test.skipIf(!hasSshd)("a line of configuration replaces the one of the fixture", async () => {
  await using rig = await sshTestRig({ server: { config: ["AllowTcpForwarding no"] } });

  await using client = ssh(rig, { options: ["-W", `127.0.0.1:${rig.echo.port}`] });

  expect((await client.exited).code).toBe(255);
  expect(client.stderr).toContain("administratively prohibited");
});

test.skipIf(!hasSshd)("certificates of an authority let a user in", async () => {
  await using directory = await temporaryDirectory();
  const ca = await generateSshKey({ directory: directory.path, name: "ca" });
  const server = { config: [`TrustedUserCAKeys ${ca.publicKeyPath}`] };
  await using rig = await sshTestRig({ server });
  const key = await generateSshKey({ directory: directory.path, name: "user" });
  const signing = { caKeyPath: ca.privateKeyPath, publicKeyPath: key.publicKeyPath };
  const options = ["-i", key.privateKeyPath, "-oIdentitiesOnly=yes"];

  await signSshKey({ ...signing, principals: [rig.server.user], validity: "-2h:-1h" });
  await using expired = ssh(rig, { options, command: ["true"] });
  await expired.exited;
  // The rig's own key is the second to be tried, and fits.
  expect(rig.server.log.join("\n")).toContain("Certificate invalid: expired");

  await signSshKey({ ...signing, principals: [rig.server.user] });
  await using valid = ssh(rig, { options, command: ["echo in"] });
  await valid.line("in");
  expect(rig.server.log.join("\n")).toMatch(/Accepted publickey .*ED25519-CERT/u);
});

test.skipIf(!hasSshd)("an agent signs until it is locked", async () => {
  await using rig = await sshTestRig();
  await using agent = await startSshAgent();
  await using directory = await temporaryDirectory();
  const key = await generateSshKey({ directory: directory.path, passphrase: "open sesame" });
  await rig.server.authorize(key.publicKey);
  const options = [`-oIdentityAgent=${agent.socketPath}`, "-oIdentitiesOnly=no"];

  await agent.add(key.privateKeyPath, { passphrase: "open sesame" });
  expect(await agent.list()).toEqual([key.publicKey]);
  await using client = ssh(rig, { options, command: ["echo in"] });
  await client.line("in");
  expect(rig.server.log.join("\n")).toContain(key.fingerprint);

  await agent.lock("hidden");
  expect(await agent.list()).toEqual([]);
  await expect(agent.unlock("wrong")).rejects.toThrow(/Failed to unlock/u);
  await agent.unlock("hidden");
  expect(await agent.list()).toEqual([key.publicKey]);
});
