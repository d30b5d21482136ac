import { expect, test, vi } from "vitest";
import { rememberingPassphrases } from "./kept-passphrases.ts";

const FILE = "/home/me/.ssh/id";

/** Callbacks that give one answer after the other. */
function answering(...answers: (string | undefined)[]) {
  return { passphrase: vi.fn(async (_file: string, _attempt: number) => answers.shift()) };
}

test("a passphrase that let ssh in is not asked for again", async () => {
  const callbacks = answering("wrong", "right");
  const first = rememberingPassphrases(callbacks);
  expect(await first?.passphrase(FILE, 1)).toBe("wrong");
  expect(await first?.passphrase(FILE, 2)).toBe("right");
  first?.keep();
  expect(await rememberingPassphrases(callbacks)?.passphrase(FILE, 1)).toBe("right");
  expect(callbacks.passphrase.mock.calls).toEqual([
    [FILE, 1],
    [FILE, 2],
  ]);
});

test("a passphrase that let nobody in is asked for again", async () => {
  const callbacks = answering("one", "other");
  await rememberingPassphrases(callbacks)?.passphrase(FILE, 1);
  expect(await rememberingPassphrases(callbacks)?.passphrase(FILE, 1)).toBe("other");
});

test("a kept passphrase that is no longer right is forgotten, and asked for from the first attempt on", async () => {
  const callbacks = answering("old", "new", undefined);
  const first = rememberingPassphrases(callbacks);
  await first?.passphrase(FILE, 1);
  first?.keep();
  const second = rememberingPassphrases(callbacks);
  expect(await second?.passphrase(FILE, 1)).toBe("old");
  expect(await second?.passphrase(FILE, 2)).toBe("new");
  second?.keep();
  const third = rememberingPassphrases(callbacks);
  expect(await third?.passphrase(FILE, 1)).toBe("new");
  expect(await third?.passphrase(FILE, 2)).toBeUndefined();
  third?.keep();
  await rememberingPassphrases(callbacks)?.passphrase(FILE, 1);
  expect(callbacks.passphrase.mock.calls.map(([, attempt]) => attempt)).toEqual([1, 1, 1, 1]);
});

test("what one answers is not known to another", async () => {
  const first = rememberingPassphrases(answering("secret"));
  await first?.passphrase(FILE, 1);
  first?.keep();
  expect(await rememberingPassphrases(answering("own"))?.passphrase(FILE, 1)).toBe("own");
});

test("without a callback there is nobody to remember for", () => {
  expect(rememberingPassphrases({ password: async () => "no" })).toBeUndefined();
});
