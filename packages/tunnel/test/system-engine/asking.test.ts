import { appendFile, readFile } from "node:fs/promises";
import { once } from "node:events";
import {
  generateSshKey,
  hasAsyncssh,
  hasSshd,
  sshTestRig,
  startMisbehavingSshServer,
} from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import type { AuthenticationCallbacks } from "../../src/engines/engine.ts";
import { openTo, type OpenOptions, type Rig, settingsFor } from "./support.ts";

const asyncsshRig = (behaviour: "password-only" | "keyboard-interactive") =>
  sshTestRig({
    startServer: (key) => startMisbehavingSshServer(behaviour, { authorizedKeys: [key] }),
  });

function asking(rig: Rig, authentication: AuthenticationCallbacks): OpenOptions {
  return { options: { settings: settingsFor(rig), authentication } };
}

describe.skipIf(!hasSshd)("an encrypted key", () => {
  test("is opened by the passphrase callback, at the second attempt", async () => {
    await using rig = await sshTestRig();
    const key = await generateSshKey({ directory: rig.home, passphrase: "correct horse" });
    await rig.server.authorize(key.publicKey);
    const identity = key.privateKeyPath;
    const asked: [string, number][] = [];
    const settings = { ...settingsFor(rig), identityFiles: [identity] };
    await using connection = await openTo(rig, {
      engine: { identity },
      options: {
        settings,
        authentication: {
          async passphrase(file, attempt) {
            asked.push([file, attempt]);
            return attempt === 1 ? "wrong" : "correct horse";
          },
        },
      },
    });
    expect(connection.info.name).toBe("system");
    expect(asked).toEqual([
      [identity, 1],
      [identity, 2],
    ]);
  });

  test("stays closed when the callback gives it up, or fails", async () => {
    await using rig = await sshTestRig();
    const key = await generateSshKey({ directory: rig.home, passphrase: "correct horse" });
    await rig.server.authorize(key.publicKey);
    const identity = key.privateKeyPath;
    const settings = { ...settingsFor(rig), identityFiles: [identity] };
    const callbacks: AuthenticationCallbacks[] = [
      { passphrase: async () => undefined },
      { passphrase: () => Promise.reject(new Error("no keychain")) },
      { password: async () => "not for this" },
    ];
    for (const authentication of callbacks) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(
        openTo(rig, { engine: { identity }, options: { settings, authentication } }),
      ).rejects.toMatchObject({ code: "IDENTITY_LOCKED", details: { file: identity } });
    }
  });

  test("may be asked for longer than a connection may take", async () => {
    await using rig = await sshTestRig();
    const key = await generateSshKey({ directory: rig.home, passphrase: "correct horse" });
    await rig.server.authorize(key.publicKey);
    const identity = key.privateKeyPath;
    await using connection = await openTo(rig, {
      engine: { identity },
      options: {
        connectTimeoutMs: 5_000,
        settings: { ...settingsFor(rig), identityFiles: [identity] },
        authentication: {
          async passphrase() {
            await once(AbortSignal.timeout(5_500), "abort");
            return "correct horse";
          },
        },
      },
    });
    expect(connection.info.name).toBe("system");
  });
});

describe.skipIf(!hasAsyncssh)("a server that takes no keys", () => {
  test("gets the password of the callback, and no argument or variable has it", async () => {
    await using rig = await asyncsshRig("password-only");
    const { password, user } = rig.server;
    const seen: string[] = [];
    const askedFor: unknown[] = [];
    await using connection = await openTo(
      rig,
      asking(rig, {
        async password(prompt) {
          askedFor.push(prompt);
          const { pid } = process;
          const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
          for (const child of children.trim().split(" ")) {
            for (const file of ["cmdline", "environ"]) {
              // oxlint-disable-next-line no-await-in-loop
              seen.push(await readFile(`/proc/${child}/${file}`, "utf8").catch(() => ""));
            }
          }
          return password;
        },
      }),
    );
    expect(await connection.run("echo in")).toMatchObject({ stdout: "in\n" });
    expect(askedFor).toEqual([{ user, host: "127.0.0.1" }]);
    expect(seen.join("\n")).toContain("BatchMode=no");
    expect(seen.join("\n")).not.toContain(password);
  });

  test("is answered question by question", async () => {
    await using rig = await asyncsshRig("keyboard-interactive");
    const asked: string[] = [];
    const keyboardInteractive: AuthenticationCallbacks["keyboardInteractive"] = async ({
      prompts,
    }) => {
      asked.push(...prompts.map(({ text }) => text));
      return prompts.map(
        ({ text }) => rig.server.prompts.find((prompt) => text.includes(prompt.text))?.answer ?? "",
      );
    };
    await using connection = await openTo(rig, asking(rig, { keyboardInteractive }));
    expect(await connection.run("echo in")).toMatchObject({ stdout: "in\n" });
    expect(asked).toHaveLength(rig.server.prompts.length);
  });

  test("asks nobody without a callback", async () => {
    await using rig = await asyncsshRig("password-only");
    await appendFile(rig.knownHosts, "");
    await expect(openTo(rig)).rejects.toMatchObject({
      code: "AUTHENTICATION_REFUSED",
      details: { offered: ["password"] },
    });
  });

  test("refuses a wrong password", async () => {
    await using rig = await asyncsshRig("password-only");
    await expect(openTo(rig, asking(rig, { password: async () => "wrong" }))).rejects.toMatchObject(
      { code: "AUTHENTICATION_REFUSED" },
    );
  });
});
