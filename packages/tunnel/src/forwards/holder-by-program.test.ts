import { expect, test } from "vitest";
import { parseLsof, parseNetstat, parseTasklist } from "./holder-by-program.ts";

test("reads what lsof says of several listeners", () => {
  const output = "p812\ncssh\nf5\nn[::1]:18789\nf6\nn127.0.0.1:18789\np900\ncnode\nf21\nn*:18789\n";
  expect(parseLsof(output)).toEqual([
    { address: "::1", pid: 812, program: "ssh" },
    { address: "127.0.0.1", pid: 812, program: "ssh" },
    { address: "*", pid: 900, program: "node" },
  ]);
  expect(parseLsof("")).toEqual([]);
});

test("reads listeners from netstat in any language, and nothing else", () => {
  const output = [
    "Aktive Verbindungen",
    "",
    "  Proto  Lokale Adresse         Remoteadresse          Status           PID",
    "  TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN         1012",
    "  TCP    127.0.0.1:18789        0.0.0.0:0              ABHÖREN         4711",
    "  TCP    127.0.0.1:18789        127.0.0.1:50123        HERGESTELLT     4711",
    "  TCP    127.0.0.1:50123        127.0.0.1:18789        HERGESTELLT     99",
    "  TCP    [::1]:18789            [::]:0                 ABHÖREN         4712",
    "  UDP    0.0.0.0:18789          *:*                                    5",
  ].join("\r\n");
  expect(parseNetstat(output, 18789)).toEqual([
    { address: "127.0.0.1", pid: 4711 },
    { address: "::1", pid: 4712 },
  ]);
});

test("reads the name of a process from tasklist, and no name from a sentence", () => {
  expect(parseTasklist('"ssh.exe","4711","Console","1","9,000 K"\r\n')).toBe("ssh.exe");
  expect(parseTasklist("INFO: No tasks are running which match the specified criteria.")).toBe(
    undefined,
  );
});
