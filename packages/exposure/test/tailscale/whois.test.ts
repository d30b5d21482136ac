import { describe, expect, test } from "vitest";
import { setUpBench } from "./support.ts";

const ADA = { login: "ada@example.com", name: "Ada" };

describe("whois", () => {
  test("tells the person behind an address, asking exactly once", async () => {
    await using bench = await setUpBench({ peers: { "100.64.0.1": ADA } });
    expect(await bench.tailscale.whois("100.64.0.1")).toEqual(ADA);
    expect(bench.lines()).toEqual(["whois --json 100.64.0.1"]);
  });

  test("tells the tags of a machine that belongs to nobody", async () => {
    await using bench = await setUpBench({
      peers: { "100.64.0.2": { login: "", tags: ["tag:server", "tag:ci"] } },
      isNoisy: true,
    });
    expect(await bench.tailscale.whois("100.64.0.2")).toEqual({
      login: "tagged-devices",
      name: "Tagged Devices",
      tags: ["tag:server", "tag:ci"],
    });
  });

  test("asks again after 60 s for who was known, and after 5 s for who was not", async () => {
    let now = 1_000_000;
    await using bench = await setUpBench({ peers: { "100.64.0.1": ADA } }, { now: () => now });
    const { fake, tailscale } = bench;
    const asked = () => bench.lines().length;
    await tailscale.whois("100.64.0.1");
    expect(await tailscale.whois("100.64.0.9")).toBeUndefined();
    expect(asked()).toBe(2);
    fake.set({ peers: { "100.64.0.9": ADA } });
    now += 4_999;
    expect(await tailscale.whois("100.64.0.9")).toBeUndefined();
    expect(await tailscale.whois("100.64.0.1")).toEqual(ADA);
    expect(asked()).toBe(2);
    now += 1;
    expect(await tailscale.whois("100.64.0.9")).toEqual(ADA);
    now = 1_059_999;
    expect(await tailscale.whois("100.64.0.1")).toEqual(ADA);
    expect(asked()).toBe(3);
    now += 1;
    expect(await tailscale.whois("100.64.0.1")).toBeUndefined();
    expect(asked()).toBe(4);
  });

  test("asks once however many want to know, also when the address is written otherwise", async () => {
    await using bench = await setUpBench({
      peers: { "100.64.0.1": ADA, "fd7a:115c:a1e0::1": ADA },
    });
    const { tailscale } = bench;
    const answers = await Promise.all([
      ...Array.from({ length: 20 }, () => tailscale.whois("100.64.0.1")),
      tailscale.whois("::ffff:100.64.0.1"),
      tailscale.whois("fd7a:115c:a1e0::1"),
      tailscale.whois("FD7A:115C:A1E0:0:0:0:0:1"),
    ]);
    expect(answers).toEqual(Array.from({ length: 23 }, () => ADA));
    expect(bench.lines().toSorted()).toEqual([
      "whois --json 100.64.0.1",
      "whois --json fd7a:115c:a1e0::1",
    ]);
  });

  test.each([
    "",
    "127.0.0.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "::1",
    "fd7a:115c:a1e1::1",
    "fd7a:115c:a1e0::1%eth0",
    "--help",
    "-h",
    "100.64.0.1 --help",
    "100.64.0.1\n",
    "0100.64.0.1",
    "100.64.0.1:443",
    "laptop.tail1234.ts.net",
    "$(reboot)",
  ])("runs nothing for %j", async (text) => {
    await using bench = await setUpBench();
    expect(await bench.tailscale.whois(text)).toBeUndefined();
    expect(bench.fake.calls()).toEqual([]);
  });

  test("forgets the oldest when there are too many", async () => {
    await using bench = await setUpBench({}, { limits: { maxEntries: 2 } });
    const { tailscale } = bench;
    for (const last of [1, 2, 3, 2, 1]) await tailscale.whois(`100.64.0.${last}`);
    expect(bench.lines().map((line) => line.at(-1))).toEqual(["1", "2", "3", "1"]);
  });

  test.each(["hang", "flood", "garbage", "fail"] as const)(
    "knows nobody, and says so in the log, when the program answers with a %s",
    async (kind) => {
      await using bench = await setUpBench(
        { peers: { "100.64.0.1": ADA } },
        { limits: { readMs: 500 } },
      );
      bench.fake.fail({ on: "whois", kind, text: "context deadline exceeded" });
      expect(await bench.tailscale.whois("100.64.0.1")).toBeUndefined();
      expect(bench.log).toEqual(["warn tailscale does not say who this is"]);
      await expect.poll(() => bench.fake.isBusy()).toBe(false);
    },
  );
});
