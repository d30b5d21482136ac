import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TunnelError } from "../errors.ts";
import type { ForwardSpec } from "./forward-spec.ts";
import { formatForward, parseForward, resolveForward } from "./parse-forward.ts";

// A night runs a million: OPENCLAW_FUZZ_RUNS.
const numRuns = Number(process.env["OPENCLAW_FUZZ_RUNS"] ?? 10_000);

describe("reading", () => {
  test.for<[string, ForwardSpec]>([
    ["18789", { localPort: 18789, remotePort: 18789 }],
    ["18790:127.0.0.1:18789", { localPort: 18790, remoteHost: "127.0.0.1", remotePort: 18789 }],
    ["0:db.internal:5432", { localPort: 0, remoteHost: "db.internal", remotePort: 5432 }],
    [
      "localhost:80:web:8080",
      { localHost: "localhost", localPort: 80, remoteHost: "web", remotePort: 8080 },
    ],
    [
      "[::1]:80:[fe80::1]:8080",
      { localHost: "::1", localPort: 80, remoteHost: "fe80::1", remotePort: 8080 },
    ],
    ["2375:/var/run/docker.sock", { localPort: 2375, remotePath: "/var/run/docker.sock" }],
    [
      "10.0.0.2:2375:/var/run/docker.sock",
      { localHost: "10.0.0.2", localPort: 2375, remotePath: "/var/run/docker.sock" },
    ],
    ["/tmp/pg:db:5432", { localPath: "/tmp/pg", remoteHost: "db", remotePort: 5432 }],
    ["./pg:db:5432", { localPath: "./pg", remoteHost: "db", remotePort: 5432 }],
    ["/tmp/pg:[::1]:5432", { localPath: "/tmp/pg", remoteHost: "::1", remotePort: 5432 }],
    ["/tmp/a:/tmp/b", { localPath: "/tmp/a", remotePath: "/tmp/b" }],
    [String.raw`/tmp/a\:1:/tmp/b\:2`, { localPath: "/tmp/a:1", remotePath: "/tmp/b:2" }],
  ])("takes %s", ([text, spec]) => {
    expect(parseForward(text)).toEqual(spec);
  });

  test.for([
    ["", "port"],
    ["http", "port"],
    ["0", "1 to 65535"],
    ["65536", "1 to 65535"],
    ["18790:18789", "names no local port"],
    ["18790:127.0.0.1:0", "1 to 65535"],
    ["18790:127.0.0.1:99999", "1 to 65535"],
    ["18790:127.0.0.1:http", "port"],
    ["x:127.0.0.1:80", "port"],
    ["::1:18790:127.0.0.1:80", "too many parts"],
    ["18790:::1:80", "too many parts"],
    ["18790::80", "empty host"],
    ["18790:*:80", '"*"'],
    ["18790:-oProxyCommand=x:80", '"-"'],
    ["18790:a b:80", "neither a name nor an address"],
    ["18790:%h:80", "neither a name nor an address"],
    ["18790:$(id):80", "neither a name nor an address"],
    ["18790:a\u0000b:80", "neither a name nor an address"],
    ["18790:[localhost]:80", "brackets"],
    ["18790:[::1:80", "stray"],
    ["18790:[::1]x:80", "stray"],
    ["18790:/tmp/a\nb", "control character"],
    ["18790:./relative", "full path"],
    [`/${"x".repeat(120)}:db:1`, "socket path of more than"],
  ])("refuses %j and says why", ([text, why]) => {
    const attempt = (): unknown => parseForward(text ?? "");
    expect(attempt).toThrow(TunnelError);
    expect(attempt).toThrow(why);
    expect(attempt).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });

  test.for(["*", "", "0.0.0.0", "0", "[::]", "[0:0:0:0:0:0:0:0]", "[::ffff:0.0.0.0]", "0x0"])(
    "refuses to listen on every address for the bind address %j, unless that is allowed",
    (bind) => {
      const text = `${bind}:8080:127.0.0.1:80`;
      expect(() => parseForward(text)).toThrow("every address of this machine");
      expect(parseForward(text, { allowWideBind: true })).toMatchObject({ localPort: 8080 });
    },
  );

  test("repeats no control character in its message", () => {
    expect(() => parseForward("80:\u001B[31m:80")).toThrow(/^[^\p{Cc}]*$/u);
  });
});

describe("resolving", () => {
  test("fills in loopback on both sides and any free port", () => {
    expect(resolveForward({ remotePort: 18789 })).toEqual({
      local: { host: "127.0.0.1", port: 0 },
      remote: { host: "127.0.0.1", port: 18789 },
    });
  });

  test("makes the path of a local socket absolute", () => {
    expect(resolveForward({ localPath: "pg.sock", remotePath: "/run/pg" })).toEqual({
      local: { path: `${process.cwd()}/pg.sock` },
      remote: { path: "/run/pg" },
    });
  });

  test.for<[ForwardSpec, string]>([
    [{}, "names no remote port"],
    [{ localPath: "/a", localPort: 1, remotePort: 1 }, "a socket and on a port"],
    [{ localPath: "/a", localHost: "::1", remotePort: 1 }, "a socket and on a port"],
    [{ remotePath: "/a", remotePort: 1 }, "to a socket and to a port"],
    [{ remotePath: "/a", remoteHost: "b" }, "to a socket and to a port"],
    [{ remotePath: "" }, "empty socket path"],
    [{ remotePort: 1.5 }, "1 to 65535"],
    [{ remotePort: 1, localPort: -1 }, "0 to 65535"],
    [{ remotePort: 1, localHost: "" }, "empty host"],
  ])("refuses %j", ([spec, why]) => {
    const attempt = (): unknown => resolveForward(spec);
    expect(attempt).toThrow(why);
    expect(attempt).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });
});

const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constantFrom("localhost", "::1"));
const path = fc
  .array(fc.oneof(fc.constantFrom("/", ":", "\\", "[", "]", " ", "é"), fc.stringMatching(/^\w$/)), {
    minLength: 1,
    maxLength: 20,
  })
  .map((parts) => parts.join(""));
const port = fc.integer({ min: 1, max: 65_535 });
const local = fc.oneof(
  fc.record({ localHost: host, localPort: fc.oneof(port, fc.constant(0)) }, { requiredKeys: [] }),
  fc.record({ localPath: path }),
);
const remote = fc.oneof(
  fc.record({ remoteHost: host, remotePort: port }, { requiredKeys: ["remotePort"] }),
  fc.record({ remotePath: path.map((text) => `/${text}`) }),
);

test("whatever can be listened on is written so that it reads back the same", () => {
  fc.assert(
    fc.property(local, remote, (near, far) => {
      const spec: ForwardSpec = { ...near, ...far };
      const text = formatForward(spec);
      const again = parseForward(text, { allowWideBind: true });
      expect(resolveForward(again)).toEqual(resolveForward(spec));
      expect(formatForward(again)).toBe(text);
    }),
  );
});

test("no text makes the reader fail with anything but INVALID_OPTION", () => {
  const piece = fc.oneof(
    fc.constantFrom(":", "[", "]", "\\", "/", "*", "80", "::1", "host", "-", " ", "\u0000"),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        const spec = parseForward(pieces.join(""));
        expect(resolveForward(spec).local).toBeDefined();
      } catch (error) {
        expect(error).toMatchObject({ code: "INVALID_OPTION" });
      }
    }),
    { numRuns },
  );
});
