import { expect, test } from "vitest";
import { listeningSockets } from "./holder-on-linux.ts";

const HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid";
const REST = "00000000:00000000 00:00000000 00000000  1000        0";

test("finds the listeners of a port, and their addresses", () => {
  const table = [
    HEADER,
    `   0: 0100007F:4965 00000000:0000 0A ${REST} 101 1 0 100 0 0 10 0`,
    `   1: 00000000:4965 00000000:0000 0A ${REST} 102 1 0 100 0 0 10 0`,
    `   2: 0100007F:4965 0100007F:C001 01 ${REST} 103 1 0 100 0 0 10 0`,
    `   3: 0100007F:4966 00000000:0000 0A ${REST} 104 1 0 100 0 0 10 0`,
  ].join("\n");
  expect(listeningSockets(table, 18789)).toEqual([
    { address: "127.0.0.1", inode: "101" },
    { address: "0.0.0.0", inode: "102" },
  ]);
});

test("reads IPv6 addresses, and those that stand for an IPv4 one", () => {
  const row = (hex: string): string =>
    `   0: ${hex}:4965 00000000000000000000000000000000:0000 0A ${REST} 7 1 0 100 0 0 10 0`;
  const addresses = [
    "00000000000000000000000000000000",
    "00000000000000000000000001000000",
    "0000000000000000FFFF00000100007F",
    "000080FE00000000FF005450DDEEAA12",
  ].map((hex) => listeningSockets(`${HEADER}\n${row(hex)}`, 18789)[0]?.address);
  expect(addresses).toEqual(["::", "::1", "127.0.0.1", "fe80::5054:ff:12aa:eedd"]);
});

test("takes a table that cannot be read for an empty one", () => {
  expect(listeningSockets("", 18789)).toEqual([]);
  expect(listeningSockets("nonsense\nmore nonsense", 18789)).toEqual([]);
});
