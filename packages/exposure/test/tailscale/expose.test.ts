import { readFile, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { failureOf, FOREIGN, HOST, routeTo, setUpBench } from "./support.ts";

const TARGET = "http://127.0.0.1:18789";

describe("serving", () => {
  test("makes one route, with exactly these invocations, and takes it off again", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    const exposure = await tailscale.expose({ mode: "serve", port: 18_789, recordPath });
    expect(exposure).toMatchObject({
      mode: "serve",
      url: `https://${HOST}/`,
      wsUrl: `wss://${HOST}`,
      isOwned: true,
    });
    expect(fake.table()).toEqual(routeTo(TARGET));
    expect(await exposure.check()).toEqual({ state: "open" });
    await exposure.withdraw();
    expect(fake.table()).toEqual({});
    expect(fake.calls()).toEqual([
      ["--version"],
      ["status", "--json"],
      ["serve", "status", "--json"],
      ["serve", "--bg", "--yes", "18789"],
      ["serve", "status", "--json"],
      ["serve", "status", "--json"],
      ["serve", "status", "--json"],
      ["serve", "--https=443", "off"],
      ["serve", "status", "--json"],
    ]);
    await expect(readFile(recordPath)).rejects.toThrow("ENOENT");
  });

  test("goes to a listener with TLS without a look at its certificate", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    await tailscale.expose({ mode: "serve", port: 18_789, isTls: true, recordPath });
    expect(fake.table()).toEqual(routeTo("https+insecure://127.0.0.1:18789"));
    expect(bench.lines()).toContain("serve --bg --yes https+insecure://127.0.0.1:18789");
  });

  test("on Funnel is marked as public, and leaves no Funnel behind", async () => {
    await using bench = await setUpBench({ table: FOREIGN });
    const { fake, tailscale, recordPath } = bench;
    const exposure = await tailscale.expose({ mode: "funnel", port: 18_789, recordPath });
    expect(bench.lines()).toContain("funnel --bg --yes 18789");
    expect(fake.table().AllowFunnel).toEqual({ [`${HOST}:443`]: true, [`${HOST}:8443`]: true });
    await exposure.withdraw();
    expect(fake.table()).toEqual(FOREIGN);
  });

  test("reads JSON between warnings and news", async () => {
    await using bench = await setUpBench({ isNoisy: true, table: FOREIGN });
    const { fake, tailscale, recordPath } = bench;
    const exposure = await tailscale.expose({ mode: "serve", port: 1, recordPath });
    expect(fake.table()).toMatchObject(routeTo("http://127.0.0.1:1"));
    await exposure.withdraw();
    expect(fake.table()).toEqual(FOREIGN);
  });

  test("waits for Tailscale to start", async () => {
    await using bench = await setUpBench({ startsAfter: 2 }, { limits: { pollMs: 1 } });
    const { fake, tailscale, recordPath } = bench;
    await tailscale.expose({ mode: "serve", port: 1, recordPath });
    expect(fake.table()).toEqual(routeTo("http://127.0.0.1:1"));
    expect(bench.lines().filter((line) => line === "status --json")).toHaveLength(3);
  });

  test("stops waiting when it is told to", async () => {
    await using bench = await setUpBench({ startsAfter: 1_000_000 }, { limits: { pollMs: 1 } });
    const { tailscale, recordPath } = bench;
    const stop = new AbortController();
    const opening = tailscale.expose({ mode: "serve", port: 1, recordPath, signal: stop.signal });
    const outcome = opening.catch((error: unknown) => error);
    await expect.poll(() => bench.lines().length).toBeGreaterThan(1);
    const reason = new Error("stop");
    stop.abort(reason);
    expect(await outcome).toBe(reason);
  });

  test.each([0, 65_536, 1.5, Number.NaN])(
    "refuses %d as a port, and runs nothing",
    async (port) => {
      await using bench = await setUpBench();
      const { fake, tailscale, recordPath } = bench;
      await expect(tailscale.expose({ mode: "serve", port, recordPath })).rejects.toThrow(
        RangeError,
      );
      expect(fake.calls()).toEqual([]);
    },
  );
});

describe("the record", () => {
  test("is written for this user alone, and says whose route it is", async () => {
    await using bench = await setUpBench();
    const { tailscale, recordPath } = bench;
    await tailscale.expose({ mode: "serve", port: 18_789, recordPath });
    expect((await stat(recordPath)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(recordPath))).mode & 0o777).toBe(0o700);
    expect(JSON.parse(await readFile(recordPath, "utf8"))).toMatchObject({
      version: 1,
      route: { mode: "serve", host: HOST, port: 443, mount: "/", target: TARGET },
      owner: {
        pid: process.pid,
        bootId: expect.any(String),
        startTime: expect.stringMatching(/./u),
      },
      openedAt: expect.stringMatching(/^\d{4}-/u),
    });
  });

  test.each(["", "{", "[]", "{}", '{"version":2}'])(
    "that reads %j is an error, and never taken for none",
    async (text) => {
      await using bench = await setUpBench();
      const { fake, tailscale, recordPath } = bench;
      const exposure = await tailscale.expose({ mode: "serve", port: 1, recordPath });
      await writeFile(recordPath, text);
      const before = fake.tableText();
      for (const work of [
        () => exposure.withdraw(),
        () => bench.restarted().repair({ recordPath }),
        () => bench.restarted().expose({ mode: "serve", port: 1, recordPath }),
      ]) {
        expect(await failureOf(work())).toMatchObject({
          code: "TAILSCALE_RECORD_UNREADABLE",
          details: { path: recordPath },
        });
      }
      expect(fake.tableText()).toBe(before);
    },
  );

  test("that cannot be written is an error before anything is served", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    await writeFile(dirname(recordPath), "a file where the folder is to be");
    const error = await failureOf(tailscale.expose({ mode: "serve", port: 1, recordPath }));
    expect(error.code).toBe("TAILSCALE_RECORD_UNREADABLE");
    expect(fake.table()).toEqual({});
  });
});

describe("withdrawing", () => {
  test("asks for our mount alone where others share the port", async () => {
    const shared = {
      TCP: { 443: { HTTPS: true } },
      Web: { [`${HOST}:443`]: { Handlers: { "/files": { Path: "/srv" } } } },
    };
    await using bench = await setUpBench({ table: shared });
    const { fake, tailscale, recordPath } = bench;
    const exposure = await tailscale.expose({ mode: "serve", port: 1, recordPath });
    await exposure.withdraw();
    expect(bench.lines()).toContain("serve --https=443 --set-path=/ off");
    expect(fake.table()).toEqual(shared);
  });

  test("resets everything only where the program is too old to do less, and all is ours", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    const exposure = await tailscale.expose({ mode: "serve", port: 1, recordPath });
    fake.fail({ on: "serve --https=443", kind: "unknown flag" });
    await exposure.withdraw();
    expect(fake.table()).toEqual({});
    expect(bench.lines()).toContain("serve reset");
  });

  test("fails where the program is too old to do less, and not all is ours", async () => {
    await using bench = await setUpBench({ table: FOREIGN });
    const { fake, tailscale, recordPath } = bench;
    const exposure = await tailscale.expose({ mode: "serve", port: 1, recordPath });
    const before = fake.tableText();
    fake.fail({ on: "serve --https=443", kind: "unknown flag" });
    const error = await failureOf(exposure.withdraw());
    expect(error).toMatchObject({
      code: "TAILSCALE_TOO_OLD",
      hint: expect.stringMatching(/1\.52/u),
    });
    expect(fake.tableText()).toBe(before);
    expect(bench.lines()).not.toContain("serve reset");
  });

  test("leaves what somebody has put in our place", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    const exposure = await tailscale.expose({ mode: "serve", port: 1, recordPath });
    const other = routeTo("http://127.0.0.1:9");
    fake.setTable(other);
    expect(await exposure.check()).toEqual({
      state: "changed",
      found: "proxy http://127.0.0.1:9",
    });
    await exposure.withdraw();
    expect(fake.table()).toEqual(other);
    expect(bench.log).toContain("warn the tailscale route was changed, and is left as it is");
  });

  test("leaves our route alone once somebody has put it on the internet", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    const exposure = await tailscale.expose({ mode: "serve", port: 1, recordPath });
    fake.setTable({ ...fake.table(), AllowFunnel: { [`${HOST}:443`]: true } });
    expect(await exposure.check()).toEqual({
      state: "changed",
      found: "proxy http://127.0.0.1:1, on the internet",
    });
  });

  test("twice is once", async () => {
    await using bench = await setUpBench();
    const { tailscale, recordPath } = bench;
    const exposure = await tailscale.expose({ mode: "serve", port: 1, recordPath });
    expect(exposure.withdraw()).toBe(exposure.withdraw());
    await exposure.withdraw();
    expect(bench.lines().filter((line) => line.endsWith(" off"))).toHaveLength(1);
  });

  test("says so when the route does not go", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    const exposure = await tailscale.expose({ mode: "serve", port: 1, recordPath });
    // It says something and ends with 0, as after a question that nobody answers.
    fake.fail({ on: "serve --https=443", kind: "garbage" });
    expect(await failureOf(exposure.withdraw())).toMatchObject({
      code: "TAILSCALE_READBACK_MISMATCH",
      hint: "Take it off by hand: tailscale serve --https=443 off",
    });
    expect(await stat(recordPath)).toBeTruthy();
  });

  test("a former exposure of the same process does not take off the one that came after", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    const former = await tailscale.expose({ mode: "serve", port: 1, recordPath });
    const present = await tailscale.expose({ mode: "serve", port: 2, recordPath });
    await former.withdraw();
    expect(fake.table()).toEqual(routeTo("http://127.0.0.1:2"));
    await present.withdraw();
    expect(fake.table()).toEqual({});
  });
});

describe("checking", () => {
  test.each([
    ["gone", {}, { state: "gone" }],
    ["changed", routeTo("http://127.0.0.1:9"), { state: "changed" }],
  ])("finds a route that is %s", async (_, table, expected) => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    const exposure = await tailscale.expose({ mode: "serve", port: 1, recordPath });
    fake.setTable(table);
    expect(await exposure.check()).toMatchObject(expected);
  });

  test("does not know when the daemon is away", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    const exposure = await tailscale.expose({ mode: "serve", port: 1, recordPath });
    fake.set({ isDaemonRunning: false });
    expect(await exposure.check()).toMatchObject({
      state: "unknown",
      problem: { code: "TAILSCALE_NOT_RUNNING" },
    });
  });
});

describe("a route of somebody else", () => {
  test.each([
    ["another route", routeTo("http://127.0.0.1:3000")],
    ["a TCP forward", { TCP: { 443: { TCPForward: "127.0.0.1:22" } } }],
    ["a foreground session", { Foreground: { abc: routeTo("http://127.0.0.1:3000") } }],
    ["our target on Funnel", { ...routeTo(TARGET), AllowFunnel: { [`${HOST}:443`]: true } }],
  ])("in our place is left alone: %s", async (_, table) => {
    await using bench = await setUpBench({ table });
    const { fake, tailscale, recordPath } = bench;
    const before = fake.tableText();
    const error = await failureOf(tailscale.expose({ mode: "serve", port: 18_789, recordPath }));
    expect(error).toMatchObject({
      code: "TAILSCALE_ROUTE_CONFLICT",
      message: expect.stringMatching(/port 443 has /u),
      hint: expect.stringMatching(/tailscale serve status/u),
    });
    expect(fake.tableText()).toBe(before);
    expect(bench.lines().filter((line) => line.includes("--bg"))).toEqual([]);
    await expect(stat(recordPath)).rejects.toThrow("ENOENT");
  });

  test("that does what was asked for is used, and stays", async () => {
    await using bench = await setUpBench({ table: routeTo(TARGET) });
    const { fake, tailscale, recordPath } = bench;
    const before = fake.tableText();
    const exposure = await tailscale.expose({ mode: "serve", port: 18_789, recordPath });
    expect(exposure).toMatchObject({ isOwned: false, url: `https://${HOST}/` });
    expect(await exposure.check()).toEqual({ state: "open" });
    await exposure.withdraw();
    expect(await bench.restarted().repair({ recordPath })).toEqual({ outcome: "nothing" });
    expect(fake.tableText()).toBe(before);
  });

  test("that would come onto the internet with ours is a conflict", async () => {
    const table = {
      TCP: { 443: { HTTPS: true } },
      Web: { [`${HOST}:443`]: { Handlers: { "/files": { Path: "/srv" } } } },
    };
    await using bench = await setUpBench({ table });
    const { fake, tailscale, recordPath } = bench;
    const error = await failureOf(tailscale.expose({ mode: "funnel", port: 1, recordPath }));
    expect(error.message).toMatch(/\/files, which Funnel would put on the internet too/u);
    expect(fake.table()).toEqual(table);
  });
});

describe("what is read back", () => {
  test.each(["nothing", "half"] as const)(
    "is not what was asked for when the program has done %s of it",
    async (kind) => {
      await using bench = await setUpBench();
      const { fake, tailscale, recordPath } = bench;
      fake.fail({ on: "serve --bg", kind });
      const error = await failureOf(tailscale.expose({ mode: "serve", port: 1, recordPath }));
      expect(error).toMatchObject({
        code: "TAILSCALE_READBACK_MISMATCH",
        message: expect.stringMatching(/and serves nothing$/u),
      });
      expect(fake.table()).toEqual({});
      await expect(stat(recordPath)).rejects.toThrow("ENOENT");
    },
  );

  test("is undone when it is on the internet, and was not to be", async () => {
    await using bench = await setUpBench({ table: FOREIGN });
    const { fake, tailscale, recordPath } = bench;
    fake.fail({ on: "serve --bg", kind: "public" });
    const error = await failureOf(tailscale.expose({ mode: "serve", port: 1, recordPath }));
    expect(error.message).toMatch(/serves proxy http:\/\/127\.0\.0\.1:1, on the internet$/u);
    expect(fake.table()).toEqual(FOREIGN);
  });

  test("is left alone when somebody else was faster", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    const table = routeTo("http://127.0.0.1:9");
    fake.fail({ on: "serve --bg", kind: "then replaced", table });
    const error = await failureOf(tailscale.expose({ mode: "serve", port: 1, recordPath }));
    expect(error.code).toBe("TAILSCALE_READBACK_MISMATCH");
    expect(fake.table()).toEqual(table);
    await expect(stat(recordPath)).rejects.toThrow("ENOENT");
  });

  test("is right, with a word in the log, when somebody else has changed another route", async () => {
    await using bench = await setUpBench({ table: FOREIGN });
    const { fake, tailscale, recordPath } = bench;
    const table = routeTo("http://127.0.0.1:1");
    fake.fail({ on: "serve --bg", kind: "then replaced", table });
    await tailscale.expose({ mode: "serve", port: 1, recordPath });
    expect(bench.log).toContain("warn somebody else has changed what tailscale serves meanwhile");
  });
});
