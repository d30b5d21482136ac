import { describe, expect, test } from "vitest";
import {
  hasRoute,
  isSameTable,
  mountCount,
  occupation,
  type Route,
  type ServeTable,
  withoutRoute,
} from "./serve-table.ts";

const HOST = "box.tail1234.ts.net";
const OURS: Route = { mode: "serve", host: HOST, target: "http://127.0.0.1:18789" };
const PUBLIC: Route = { ...OURS, mode: "funnel" };

function table(handlers: object, more: object = {}): ServeTable {
  return {
    TCP: { 443: { HTTPS: true } },
    Web: { [`${HOST}:443`]: { Handlers: handlers } },
    ...more,
  };
}

const root = { "/": { Proxy: "http://127.0.0.1:18789" } };
const files = { "/files": { Path: "/srv" } };
const funnelOn = { AllowFunnel: { [`${HOST}:443`]: true } };

describe("a route is there", () => {
  test.each([
    ["as it was asked for", table(root), OURS],
    ["on Funnel", table(root, funnelOn), PUBLIC],
    ["beside another mount", table({ ...root, ...files }), OURS],
    [
      "with the address written otherwise",
      table({ "/": { Proxy: "http://localhost:18789/" } }),
      OURS,
    ],
  ])("%s", (_, present, route) => expect(hasRoute(present, route)).toBe(true));
});

describe("a route is not there", () => {
  test.each([
    ["in an empty table", {}, OURS],
    ["when it goes elsewhere", table({ "/": { Proxy: "http://127.0.0.1:3000" } }), OURS],
    ["when it goes to a path", table({ "/": { Proxy: "http://127.0.0.1:18789/foo" } }), OURS],
    ["when it is on another path", table({ "/x": root["/"] }), OURS],
    ["when it is on Funnel, and was not to be", table(root, funnelOn), OURS],
    ["when it is not on Funnel, and was to be", table(root), PUBLIC],
    ["when the port is missing", { ...table(root), TCP: {} }, OURS],
    ["when the handler has more to it", table({ "/": { ...root["/"], Redirect: "x" } }), OURS],
    ["under another name", table(root), { ...OURS, host: "other.ts.net" }],
  ])("%s", (_, present, route) => expect(hasRoute(present, route)).toBe(false));
});

describe("what stands where our route is to be", () => {
  const otherRoot = table({ "/": { Proxy: "http://127.0.0.1:3000" } });
  test.each<[string, ServeTable, Route, RegExp]>([
    ["another route", otherRoot, OURS, /proxy http:\/\/127\.0\.0\.1:3000/u],
    [
      "a TCP forward",
      { TCP: { 443: { TCPForward: "127.0.0.1:22" } } },
      OURS,
      /TCP forward to 127/u,
    ],
    ["plain HTTP", { TCP: { 443: { HTTP: true } } }, OURS, /something else than HTTPS/u],
    ["a foreground session", { Foreground: { abc: otherRoot } }, OURS, /runs in a terminal/u],
    [
      "another name of the machine",
      { TCP: { 443: { HTTPS: true } }, Web: { "old.ts.net:443": { Handlers: root } } },
      OURS,
      /another name of this machine, old\.ts\.net:443/u,
    ],
    ["a Funnel that serving would turn off", table(files, funnelOn), OURS, /would turn off/u],
    ["a Funnel that nothing uses", funnelOn, OURS, /would turn off/u],
    ["a mount that Funnel would publish", table(files), PUBLIC, /\/files, which Funnel would put/u],
    ["our target, published by somebody else", table(root, funnelOn), OURS, /route of its own/u],
    ["our target, which Funnel would publish", table(root), PUBLIC, /route of its own/u],
    [
      "an entry of a later version",
      { TCP: { 443: { HTTPS: true, New: 1 } } },
      OURS,
      /something else/u,
    ],
  ])("%s is in the way", (_, present, route, by) => {
    expect(occupation(present, route)).toEqual({ kind: "taken", by: expect.stringMatching(by) });
  });

  test.each<[string, ServeTable, Route]>([
    ["nothing", {}, OURS],
    ["another port", { TCP: { 8443: { HTTPS: true } } }, OURS],
    ["another mount", table(files), OURS],
    ["another mount that is on Funnel too", table(files, funnelOn), PUBLIC],
    ["a service", { Services: { "svc:web": { TCP: { 443: { HTTPS: true } } } } }, OURS],
    ["a foreground session on another port", { Foreground: { a: { TCP: { 8443: {} } } } }, OURS],
  ])("%s is not in the way", (_, present, route) => {
    expect(occupation(present, route)).toEqual({ kind: "free" });
  });

  test("a route that was ours gives way, the same one is kept", () => {
    const former: Route = { ...OURS, target: "http://127.0.0.1:1" };
    const present = table({ "/": { Proxy: "http://127.0.0.1:1" } }, {});
    expect(occupation(present, OURS, [former])).toEqual({ kind: "free" });
    expect(occupation(table(root, funnelOn), OURS, [PUBLIC])).toEqual({ kind: "free" });
    expect(occupation(table(root), OURS, [former])).toEqual({ kind: "same" });
  });

  test("a route that was ours does not free what came to stand beside it", () => {
    const present = table({ ...root, ...files }, funnelOn);
    expect(occupation(present, OURS, [PUBLIC])).toMatchObject({ kind: "taken" });
  });
});

describe("a table without our route", () => {
  test.each<[string, ServeTable, ServeTable]>([
    ["is empty when ours was alone", table(root, funnelOn), {}],
    [
      "keeps other mounts, and their Funnel",
      table({ ...root, ...files }, funnelOn),
      table(files, funnelOn),
    ],
    [
      "keeps other ports and parts",
      { ...table(root), TCP: { 22: { TCPForward: "x" }, 443: { HTTPS: true } }, Later: [1] },
      { TCP: { 22: { TCPForward: "x" } }, Later: [1] },
    ],
    [
      "keeps the port that another name uses",
      { TCP: { 443: { HTTPS: true } }, Web: { ...web(HOST, root), ...web("old.ts.net", files) } },
      { TCP: { 443: { HTTPS: true } }, Web: web("old.ts.net", files) },
    ],
  ])("%s", (_, present, rest) => expect(withoutRoute(present, OURS)).toEqual(rest));
});

test("tables are the same whatever the order, and whether empty parts are written", () => {
  expect(isSameTable({ TCP: {}, Web: null }, {})).toBe(true);
  expect(isSameTable(table({ ...root, ...files }), table({ ...files, ...root }))).toBe(true);
  expect(isSameTable(table(root), table(files))).toBe(false);
});

test("mounts of our port are counted", () => {
  expect(mountCount(table({ ...root, ...files }), HOST)).toBe(2);
  expect(mountCount({}, HOST)).toBe(0);
});

function web(host: string, handlers: object): object {
  return { [`${host}:443`]: { Handlers: handlers } };
}
