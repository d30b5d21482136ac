import { writeFile } from "node:fs/promises";
import {
  hasAsyncssh,
  type MisbehavingSshServer,
  type SshTestRig,
  sshTestRig,
  startMisbehavingSshServer,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { openTunnel, type TunnelOptions } from "../../src/index.ts";
import { engines } from "../servers/tunnel-to.ts";
import { echoThrough, hostLines, withConfig } from "./configured.ts";

type Rig = SshTestRig<MisbehavingSshServer>;

function rigThatAsks(behaviour: "password-only" | "keyboard-interactive"): Promise<Rig> {
  return sshTestRig({ startServer: () => startMisbehavingSshServer(behaviour) });
}

/** An ssh_config without any key, and a program that would answer if ssh itself asked somebody. */
async function keyless(rig: Rig, more: TunnelOptions): Promise<TunnelOptions> {
  const asked = `${rig.home}/asked`;
  const askpass = `${rig.home}/askpass`;
  await writeFile(askpass, `#!/bin/sh\necho "$1" >> '${asked}'\necho '${rig.server.password}'\n`, {
    mode: 0o700,
  });
  const env = { ...rig.env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force", DISPLAY: ":0" };
  return withConfig(rig, [...hostLines("box", rig), "  IdentityFile none"], { env, ...more });
}

describe.skipIf(!hasAsyncssh).each(engines)("a server that asks, over %s", (engine) => {
  test.each(["password-only", "keyboard-interactive"] as const)(
    "%s: without a callback nobody is asked, and nothing prompts",
    async (behaviour) => {
      await using rig = await rigThatAsks(behaviour);
      const options = await keyless(rig, { engine });

      await expect(openTunnel("box", options)).rejects.toMatchObject({
        code: "AUTHENTICATION_REFUSED",
        final: true,
        details: { offered: [expect.stringMatching(/^(?:password|keyboard-interactive)$/u)] },
      });

      const outcomes = rig.server.events.flatMap((one) => ("outcome" in one ? [one.outcome] : []));
      expect(outcomes).toEqual(["begun"]);
    },
  );

  test("password: the callback's answer opens the tunnel, and it is asked with user and host", async () => {
    await using rig = await rigThatAsks("password-only");
    const password = vi.fn(async () => rig.server.password);
    const options = await keyless(rig, { engine, authentication: { password } });

    await using tunnel = await openTunnel("box", options);

    expect(password).toHaveBeenCalledExactlyOnceWith({
      user: rig.server.user,
      host: expect.stringMatching(/^(?:127\.0\.0\.1|box)$/u),
    });
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });

  test("password: wrong ones are refused for good, and shown nowhere", async () => {
    await using rig = await rigThatAsks("password-only");
    const records: string[] = [];
    const keep = (fields: object, message: string): void =>
      void records.push(message + JSON.stringify(fields));
    const password = vi.fn(async () => "a-wrong-secret");
    const options = await keyless(rig, {
      engine,
      authentication: { password },
      logger: { debug: keep, info: keep, warn: keep, error: keep },
    });

    const failure: unknown = await openTunnel("box", options).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: "AUTHENTICATION_REFUSED", final: true });
    expect(password).toHaveBeenCalledTimes(3);
    const told = `${String(failure)} ${JSON.stringify(failure)} ${records.join(" ")}`;
    expect(told).not.toContain("a-wrong-secret");
  });

  test("keyboard-interactive: each question reaches the callback, and the answers open the tunnel", async () => {
    await using rig = await rigThatAsks("keyboard-interactive");
    const asked: string[] = [];
    const keyboardInteractive = vi.fn(
      async ({ prompts }: { prompts: readonly { text: string; echo: boolean }[] }) => {
        asked.push(...prompts.map(({ text }) => text));
        return prompts.map(
          ({ text }) =>
            rig.server.prompts.find((one) => text.includes(one.text.trim()))?.answer ?? "",
        );
      },
    );
    const options = await keyless(rig, { engine, authentication: { keyboardInteractive } });

    await using tunnel = await openTunnel("box", options);

    expect(asked).toEqual(
      rig.server.prompts.map(({ text }) => expect.stringContaining(text.trim())),
    );
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });

  test("a callback that thinks for longer than the connection may take loses nothing", async () => {
    await using rig = await rigThatAsks("password-only");
    let think = (): void => {};
    const thought = new Promise<void>((resolve) => (think = resolve));
    const timer = setTimeout(think, 2_500);
    const options = await keyless(rig, {
      engine,
      connectTimeoutMs: 2_000,
      authentication: { password: () => thought.then(() => rig.server.password) },
    });

    await using tunnel = await openTunnel("box", options);

    clearTimeout(timer);
    expect(await echoThrough(tunnel, rig.echo.port)).toBe("hello");
  });
});
