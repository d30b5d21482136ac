import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import {
  freePort,
  hasSshd,
  sshTestRig,
  startProcess,
  temporaryDirectory,
  type TestProcess,
} from "@openclaw/testkit";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { findPortHolder } from "../../src/forwards/port-holder.ts";

const LISTEN = `
  require("node:net").createServer()
    .listen(0, process.env.LISTEN_ON ?? "127.0.0.1", function () { console.log("port", this.address().port); });
`;

/** A script of that name, run by node with those words, which listens on a port. */
async function listenAs(
  script: string,
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<{ program: TestProcess; port: number }> {
  const directory = await temporaryDirectory();
  onTestFinished(() => directory[Symbol.asyncDispose]());
  const path = directory.file(script);
  await writeFile(path, LISTEN);
  const program = startProcess(process.execPath, [path, ...words], { env });
  onTestFinished(() => program[Symbol.asyncDispose]());
  const [, port] = await program.line(/^port (\d+)$/u, { deadlineMs: 20_000 });
  return { program, port: Number(port) };
}

const lsof = ["/usr/sbin/lsof", "/usr/bin/lsof"].some((path) => existsSync(path));

for (const { name, platform, isAvailable } of [
  { name: "/proc", platform: "linux", isAvailable: process.platform === "linux" },
  { name: "lsof", platform: "darwin", isAvailable: lsof && process.platform !== "win32" },
] as const) {
  describe.skipIf(!isAvailable)(`asking ${name}`, () => {
    test("names a program with its pid and its words, but not its secrets", async () => {
      const { program, port } = await listenAs("server.cjs", ["--token", "hunter2", "--verbose"]);
      const holder = await findPortHolder(port, { platform });
      expect(holder).toMatchObject({
        kind: "program",
        pid: program.pid,
        program: expect.stringMatching(/./u),
      });
      expect(holder?.commandLine?.slice(-3)).toEqual(["--token", "…", "--verbose"]);
      expect(JSON.stringify(holder)).not.toContain("hunter2");
    });

    test("tells a Gateway, a tunnel of ours, and an orphan of ours", async () => {
      const gateway = await listenAs("openclaw.cjs", ["gateway", "run"]);
      const tunnel = await listenAs("openclaw.cjs", ["tunnel", "open", "me@box"]);
      const kindOf = async (
        { port }: { port: number },
        options: Parameters<typeof findPortHolder>[1] = {},
      ) => (await findPortHolder(port, { platform, ...options }))?.kind;
      await expect(kindOf(gateway)).resolves.toBe("gateway");
      await expect(kindOf(tunnel)).resolves.toBe("own-tunnel");
      const asked: unknown[] = [];
      const isOwnOrphan = (...question: unknown[]): boolean => asked.push(question) === 1;
      await expect(kindOf(gateway, { isOwnOrphan })).resolves.toBe("own-orphan");
      expect(asked).toEqual([
        [gateway.program.pid, expect.arrayContaining([expect.stringContaining("openclaw.cjs")])],
      ]);
      const ownTunnels = new Set([gateway.program.pid]);
      await expect(kindOf(gateway, { ownTunnels, isOwnOrphan })).resolves.toBe("own-tunnel");
    });

    test.skipIf(!hasSshd)("tells an ssh that forwards", async () => {
      await using rig = await sshTestRig();
      const port = await freePort();
      await using ssh = startProcess("ssh", [
        ...["-N", "-L", `127.0.0.1:${port}:127.0.0.1:1`],
        ...rig.sshArgs,
      ]);
      await vi.waitFor(async () => {
        await expect(findPortHolder(port, { platform })).resolves.toMatchObject({
          kind: "ssh",
          pid: ssh.pid,
          program: "ssh",
        });
      });
    });

    test("finds a holder of every address, and passes over one of another address", async () => {
      const every = await listenAs("server.cjs", [], { LISTEN_ON: "0.0.0.0" });
      const found = { pid: every.program.pid };
      const ask = (port: number, host?: string) => findPortHolder(port, { platform, host });
      await expect(ask(every.port, "127.0.0.1")).resolves.toMatchObject(found);
      await expect(ask(every.port, "0.0.0.0")).resolves.toMatchObject(found);
      await expect(ask(every.port, "localhost")).resolves.toMatchObject(found);
      const one = await listenAs("server.cjs", []);
      await expect(ask(one.port, "127.0.0.1")).resolves.toMatchObject({ pid: one.program.pid });
      await expect(ask(one.port, "*")).resolves.toMatchObject({ pid: one.program.pid });
      await expect(ask(one.port, "127.0.0.2")).resolves.toBeUndefined();
    });

    test("finds nobody on a free port", async () => {
      await expect(findPortHolder(await freePort(), { platform })).resolves.toBeUndefined();
    });
  });
}

test("this very process is a tunnel of ours", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  await expect(findPortHolder(port)).resolves.toMatchObject({
    kind: "own-tunnel",
    pid: process.pid,
  });
});

test.skipIf(process.platform !== "linux" || process.getuid?.() !== 0)(
  "a process of another user is unknown, and has no pid",
  async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    await using other = startProcess(process.execPath, [
      ...["--conditions=@openclaw/source", "--disable-warning=ExperimentalWarning"],
      ...[fileURLToPath(new URL("ask-as-nobody.ts", import.meta.url)), String(port)],
    ]);
    const [answer = ""] = await other.line(/^\{.*\}$/u, { deadlineMs: 20_000 });
    expect(JSON.parse(answer)).toEqual({ kind: "unknown" });
  },
);
