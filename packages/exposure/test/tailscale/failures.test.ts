import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { temporaryDirectory, type FakeTailscaleOptions } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { createTailscale } from "../../src/tailscale/create-tailscale.ts";
import { failureOf, setUpBench } from "./support.ts";

const operator = `sudo tailscale set --operator=${userInfo().username}`;

describe("exposing fails with a code, a hint and nothing served", () => {
  test.each<[string, FakeTailscaleOptions, "serve" | "funnel", object]>([
    [
      "the daemon does not run",
      { isDaemonRunning: false },
      "serve",
      { code: "TAILSCALE_NOT_RUNNING", hint: expect.stringMatching(/systemctl start tailscaled/u) },
    ],
    [
      "Tailscale is stopped",
      { backendState: "Stopped" },
      "serve",
      { code: "TAILSCALE_NOT_RUNNING", hint: "Connect it: sudo tailscale up." },
    ],
    [
      "nobody is logged in",
      { backendState: "NeedsLogin" },
      "serve",
      {
        code: "TAILSCALE_NEEDS_LOGIN",
        hint: "Log in at https://login.tailscale.com/a/0123456789.",
      },
    ],
    [
      "an admin has not approved the machine",
      { backendState: "NeedsMachineAuth" },
      "serve",
      { code: "TAILSCALE_NOT_APPROVED", hint: expect.stringMatching(/admin\/machines/u) },
    ],
    [
      "the machine has no name",
      { dnsName: "" },
      "serve",
      { code: "TAILSCALE_NO_DNS_NAME", hint: expect.stringMatching(/MagicDNS/u) },
    ],
    [
      "this user has no right",
      { isOperator: false },
      "serve",
      { code: "TAILSCALE_NO_RIGHTS", hint: `Once, on this machine: ${operator}` },
    ],
    [
      "this user has no right to Funnel",
      { isOperator: false },
      "funnel",
      { code: "TAILSCALE_NO_RIGHTS", hint: `Once, on this machine: ${operator}` },
    ],
    [
      "HTTPS is not enabled",
      { isHttpsEnabled: false },
      "serve",
      {
        code: "TAILSCALE_HTTPS_DISABLED",
        hint: "Turn it on at https://login.tailscale.com/f/serve?node=nTESTCNTRL",
        details: { link: "https://login.tailscale.com/f/serve?node=nTESTCNTRL" },
      },
    ],
    [
      "HTTPS is not enabled, and the program does not wait for it",
      { isHttpsEnabled: false, waitsForEnablement: false },
      "serve",
      { code: "TAILSCALE_HTTPS_DISABLED" },
    ],
    [
      "Funnel is not enabled",
      { isFunnelEnabled: false },
      "funnel",
      {
        code: "TAILSCALE_FUNNEL_DISABLED",
        details: { link: "https://login.tailscale.com/f/funnel?node=nTESTCNTRL" },
      },
    ],
    ["the program is old", { version: "1.44.2" }, "serve", { code: "TAILSCALE_TOO_OLD" }],
  ])("%s", async (_, options, mode, expected) => {
    await using bench = await setUpBench(options, { limits: { startingMs: 0 } });
    const { fake, tailscale, recordPath } = bench;
    const error = await failureOf(tailscale.expose({ mode, port: 1, recordPath }));
    expect(error).toMatchObject(expected);
    expect(error.hint).toBeTruthy();
    expect(fake.table()).toEqual({});
    expect(bench.lines().join("\n")).not.toContain("sudo");
    expect(await bench.restarted().repair({ recordPath })).toEqual({ outcome: "nothing" });
  });

  test.each<[string, string, string]>([
    [
      "Funnel not available; HTTPS must be enabled. See https://tailscale.com/s/https.",
      "funnel",
      "HTTPS_DISABLED",
    ],
    [
      'Funnel not available; "funnel" node attribute not set. See https://tailscale.com/s/no-funnel.',
      "funnel",
      "FUNNEL_DISABLED",
    ],
    ["Error: port 443 is not allowed for funnel", "funnel", "FUNNEL_DISABLED"],
    ["sending serve config: Access denied: serve config denied", "serve", "NO_RIGHTS"],
    ["open /var/lib/tailscale: operation not permitted", "serve", "NO_RIGHTS"],
    ["tailscale: must be run as root", "serve", "NO_RIGHTS"],
    ["dial unix /run/tailscaled.sock: connect: permission denied", "serve", "NO_RIGHTS"],
    ["failed to connect to local Tailscale service; is Tailscale running?", "serve", "NOT_RUNNING"],
    ["500 Internal Server Error: something new", "serve", "FAILED"],
  ])("the program says: %s", async (text, mode, code) => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    fake.fail({ on: `${mode} --bg`, kind: "fail", text });
    const error = await failureOf(
      tailscale.expose({ mode: mode === "funnel" ? "funnel" : "serve", port: 1, recordPath }),
    );
    expect(error.code).toBe(`TAILSCALE_${code}`);
    expect(error.details.output).toContain(text);
    expect(error.details).toMatchObject({
      exitCode: 1,
      command: ["tailscale", mode, "--bg", "--yes", "1"],
    });
  });

  test("the program does not end", async () => {
    await using bench = await setUpBench({}, { limits: { changeMs: 400 } });
    const { fake, tailscale, recordPath } = bench;
    fake.fail({ on: "serve --bg", kind: "hang" });
    const error = await failureOf(tailscale.expose({ mode: "serve", port: 1, recordPath }));
    expect(error).toMatchObject({
      code: "TAILSCALE_TIMEOUT",
      message: "tailscale serve --bg --yes 1 did not end within 0.4 s",
    });
    await expect.poll(() => fake.isBusy()).toBe(false);
  });

  test.each([
    ["flood", /more than 200000 bytes/u],
    ["garbage", /printed no JSON document/u],
  ] as const)("the table is a %s", async (kind, message) => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    fake.fail({ on: "serve status", kind });
    const error = await failureOf(tailscale.expose({ mode: "serve", port: 1, recordPath }));
    expect(error).toMatchObject({
      code: "TAILSCALE_BAD_OUTPUT",
      message: expect.stringMatching(message),
    });
    expect(fake.table()).toEqual({});
    await expect.poll(() => fake.isBusy()).toBe(false);
  });

  test("Tailscale never gets up", async () => {
    const limits = { pollMs: 1, startingMs: 50 };
    await using bench = await setUpBench({ startsAfter: 1_000_000 }, { limits });
    const { tailscale, recordPath } = bench;
    const error = await failureOf(tailscale.expose({ mode: "serve", port: 1, recordPath }));
    expect(error.code).toBe("TAILSCALE_STARTING");
  });

  test("what the program says is shown without control characters and keys", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    const text = `boom \u001B[31mtskey-auth-kAbCdEf-0123456789 ${"x".repeat(5_000)}`;
    fake.fail({ on: "serve --bg", kind: "fail", text });
    const error = await failureOf(tailscale.expose({ mode: "serve", port: 1, recordPath }));
    const shown = JSON.stringify([error.message, error.details]);
    expect(shown).toContain("boom [31mtskey-…");
    expect(shown).not.toContain("kAbCdEf");
    expect(shown.length).toBeLessThan(5_000);
  });

  test("a change that failed and came to be all the same is taken off again", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    fake.fail({ on: "serve --bg", kind: "then fail", text: "lost connection to tailscaled" });
    const error = await failureOf(tailscale.expose({ mode: "serve", port: 1, recordPath }));
    expect(error.code).toBe("TAILSCALE_FAILED");
    expect(fake.table()).toEqual({});
    expect(await bench.restarted().repair({ recordPath })).toEqual({ outcome: "nothing" });
  });

  test("a change that cannot be undone at once is left to the next start", async () => {
    await using bench = await setUpBench();
    const { fake, tailscale, recordPath } = bench;
    fake.fail({ on: "serve --bg", kind: "then fail", text: "lost connection to tailscaled" });
    fake.fail({ on: "serve --https=443", kind: "fail", text: "lost connection", times: 1 });
    await failureOf(tailscale.expose({ mode: "serve", port: 1, recordPath }));
    expect(bench.log).toContain("warn the record of the tailscale route is kept for repair");
    fake.heal();
    const exposure = await bench.restarted().expose({ mode: "serve", port: 2, recordPath });
    expect(exposure.isOwned).toBe(true);
    await exposure.withdraw();
    expect(fake.table()).toEqual({});
  });
});

describe("the program", () => {
  test("is not installed: everything says so, and where to get it", async () => {
    await using directory = await temporaryDirectory();
    const tailscale = createTailscale({
      env: { PATH: directory.path },
      program: directory.file("tailscale"),
    });
    expect(await tailscale.status()).toMatchObject({
      isInstalled: false,
      problem: { code: "TAILSCALE_NOT_INSTALLED", hint: expect.stringMatching(/through SSH/u) },
    });
    expect(await tailscale.whois("100.64.0.1")).toBeUndefined();
    const recordPath = directory.file("record");
    const error = await failureOf(tailscale.expose({ mode: "serve", port: 1, recordPath }));
    expect(error.code).toBe("TAILSCALE_NOT_INSTALLED");
  });

  test("is found in PATH, past what is no program, does not answer, or stands in a relative folder", async () => {
    await using bench = await setUpBench();
    await using directory = await temporaryDirectory();
    for (const [name, mode, text] of [
      ["no-program", 0o644, "text"],
      ["broken", 0o755, "#!/bin/sh\nexit 1\n"],
    ] as const) {
      await mkdir(directory.file(name));
      await writeFile(directory.file(name, "tailscale"), text);
      await chmod(directory.file(name, "tailscale"), mode);
    }
    const folders = [".", "no-program", "broken"].map((name) =>
      name === "." ? name : directory.file(name),
    );
    const tailscale = createTailscale({
      env: { PATH: [...folders, bench.fake.path].join(":") },
    });
    expect(await tailscale.status()).toMatchObject({
      isInstalled: true,
      program: bench.fake.program,
      version: "1.96.4",
    });
  });

  test("is found although it was installed only after the first question", async () => {
    await using bench = await setUpBench();
    await using directory = await temporaryDirectory();
    const program = directory.file("tailscale");
    const tailscale = createTailscale({ env: bench.fake.env, program });
    expect(await tailscale.status()).toMatchObject({ isInstalled: false });
    await writeFile(program, `#!/bin/sh\nexec '${bench.fake.program}' "$@"\n`);
    await chmod(program, 0o755);
    expect(await tailscale.status()).toMatchObject({ isInstalled: true, state: "Running" });
  });

  test("sees nothing of the environment that it does not need", async () => {
    await using directory = await temporaryDirectory();
    const program = directory.file("tailscale");
    const seen = directory.file("seen");
    await writeFile(program, `#!/bin/sh\nenv > '${seen}'\necho 1.96.4\n`);
    await chmod(program, 0o755);
    const env = {
      PATH: "/usr/bin:/bin",
      HOME: "/h",
      OPENCLAW_GATEWAY_TOKEN: "secret-of-the-gateway",
    };
    await createTailscale({ env, program }).status();
    const environment = await readFile(seen, "utf8");
    expect(environment).toContain("HOME=/h");
    expect(environment).not.toContain("secret-of-the-gateway");
  });

  test("is not run before it is asked something", async () => {
    await using bench = await setUpBench();
    await bench.restarted().repair({ recordPath: bench.recordPath });
    await bench.restarted().whois("8.8.8.8");
    expect(bench.fake.calls()).toEqual([]);
  });
});
