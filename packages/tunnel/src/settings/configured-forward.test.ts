import { expect, test } from "vitest";
import { parseForwardArguments, parsePrintedForward } from "./configured-forward.ts";
import { readPort } from "./config-files/read-value.ts";

test.each([
  ["8080 [127.0.0.1]:80", { localPort: 8080, remoteHost: "127.0.0.1", remotePort: 80 }],
  [
    "[::1]:8081 [2001:db8::2]:80",
    { localHost: "::1", localPort: 8081, remoteHost: "2001:db8::2", remotePort: 80 },
  ],
  ["[]:1 []:2", { localHost: "*", localPort: 1, remoteHost: "", remotePort: 2 }],
  // The space before the last slash that follows one is the one between the two paths.
  ["/tmp/a b.sock /run/x y.sock", { localPath: "/tmp/a b.sock", remotePath: "/run/x y.sock" }],
  ["/run/a.sock /run/b.sock", { localPath: "/run/a.sock", remotePath: "/run/b.sock" }],
  ["/run/a b [box]:90", { localPath: "/run/a b", remoteHost: "box", remotePort: 90 }],
  ["3 /run/foo", { localPort: 3, remotePath: "/run/foo" }],
])("the line %j of ssh -G is understood", (text, forward) => {
  expect(parsePrintedForward(text)).toEqual(forward);
});

test.each(["", "1080", "nonsense here", "[::1:80 [a]:1"])("the line %j is none", (text) => {
  expect(parsePrintedForward(text)).toBeUndefined();
});

test.each([
  ["8080", "127.0.0.1:80", { localPort: 8080, remoteHost: "127.0.0.1", remotePort: 80 }],
  [
    "[::1]:8080",
    "[::2]:80",
    { localHost: "::1", localPort: 8080, remoteHost: "::2", remotePort: 80 },
  ],
  ["*:8080", "h:80", { localHost: "*", localPort: 8080, remoteHost: "h", remotePort: 80 }],
  ["/a\\:b", "/c", { localPath: "/a:b", remotePath: "/c" }],
  ["8080", "/c", { localPort: 8080, remotePath: "/c" }],
])("the arguments %j and %j are a forward", (listen, connect, forward) => {
  expect(parseForwardArguments(listen, connect, readPort)).toEqual(forward);
});

test.each([
  ["8080", "h"],
  ["0", "h:1"],
  ["h", "1"],
  ["::1:8080", "h:80"],
  ["8080", "h:70000"],
  ["[::1:8080", "h:80"],
  ["1:2:3", "4:5"],
])("the arguments %j and %j are none", (listen, connect) => {
  expect(parseForwardArguments(listen, connect, readPort)).toBeUndefined();
});
