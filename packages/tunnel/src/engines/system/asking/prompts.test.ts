import { expect, test } from "vitest";
import { answerPrompt, parsePrompt } from "./prompts.ts";

const LONG = `/home/me/${"k".repeat(120)}/id`;
const FILES = ["/home/me/.ssh/id", LONG];

test.each([
  ["Enter passphrase for key '/home/me/.ssh/id': ", "passphrase", "/home/me/.ssh/id"],
  [`Enter passphrase for key '${LONG.slice(0, 100)}': `, "passphrase", LONG],
  ["Enter passphrase for key '/elsewhere/it's': ", "passphrase", "/elsewhere/it's"],
  ["Enter PIN for ED25519-SK key /home/me/.ssh/id: ", "pin", "/home/me/.ssh/id"],
])("%s asks for the %s of an identity file", (text, kind, identityFile) => {
  expect(parsePrompt(text, FILES)).toEqual({ kind, identityFile });
});

test("a password is asked for by user and host", () => {
  expect(parsePrompt("me@box.example's password: ", FILES)).toEqual({
    kind: "password",
    user: "me",
    host: "box.example",
  });
});

test("a server's own words never pass for those of ssh", () => {
  const text = "(me@box) Enter passphrase for key '/home/me/.ssh/id': ";
  expect(parsePrompt(text, FILES)).toEqual({
    kind: "interactive",
    text: "Enter passphrase for key '/home/me/.ssh/id': ",
  });
});

test.each([
  "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
  "Enter me@box's new password: ",
  "",
])("nobody is asked: %s", async (text) => {
  const prompt = parsePrompt(text, FILES);
  expect(prompt).toEqual({ kind: "other" });
  const fail = (): Promise<never> => Promise.reject(new Error("asked"));
  const callbacks = { passphrase: fail, password: fail, keyboardInteractive: fail };
  expect(await answerPrompt(prompt, callbacks, new Map())).toBeUndefined();
});

test("attempts are counted for each file", async () => {
  const asked: [string, number][] = [];
  const attempts = new Map<string, number>();
  const passphrase = async (file: string, attempt: number): Promise<string> => {
    asked.push([file, attempt]);
    return "secret";
  };
  for (const identityFile of ["/a", "/b", "/a"]) {
    // oxlint-disable-next-line no-await-in-loop
    await answerPrompt({ kind: "passphrase", identityFile }, { passphrase }, attempts);
  }
  expect(asked).toEqual([
    ["/a", 1],
    ["/b", 1],
    ["/a", 2],
  ]);
});
