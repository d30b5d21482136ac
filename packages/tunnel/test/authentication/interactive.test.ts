import {
  generateSshKey,
  hasAsyncssh,
  startMisbehavingSshServer,
  temporaryDirectory,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import type { AuthenticationCallbacks } from "../../src/engines/engine.ts";
import { authenticate } from "./authentication-rig.ts";
import { startScriptedServer } from "./scripted-server.ts";

type KeyboardInteractive = NonNullable<AuthenticationCallbacks["keyboardInteractive"]>;

describe.skipIf(!hasAsyncssh)("a server that takes passwords only", () => {
  test("gets the answer of the callback, which stops the clock", async () => {
    await using server = await startMisbehavingSshServer("password-only");
    const password = vi.fn(async () => server.password);

    const { error, tried, waits } = await authenticate(server, { callbacks: { password } });

    expect(error).toBeUndefined();
    expect(tried).toEqual(["password"]);
    expect(password.mock.calls).toEqual([[{ user: server.user, host: "box" }]]);
    expect(waits).toEqual([true, false]);
  });

  test("hears three wrong ones at most", async () => {
    await using server = await startMisbehavingSshServer("password-only");
    const password = vi.fn(async () => "wrong");

    const { error } = await authenticate(server, { callbacks: { password } });

    expect(error).toMatchObject({
      code: "AUTHENTICATION_REFUSED",
      details: { tried: ["password"], offered: ["password"] },
    });
    expect(password).toHaveBeenCalledTimes(3);
    expect(error?.message).not.toContain("wrong");
  });

  test("is given up when the callback has no answer, and without a callback", async () => {
    await using server = await startMisbehavingSshServer("password-only");
    const password = vi.fn(async () => undefined);

    const unanswered = await authenticate(server, { callbacks: { password } });
    const alone = await authenticate(server);

    expect(unanswered.error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(password).toHaveBeenCalledTimes(1);
    expect(alone.error).toMatchObject({
      code: "AUTHENTICATION_REFUSED",
      details: { tried: [], offered: ["password"] },
    });
    expect(alone.error?.hint).toContain("takes no keys");
  });

  test("is not bothered with keys once it has said so", async () => {
    await using directory = await temporaryDirectory();
    await using server = await startMisbehavingSshServer("password-only");
    const keys = [1, 2, 3].map(() => generateSshKey({ directory: directory.path }));
    const paths = (await Promise.all(keys)).map(({ privateKeyPath }) => privateKeyPath);

    const { error, tried } = await authenticate(server, {
      settings: { identityFiles: paths },
      callbacks: { password: async () => server.password },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual([`key ${paths[0]}`, "password"]);
  });
});

describe.skipIf(!hasAsyncssh)("a server that asks questions", () => {
  test("gets one answer to each", async () => {
    await using server = await startMisbehavingSshServer("keyboard-interactive");
    const keyboardInteractive = vi.fn<KeyboardInteractive>(async () =>
      server.prompts.map(({ answer }) => answer),
    );

    const { error, tried, waits } = await authenticate(server, {
      callbacks: { keyboardInteractive },
    });

    expect(error).toBeUndefined();
    expect(tried).toEqual(["keyboard-interactive"]);
    expect(keyboardInteractive).toHaveBeenCalledWith({
      name: "Test",
      instructions: "Answer, please.",
      prompts: server.prompts.map(({ text, echo }) => ({ text, echo })),
    });
    expect(waits).toEqual([true, false]);
  });

  test("hears three wrong rounds at most", async () => {
    await using server = await startMisbehavingSshServer("keyboard-interactive");
    const keyboardInteractive = vi.fn<KeyboardInteractive>(async () => ["no", "neither"]);

    const { error } = await authenticate(server, { callbacks: { keyboardInteractive } });

    expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(keyboardInteractive).toHaveBeenCalledTimes(3);
  });

  test("is given up when nobody answers, or not everything", async () => {
    await using server = await startMisbehavingSshServer("keyboard-interactive");
    const nothing = vi.fn<KeyboardInteractive>(async () => undefined);
    const half = vi.fn<KeyboardInteractive>(async () => ["only one"]);

    const silent = await authenticate(server, { callbacks: { keyboardInteractive: nothing } });
    const short = await authenticate(server, { callbacks: { keyboardInteractive: half } });

    expect(silent.error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(short.error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(nothing).toHaveBeenCalledTimes(1);
    expect(half).toHaveBeenCalledTimes(1);
  });

  test("for the password alone, gets it from the password callback", async () => {
    const prompts = [{ text: "Password: ", echo: false, answer: "correct horse" }];
    await using server = await startMisbehavingSshServer("keyboard-interactive", { prompts });
    await using code = await startMisbehavingSshServer("keyboard-interactive");
    const password = vi.fn(async () => "correct horse");

    const { error } = await authenticate(server, { callbacks: { password } });
    const other = await authenticate(code, { callbacks: { password } });

    expect(error).toBeUndefined();
    expect(other.error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(password).toHaveBeenCalledTimes(1);
  });
});

describe("the order of the methods", () => {
  const answers: AuthenticationCallbacks = {
    password: async () => "secret",
    keyboardInteractive: async ({ prompts }) => prompts.map(() => "secret"),
  };

  test("is keys, questions, password", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ directory: directory.path });
    const offers = ["password", "publickey", "keyboard-interactive"] as const;
    await using server = await startScriptedServer((context) => context.reject([...offers]));

    const { error } = await authenticate(server, {
      settings: { identityFiles: [key.privateKeyPath] },
      callbacks: { password: answers.password as () => Promise<string> },
    });

    expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED", details: { offered: offers } });
    expect(server.methods).toEqual([
      "publickey",
      ...Array.from({ length: 3 }, () => "keyboard-interactive"),
      ...Array.from({ length: 3 }, () => "password"),
    ]);
  });

  test("follows PreferredAuthentications, which also leaves methods out", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ directory: directory.path });
    await using server = await startScriptedServer((context) =>
      context.reject(["password", "publickey", "keyboard-interactive"]),
    );

    await authenticate(server, {
      settings: {
        identityFiles: [key.privateKeyPath],
        preferredAuthentications: ["password", "publickey"],
      },
      callbacks: answers,
    });

    expect(server.methods).toEqual(["none", "password", "password", "password", "publickey"]);
  });

  test("goes on with a password after a key that was not enough", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ directory: directory.path });
    await using server = await startScriptedServer((context) => {
      if (context.method === "password") context.accept();
      else context.reject(["password"], true);
    });

    const { error } = await authenticate(server, {
      settings: { identityFiles: [key.privateKeyPath] },
      callbacks: answers,
    });

    expect(error).toBeUndefined();
    expect(server.methods).toEqual(["publickey", "password"]);
  });

  test("lets a server without keys say that it needs nothing, before anybody is asked", async () => {
    await using directory = await temporaryDirectory();
    const key = await generateSshKey({ directory: directory.path });
    const password = vi.fn(async () => "secret");
    await using server = await startScriptedServer((context) => {
      if (context.method === "none") context.accept();
      else context.reject(["password"]);
    });

    const { error } = await authenticate(server, {
      settings: { identityFiles: [key.privateKeyPath] },
      callbacks: { password },
    });

    expect(error).toBeUndefined();
    expect(server.methods).toEqual(["publickey", "none"]);
    expect(password).not.toHaveBeenCalled();
  });

  test("does not hang on a password that has expired", async () => {
    await using server = await startScriptedServer((context) => {
      if (context.method === "password") context.requestChange("Choose another.", () => undefined);
      else context.reject(["password"]);
    });

    const { error } = await authenticate(server, {
      settings: { preferredAuthentications: ["password"] },
      callbacks: answers,
    });

    expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(error?.message).toContain("has to be changed first");
  });
});

describe("what a server says", () => {
  test("cannot steer a terminal, nor ask for ever", async () => {
    await using server = await startScriptedServer((context) => {
      if (context.method !== "keyboard-interactive")
        return context.reject(["keyboard-interactive"]);
      const again = (): void => {
        context.prompt(
          [{ prompt: "\u{1B}[2JCode\u{7}:", echo: true }],
          "n\u{0}ame",
          "a\nb\u{9B}",
          again,
        );
      };
      again();
    });
    const keyboardInteractive = vi.fn<KeyboardInteractive>(async () => ["1"]);

    const { error } = await authenticate(server, { callbacks: { keyboardInteractive } });

    expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED" });
    expect(keyboardInteractive).toHaveBeenCalledWith({
      name: "name",
      instructions: "a\nb",
      prompts: [{ text: "[2JCode:", echo: true }],
    });
    expect(keyboardInteractive.mock.calls.length).toBeLessThan(30);
  });
});
