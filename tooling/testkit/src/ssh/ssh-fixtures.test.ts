import { expect, test } from "vitest";
import { startProcess } from "../process-fixture.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { startOpenSshServer } from "./openssh-server.ts";
import { generateSshKey } from "./ssh-keys.ts";
import { hasSshd } from "./ssh-programs.ts";

test.skipIf(!hasSshd)("the ssh client logs in to OpenSSH and runs a command", async () => {
  await using directory = await temporaryDirectory();
  const key = await generateSshKey({ directory: directory.path });
  await using server = await startOpenSshServer({ authorizedKeys: [key.publicKey] });
  const { writeFile } = await import("node:fs/promises");
  await writeFile(directory.file("kh"), server.knownHostsLine + "\n");
  await using ssh = startProcess("ssh", [
    "-F",
    "none",
    "-i",
    key.privateKeyPath,
    "-o",
    `UserKnownHostsFile=${directory.file("kh")}`,
    "-o",
    "GlobalKnownHostsFile=/dev/null",
    "-p",
    String(server.port),
    `${server.user}@${server.host}`,
    "echo hello; exec sleep 60",
  ]);
  await ssh.line("hello");
  expect(server.connections()).toHaveLength(1);
  server.freeze();
  server.thaw();
  await server.killConnections();
  expect((await ssh.exited).code).toBe(255);
  await server.restart();
});
