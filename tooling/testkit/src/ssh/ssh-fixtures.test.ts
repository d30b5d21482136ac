import { expect, test } from "vitest";
import { startDropbearServer } from "./dropbear-server.ts";
import { startProcess } from "../process-fixture.ts";
import { startSshAgent } from "./ssh-agent.ts";
import { hasSshd } from "./ssh-programs.ts";
import { sshTestRig } from "./ssh-test-rig.ts";

test.skipIf(!hasSshd)("the ssh client logs in to OpenSSH and runs a command", async () => {
  await using rig = await sshTestRig();
  await using ssh = startProcess("ssh", [...rig.sshArgs, "echo hello; exec sleep 60"]);
  await ssh.line("hello");
  expect(rig.server.connections()).toHaveLength(1);
  rig.server.freeze();
  rig.server.thaw();
  await rig.server.killConnections();
  expect((await ssh.exited).code).toBe(255);
  await rig.server.restart();
});
test("agent", async () => {
  await using rig = await sshTestRig();
  await using agent = await startSshAgent();
  await agent.add(rig.identity);
  expect(await agent.list()).toHaveLength(1);
  await agent.lock("hidden");
  expect(await agent.list()).toEqual([]);
  await expect(agent.unlock("wrong")).rejects.toThrow(/Failed to unlock/);
  await agent.unlock("hidden");
  expect(await agent.list()).toEqual([rig.publicKey]);
  await agent.stop();
});
test("dropbear", async () => {
  await using rig = await sshTestRig({
    startServer: (key) => startDropbearServer({ authorizedKeys: [key] }),
  });
  await using ssh = startProcess("ssh", [...rig.sshArgs, "echo hello $HOME; exec sleep 60"]);
  await ssh.line("hello /tmp/");
  expect(rig.server.connections()).toHaveLength(1);
  await rig.server.restart();
  expect((await ssh.exited).code).toBe(255);
});
