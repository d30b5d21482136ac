import { expect, test } from "vitest";
import { carriesCredential, queryCredential } from "./url-credentials.ts";

test.each([
  ["wss://gw.example/?token=x", true],
  ["wss://gw.example/?a=1&Gateway-Token=x", true],
  ["https://gw.example/path?api_key=x#here", true],
  ["http://me:secret@proxy.example:8080", true],
  ["wss://me:p@ss@gw.example", true],
  ["wss://gw.example/?tenant=x", false],
  ["wss://gw.example/?monkey=x", false],
  ["ssh://me@box:2222", false],
  ["ws://[::1]:18789/@x", false],
  ["not a URL?token=x", false],
  ["me:secret@box", false],
])("%s carries a credential: %s", (text, expected) => {
  expect(carriesCredential(text)).toBe(expected);
});

test("a parameter that carries a credential is named as it is written", () => {
  expect(queryCredential("wss://gw.example/?x=1&Auth_Token=abc")).toBe("Auth_Token");
  expect(queryCredential("https://gw.example/#token=x")).toBe("token");
  expect(queryCredential("wss://gw.example/?token=")).toBeUndefined();
});
