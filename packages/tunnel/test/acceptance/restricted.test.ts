import { readFile, writeFile } from "node:fs/promises";
import { hasSshd, type SshTestRig, sshTestRig } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { type Logger, openTunnel, type Tunnel, type TunnelOptions } from "../../src/index.ts";
import { engines } from "../servers/tunnel-to.ts";
import { echoThrough, keyedHostLines, withConfig } from "./configured.ts";

interface Noise extends Logger {
  /** What an operator would see. */
  readonly heard: readonly string[];
}

function listen(): Noise {
  const heard: string[] = [];
  const hear = (_: object, message: string): void => void heard.push(message);
  return { heard, debug: () => {}, info: hear, warn: hear, error: hear };
}

/** Replaces the key of the rig by one with options in front. */
async function restrictKey(rig: SshTestRig, options: string): Promise<void> {
  await writeFile(`${rig.server.directory}/authorized_keys`, `${options} ${rig.publicKey}\n`);
}

async function open(
  rig: SshTestRig,
  lines: readonly string[],
  more: TunnelOptions,
): Promise<Tunnel> {
  return openTunnel("box", await withConfig(rig, [...keyedHostLines("box", rig), ...lines], more));
}

/** Ends the quiet that a connection has to itself before anything could be opened on its own accord. */
async function useFor(tunnel: Tunnel, port: number, milliseconds: number): Promise<void> {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {
    // oxlint-disable-next-line no-await-in-loop
    expect(await echoThrough(tunnel, port)).toBe("hello");
  }
}

describe.skipIf(!hasSshd).each(engines)("a server that allows little, over %s", (engine) => {
  test.each([
    ["a key without terminals", "no-pty", []],
    ["a key for forwards only", "restrict,port-forwarding", []],
    ["no sessions at all", "", ["MaxSessions 0"]],
    ["no terminals", "", ["PermitTTY no"]],
  ] as const)("%s: forwards work, without noise and without a session", async (_, key, config) => {
    await using rig = await sshTestRig({ server: { config: ["LogLevel DEBUG1", ...config] } });
    if (key !== "") await restrictKey(rig, key);
    const logger = listen();
    await using tunnel = await open(rig, [], { engine, logger });

    await useFor(tunnel, rig.echo.port, 700);

    expect(tunnel.state).toMatchObject({ kind: "open", generation: 1 });
    expect(logger.heard).toEqual([]);
    expect(rig.server.log.filter((line) => /ctype session|Allocating a pty/u.test(line))).toEqual(
      [],
    );
  });

  test.each([
    ["of the key", "command", []],
    ["of the server", "", ["ForceCommand"]],
  ] as const)("a forced command %s never runs because of a tunnel", async (_, key, config) => {
    await using rig = await sshTestRig();
    const trace = `${rig.home}/ran`;
    const command = `echo "$SSH_ORIGINAL_COMMAND" >> ${trace}; echo forced`;
    if (key !== "") await restrictKey(rig, `command="${command.replaceAll('"', '\\"')}"`);
    await rig.server.restart({ config: config.map((name) => `${name} ${command}`) });
    const logger = listen();
    await using tunnel = await open(rig, [], { engine, logger });

    await useFor(tunnel, rig.echo.port, 700);
    await rig.server.killConnections();
    await vi.waitFor(() => expect(tunnel.state).toMatchObject({ kind: "open", generation: 2 }));
    await useFor(tunnel, rig.echo.port, 700);

    await expect(readFile(trace, "utf8")).rejects.toMatchObject({ code: "ENOENT" });
    expect(logger.heard).toEqual([]);
    // Where somebody does ask for a command, it is the forced one that answers, once.
    expect(await tunnel.run("mine")).toMatchObject({ exitCode: 0, stdout: "forced\n" });
    expect(await readFile(trace, "utf8")).toBe("mine\n");
  });

  test("no forwards: each connection is refused, and the tunnel stays", async () => {
    await using rig = await sshTestRig();
    await restrictKey(rig, `restrict,port-forwarding,permitopen="127.0.0.1:${rig.echo.port}"`);
    await using tunnel = await open(rig, [], { engine });

    await expect(tunnel.connect({ port: 1 })).rejects.toMatchObject({
      code: "FORWARD_REFUSED",
      hint: expect.stringContaining("permitopen"),
    });
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
    await restrictKey(rig, "restrict");
    await using closed = await open(rig, [], { engine });
    await expect(closed.connect({ port: rig.echo.port })).rejects.toMatchObject({
      code: "FORWARD_REFUSED",
    });
    expect(closed.state.kind).toBe("open");
  });
});
