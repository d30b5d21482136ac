import { readFile, stat, writeFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { startProcess, type TestProcess } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { type Bench, failureOf, FOREIGN, HOST, routeTo, setUpBench } from "./support.ts";

const OWNER = fileURLToPath(new URL("restart-owner.ts", import.meta.url));
const UP = { deadlineMs: 60_000 };

/** Starts a process of its own that exposes the port. */
function startOwner(
  { fake, recordPath }: Bench,
  mode: "serve" | "funnel",
  port: number,
): TestProcess {
  const words = [OWNER, fake.program, recordPath, mode, String(port)];
  return startProcess(process.execPath, words, { env: fake.env });
}

/** Kills it as the system does when memory is short; what it has started ends by itself. */
async function killHard(owner: TestProcess, { fake }: Bench): Promise<void> {
  owner.signal("SIGKILL");
  await owner.exited;
  await expect.poll(() => fake.isBusy()).toBe(false);
}

/** Leaves the route of a process that is gone. */
async function leaveBehind(bench: Bench, mode: "serve" | "funnel", port: number): Promise<void> {
  await using owner = startOwner(bench, mode, port);
  await owner.line(/^open /u, UP);
  await killHard(owner, bench);
}

/** What is served besides port 443 of our name, as text. */
function foreignPart(text: string): string {
  const table = JSON.parse(text) as Record<string, Record<string, unknown>>;
  for (const part of ["TCP", "Web", "AllowFunnel"]) {
    delete table[part]?.["443"];
    delete table[part]?.[`${HOST}:443`];
  }
  return JSON.stringify(table);
}

describe("50 restarts", () => {
  const ends = ["killed", "killed early", "withdrawn", "left"] as const;

  test(
    "leave exactly our one route, and each foreign one byte-identical",
    { timeout: 600_000 },
    async () => {
      await using bench = await setUpBench({ table: FOREIGN });
      const { fake } = bench;
      const foreign = foreignPart(fake.tableText());
      for (let restart = 0; restart < 50; restart += 1) {
        const end = ends[restart % ends.length];
        const mode = restart % 7 === 0 ? "funnel" : "serve";
        const callsBefore = fake.calls().length;
        await using owner = startOwner(bench, mode, 18_000 + (restart % 3));
        if (end === "killed early") {
          // At another moment each time: before the change, in it, before it is read back.
          const moment = callsBefore + 2 + (restart % 4);
          await expect
            .poll(() => fake.calls().length, { interval: 5 })
            .toBeGreaterThanOrEqual(moment);
          await killHard(owner, bench);
        } else {
          expect(await owner.line(/^open \S+ owned$/u, UP)).toBeTruthy();
          if (end === "killed") await killHard(owner, bench);
          else owner.signal(end === "withdrawn" ? "SIGTERM" : "SIGINT");
          await owner.exited;
          if (end === "withdrawn") expect(fake.table()).toEqual(FOREIGN);
        }
        expect(foreignPart(fake.tableText())).toBe(foreign);
      }
      await leaveBehind(bench, "serve", 18_789);
      const ours = routeTo("http://127.0.0.1:18789") as { TCP: object; Web: object };
      expect(fake.table()).toEqual({
        ...FOREIGN,
        TCP: { ...FOREIGN.TCP, ...ours.TCP },
        Web: { ...FOREIGN.Web, ...ours.Web },
      });
      expect(await bench.tailscale.repair({ recordPath: bench.recordPath })).toMatchObject({
        outcome: "removed",
      });
      expect(fake.table()).toEqual(FOREIGN);
      expect(bench.lines()).not.toContain("serve reset");
    },
  );
});

describe("what a Gateway that is gone has left behind", () => {
  test("is adopted by the next start, without a change", async () => {
    await using bench = await setUpBench({ table: FOREIGN });
    await leaveBehind(bench, "serve", 18_789);
    const before = bench.fake.tableText();
    const calls = bench.lines().length;
    const { recordPath, tailscale } = bench;
    const exposure = await tailscale.expose({ mode: "serve", port: 18_789, recordPath });
    expect(exposure.isOwned).toBe(true);
    expect(bench.fake.tableText()).toBe(before);
    expect(bench.lines().slice(calls)).toEqual(["status --json", "serve status --json"]);
    await exposure.withdraw();
    expect(bench.fake.table()).toEqual(FOREIGN);
  });

  test.each([
    ["port", "serve", 1, { mode: "serve", port: 2 }],
    ["reach, less", "funnel", 1, { mode: "serve", port: 1 }],
    ["reach, more", "serve", 1, { mode: "funnel", port: 1 }],
    ["listener", "serve", 1, { mode: "serve", port: 1, isTls: true }],
  ] as const)("is replaced where the next start has another %s", async (_, mode, port, next) => {
    await using bench = await setUpBench({ table: FOREIGN });
    await leaveBehind(bench, mode, port);
    const { fake, recordPath, tailscale } = bench;
    const exposure = await tailscale.expose({ ...next, recordPath });
    expect(await exposure.check()).toEqual({ state: "open" });
    await exposure.withdraw();
    expect(fake.table()).toEqual(FOREIGN);
  });

  test("is taken off by a repair, and the record with it", async () => {
    await using bench = await setUpBench({ table: FOREIGN });
    await leaveBehind(bench, "funnel", 18_789);
    const { fake, recordPath, tailscale } = bench;
    expect(await tailscale.repair({ recordPath })).toEqual({
      outcome: "removed",
      route: { mode: "funnel", host: HOST, target: "http://127.0.0.1:18789" },
    });
    expect(fake.table()).toEqual(FOREIGN);
    expect(await tailscale.repair({ recordPath })).toEqual({ outcome: "nothing" });
  });

  test("may be what was there before the change that it died in", async () => {
    await using bench = await setUpBench({ table: FOREIGN });
    await leaveBehind(bench, "serve", 1);
    const { fake, recordPath } = bench;
    const left = JSON.parse(await readFile(recordPath, "utf8")) as { route: object };
    const route = { ...left.route, mode: "funnel", target: "http://127.0.0.1:2" };
    const inTheMiddle = JSON.stringify({ ...left, route, previous: left.route });

    await writeFile(recordPath, inTheMiddle);
    expect(await bench.tailscale.repair({ recordPath })).toMatchObject({
      outcome: "removed",
      route: { mode: "serve", target: "http://127.0.0.1:1" },
    });
    expect(fake.table()).toEqual(FOREIGN);

    await leaveBehind(bench, "serve", 1);
    await writeFile(recordPath, inTheMiddle);
    const exposure = await bench.tailscale.expose({ mode: "funnel", port: 2, recordPath });
    await exposure.withdraw();
    expect(fake.table()).toEqual(FOREIGN);
  });

  test("is taken off under the machine's former name too, when it is all that is served", async () => {
    await using bench = await setUpBench();
    await leaveBehind(bench, "serve", 18_789);
    const { fake, recordPath, tailscale } = bench;
    fake.set({ dnsName: "renamed.tail1234.ts.net." });
    const exposure = await tailscale.expose({ mode: "serve", port: 18_789, recordPath });
    expect(exposure.url).toBe("https://renamed.tail1234.ts.net/");
    expect(Object.keys(fake.table().Web ?? {})).toEqual(["renamed.tail1234.ts.net:443"]);
  });

  test("stays, and is said, when others would go with it under the former name", async () => {
    await using bench = await setUpBench({ table: FOREIGN });
    await leaveBehind(bench, "serve", 18_789);
    const { fake, recordPath, tailscale } = bench;
    const before = fake.tableText();
    fake.set({ dnsName: "renamed.tail1234.ts.net." });
    const error = await failureOf(tailscale.expose({ mode: "serve", port: 18_789, recordPath }));
    expect(error.details.output).toContain("handler does not exist");
    expect(fake.tableText()).toBe(before);
    expect(await stat(recordPath)).toBeTruthy();
  });

  test.each([
    ["gone", {}],
    ["changed", routeTo("http://127.0.0.1:9")],
    ["changed", { ...routeTo("http://127.0.0.1:18789"), AllowFunnel: { [`${HOST}:443`]: true } }],
  ])("and is %s by now is left as it is", async (outcome, table) => {
    await using bench = await setUpBench();
    await leaveBehind(bench, "serve", 18_789);
    const { fake, recordPath, tailscale } = bench;
    fake.setTable(table);
    expect(await tailscale.repair({ recordPath })).toMatchObject({ outcome });
    expect(fake.table()).toEqual(table);
    await expect(stat(recordPath)).rejects.toThrow("ENOENT");
  });

  test("keeps its record when it cannot be taken off now", async () => {
    await using bench = await setUpBench();
    await leaveBehind(bench, "serve", 18_789);
    const { fake, recordPath, tailscale } = bench;
    fake.set({ isOperator: false });
    expect(await failureOf(tailscale.repair({ recordPath }))).toMatchObject({
      code: "TAILSCALE_NO_RIGHTS",
    });
    fake.set({ isOperator: true });
    expect(await tailscale.repair({ recordPath })).toMatchObject({ outcome: "removed" });
  });
});

describe("the route of a Gateway that runs", () => {
  test("is neither repaired nor taken over", async () => {
    await using bench = await setUpBench();
    await using owner = startOwner(bench, "serve", 18_789);
    await owner.line(/^open /u, UP);
    const { fake, recordPath, tailscale } = bench;
    const before = fake.tableText();
    const calls = bench.lines().length;
    expect(await tailscale.repair({ recordPath })).toMatchObject({
      outcome: "held",
      pid: owner.pid,
    });
    const error = await failureOf(tailscale.expose({ mode: "serve", port: 2, recordPath }));
    expect(error).toMatchObject({
      code: "TAILSCALE_EXPOSURE_HELD",
      details: { pid: owner.pid },
    });
    expect(fake.tableText()).toBe(before);
    expect(bench.lines()).toHaveLength(calls);
  });

  test.each([
    ["another start of the system", { bootId: "00000000-0000-0000-0000-000000000000" }],
    ["a process that had the number before", { startTime: "1" }],
  ])("is told from that of %s", async (_, stale) => {
    await using bench = await setUpBench();
    await using owner = startOwner(bench, "serve", 18_789);
    await owner.line(/^open /u, UP);
    const { recordPath, tailscale } = bench;
    const record = JSON.parse(await readFile(recordPath, "utf8")) as { owner: object };
    await writeFile(
      recordPath,
      JSON.stringify({ ...record, owner: { ...record.owner, ...stale } }),
    );
    expect(await tailscale.repair({ recordPath })).toMatchObject({ outcome: "removed" });
  });

  test("of another profile is a conflict, since the name has one root", async () => {
    await using bench = await setUpBench();
    await using owner = startOwner(bench, "serve", 18_789);
    await owner.line(/^open /u, UP);
    const recordPath = `${bench.recordPath}.of-another-profile`;
    const error = await failureOf(
      bench.tailscale.expose({ mode: "serve", port: 19_789, recordPath }),
    );
    expect(error).toMatchObject({
      code: "TAILSCALE_ROUTE_CONFLICT",
      message: expect.stringMatching(/proxy http:\/\/127\.0\.0\.1:18789/u),
    });
  });
});
