import ssh2 from "ssh2";
import { expect, test } from "vitest";
import { takeHoldOf } from "./ssh2-internals.ts";

const events = {
  takeRequest: () => undefined,
  keyAccepted: () => undefined,
  passwordExpired: () => undefined,
};

test("a client that has not begun to connect, or is another than expected, is refused", () => {
  const other = { _protocol: { authNone: () => undefined, _handlers: {} } };

  expect(() => takeHoldOf(new ssh2.Client(), events)).toThrow("not the version that was tested");
  expect(() => takeHoldOf(other as never, events)).toThrow("not the version that was tested");
});
