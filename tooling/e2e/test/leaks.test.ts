import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRawPeer, freePort, type PeerFrame, startHostileListener } from "@openclaw/testkit";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  createProgramHome,
  type ProgramAnswer,
  type ProgramHome,
} from "../src/program/program-home.ts";
import { createSecretCorpus, type Sighting, spellingsOf } from "../src/program/secret-corpus.ts";

// Secrets are planted wherever one may be, then everything that tells something is asked, by those who
// may ask and by those who may not. OPENCLAW_LEAK_SEED=<seed> plants the same secrets again.

const UP_MS = 30_000;
// Processes are slow to start on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });
const SEED = Number(process.env["OPENCLAW_LEAK_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const corpus = createSecretCorpus(SEED);
const RECORDER = fileURLToPath(new URL("../src/program/record-children.mjs", import.meta.url));

/** The only places where a secret may stand: it is what was asked for there. */
const BY_DESIGN: readonly { readonly place: RegExp; readonly name: RegExp }[] = [
  { place: /^qr\b/u, name: /^setup code/u },
  { place: /^config get hooks\.token --show-secrets/u, name: /^hooks token$/u },
  // What the user exports, and writes into .env, is the environment of what a command starts.
  { place: /^environment of a child/u, name: /^(?:variable |value of \.env$)/u },
];

const mayStandIn = (name: string, place: string): boolean =>
  BY_DESIGN.some((one) => one.place.test(place) && one.name.test(name));

const seen: Sighting[] = [];
const leaks = (): string[] => corpus.leaks(seen, mayStandIn);

const variables = {
  TALK_KEY: corpus.plant("variable TALK_KEY"),
  GATEWAY_PASSWORD: corpus.plant("variable GATEWAY_PASSWORD"),
};
const token = corpus.plant("gateway token");
const doomed = corpus.plant("token of a config that is refused");

function configOf(port: number): object {
  return {
    gateway: {
      mode: "local",
      port,
      auth: { mode: "token", token, password: "${GATEWAY_PASSWORD}" },
      tls: { enabled: true },
      nodes: { pairing: { autoApproveLocal: false } },
      remote: {
        url: "wss://gw.example:443",
        token: corpus.plant("remote token"),
        password: corpus.plant("remote password"),
        edgeAuth: { "x-edge-key": corpus.plant("edge header") },
      },
    },
    hooks: { enabled: false, token: corpus.plant("hooks token") },
    channels: {
      telegram: {
        enabled: false,
        botToken: corpus.plant("bot token"),
        webhookSecret: corpus.plant("webhook secret"),
        proxy: `http://user:${encodeURIComponent(corpus.plant("proxy password"))}@proxy.example:8080`,
      },
      elsewhere: { apiToken: corpus.plant("token of an unknown channel") },
    },
    models: {
      providers: {
        own: {
          baseUrl: "https://models.example",
          apiKey: corpus.plant("model key"),
          headers: { "x-key": corpus.plant("model header") },
          models: [],
        },
      },
    },
    talk: { apiKey: "${TALK_KEY}" },
    env: {
      vars: { OWN_SECRET: corpus.plant("value of env.vars") },
      ANOTHER: corpus.plant("value of env"),
    },
    skills: {
      entries: {
        own: { apiKey: corpus.plant("skill key"), env: { K: corpus.plant("skill variable") } },
      },
    },
    logging: { level: "debug" },
    discovery: { mdns: { mode: "off" } },
  };
}

let host: ProgramHome;
let laptop: ProgramHome;
let port: number;
let url: string;
let fingerprint: string;
let certPath: string;
let record: string;

/** Runs a command and writes down all that it told. */
async function run(
  home: ProgramHome,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<ProgramAnswer> {
  const answer = await home.run(args, options);
  seen.push(...toldBy(args, answer));
  return answer;
}

function toldBy(args: readonly string[], { stdout, stderr }: ProgramAnswer): Sighting[] {
  const place = args.join(" ");
  return [
    { place, text: stdout },
    { place: `${place} (stderr)`, text: stderr },
  ];
}

beforeAll(async () => {
  const fakes = await createProgramHome();
  await mkdir(fakes.file("bin"));
  for (const [name, text] of Object.entries(STAND_INS)) {
    // oxlint-disable-next-line no-await-in-loop
    await writeFile(fakes.file("bin", name), `#!/bin/sh\n${text}\n`);
    // oxlint-disable-next-line no-await-in-loop
    await chmod(fakes.file("bin", name), 0o755);
  }
  record = fakes.file("children.jsonl");
  const env = {
    PATH: `${fakes.file("bin")}:${process.env["PATH"]}`,
    NODE_OPTIONS: `--import=${RECORDER}`,
    RECORD_CHILDREN: record,
    // One whom systemd has a session for.
    USER: "somebody",
    XDG_RUNTIME_DIR: fakes.file("bin"),
    ...variables,
  };
  host = await createProgramHome(env);
  laptop = await createProgramHome(env);
  port = await freePort();
  await host.writeConfig(configOf(port));
  await writeFile(
    host.file(".openclaw", ".env"),
    `FROM_DOTENV=${JSON.stringify(corpus.plant("value of .env"))}\n`,
    { mode: 0o600 },
  );
  const gateway = host.start(["gateway", "run", "--verbose"]);
  await gateway.line("Auth mode", { deadlineMs: UP_MS });
  await writeFile(fakes.file("bin", "systemctl.pid"), String(gateway.pid));
  const certificate = await run(host, ["gateway", "certificate", "--json"]);
  ({ fingerprint, certPath } = JSON.parse(certificate.stdout) as {
    fingerprint: string;
    certPath: string;
  });
  url = `wss://127.0.0.1:${port}`;

  const code = (await run(host, ["qr", "--setup-code-only", "--public-url", url])).stdout.trim();
  corpus.learn("setup code", code);
  const setup = JSON.parse(Buffer.from(code, "base64url").toString()) as { bootstrapToken: string };
  corpus.learn("setup code's token", setup.bootstrapToken);
  // A code for a public URL leaves the certificate to whoever answers there.
  const pinned = JSON.stringify({ ...setup, tlsFingerprint: fingerprint });
  const input = Buffer.from(pinned).toString("base64url");
  corpus.learn("setup code with the fingerprint", input);
  const node = laptop.start(
    ["connect", "--target-file", "-", "--display-name", "laptop", "--verbose"],
    { input },
  );
  await node.line(/Connected to|node .* is connected/u, { deadlineMs: UP_MS });

  await vi.waitFor(() => learnDeviceTokens("at first"));
  await learnKeys(host, "the Gateway's machine");
  await learnKeys(laptop, "the laptop");
  running.push(
    { place: "the Gateway's output", text: () => gateway.stdout + gateway.stderr },
    { place: "the node's output", text: () => node.stdout + node.stderr },
  );
  cleanUps.push(fakes);
}, 90_000);

const running: { place: string; text: () => string }[] = [];
const cleanUps: AsyncDisposable[] = [];

afterAll(async () => {
  for (const one of [host, laptop, ...cleanUps]) {
    // oxlint-disable-next-line no-await-in-loop
    await one?.[Symbol.asyncDispose]();
  }
});

/** Programs that manage services, as far as asking them changes nothing. */
const STAND_INS = {
  systemctl: `case "$2" in
  is-system-running) echo running;;
  is-enabled) echo enabled;;
  show) printf 'MainPID=%s\\nExecMainCode=0\\nExecMainStatus=0\\nActiveState=active\\nSubState=running\\n' "$(cat "$0.pid")";;
esac`,
  loginctl: "echo Linger=yes",
  "xdg-open": "exit 0",
};

/** Lines of private keys, which are secrets as much as a token is. */
async function learnKeys(home: ProgramHome, whose: string): Promise<void> {
  for (const path of await filesBelow(home.file(".openclaw"))) {
    // oxlint-disable-next-line no-await-in-loop
    const text = (await readFile(path, "utf8").catch(() => "")).replaceAll("\\n", "\n");
    for (const [, body = ""] of text.matchAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----\n([^-]+)/gu)) {
      const [line = ""] = body.trim().split("\n").slice(-1);
      if (line.length >= 20)
        corpus.learn(`private key ${path.slice(home.path.length)} of ${whose}`, line);
    }
  }
}

/** The tokens that the laptop keeps. */
async function learnDeviceTokens(when: string): Promise<void> {
  const path = laptop.file(".openclaw/identity/device-auth.json");
  const { tokens } = JSON.parse(await readFile(path, "utf8")) as {
    tokens: Record<string, Record<string, { token: string }>>;
  };
  for (const [role, kept] of Object.values(tokens).flatMap((roles) => Object.entries(roles))) {
    corpus.learn(`device token of the ${role} ${when}`, kept.token);
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test("the corpus covers every kind of secret", () => {
  process.stderr.write(`leaks.test.ts: OPENCLAW_LEAK_SEED=${SEED}\n`);
  expect(corpus.size).toBeGreaterThan(20);
  const text = (secret: string): Sighting[] => [{ place: "a log", text: `x ${secret} y` }];
  for (const spelling of spellingsOf(token)) {
    expect(corpus.leaks(text(spelling), mayStandIn)).toContain("a log: gateway token");
  }
});

const QUESTIONS: readonly string[] = [
  "status --all --deep",
  "status --json --deep",
  "health --verbose",
  "health --json",
  "gateway status --deep",
  "gateway status --json",
  "gateway probe --json",
  "gateway probe",
  "gateway call config.get",
  "gateway call config.schema --json",
  "gateway call status --json",
  "gateway call system-presence --json",
  "gateway call device.pair.list --json",
  "gateway call logs.tail --json",
  "gateway call node.list --json",
  "devices list",
  "devices list --json",
  "nodes status --json",
  "nodes describe --json --node laptop",
  "config get gateway",
  "config get channels --json",
  "config get models --json",
  "config get env",
  "config get skills",
  "config get hooks.token --show-secrets",
  "config diff --json",
  "config validate --json",
  "config schema",
  "config unset hooks.token --dry-run",
  "config set gateway.remote.token ${TALK_KEY} --dry-run",
  "security audit --deep",
  "security audit --json",
  "doctor check --json",
  "doctor connect",
  "logs --json --limit 5000",
  "logs --plain",
  "remote show --json",
  "remote test --json",
  "dashboard --no-open --json",
  "tunnel list --json",
  "gateway install --force --json",
  "gateway install --force",
];

test("whatever is asked, no answer has a secret that was not asked for", async () => {
  const rest = [...QUESTIONS];
  const workers = Array.from({ length: 3 }, async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      // oxlint-disable-next-line no-await-in-loop
      await run(host, next.split(" "));
    }
  });
  await Promise.all(workers);
  const places = seen.filter(({ text }) => text !== "").map(({ place }) => place);
  // A question that nobody answers shows nothing.
  const unanswered = QUESTIONS.filter((one) => !places.some((place) => place.startsWith(one)));
  expect(unanswered).toEqual([]);
  expect(leaks()).toEqual([]);
}, 120_000);

test("what changes a secret shows neither the former nor the new one", async () => {
  const next = corpus.plant("hooks token that follows");
  await run(host, ["config", "set", "hooks.token", "--value-file", "-"], { input: next });
  await run(host, ["config", "set", "gateway.remote.password", "--value-file", "-", "--json"], {
    input: next,
  });
  await run(host, ["config", "diff", "--against", "backup"]);
  const patch = JSON.stringify({
    channels: { telegram: { botToken: corpus.plant("second bot token") } },
  });
  await run(host, ["config", "patch", "-"], { input: patch });
  const { stdout } = await run(host, ["devices", "list", "--json"]);
  const [device] = (JSON.parse(stdout) as { paired: { deviceId: string }[] }).paired;
  const rotate = ["devices", "rotate", "--device", device?.deviceId ?? "", "--role", "node"];
  // Somebody else's token is delivered to the device, and not shown to who rotates it.
  const rotated = await run(host, [...rotate, "--json"]);
  expect(JSON.parse(rotated.stdout)).not.toHaveProperty("token");
  await vi.waitFor(() => learnDeviceTokens("after its rotation"));
  expect(leaks()).toEqual([]);
});

const FAULTS: readonly {
  readonly name: string;
  readonly args: () => string[];
  readonly config?: string;
}[] = [
  { name: "nobody there", args: () => ["health", "--url", "ws://127.0.0.1:1", "--token", token] },
  {
    name: "another certificate",
    args: () => ["health", "--url", url, "--token", token, "--tls-fingerprint", "AB".repeat(32)],
  },
  {
    name: "a wrong token",
    args: () => ["health", "--url", url, "--token", doomed, "--tls-fingerprint", fingerprint],
  },
  {
    name: "a URL with a password",
    args: () => [
      "health",
      "--url",
      `wss://me:${encodeURIComponent(doomed)}@127.0.0.1:1`,
      "--token",
      token,
    ],
  },
  {
    name: "a URL with a token",
    args: () => [
      "health",
      "--url",
      `wss://127.0.0.1:1/?token=${encodeURIComponent(doomed)}`,
      "--token",
      token,
    ],
  },
  {
    name: "a URL that is none",
    args: () => ["health", "--url", `wss//${doomed}`, "--token", token],
  },
  {
    name: "a setup code that is broken",
    args: () => ["connect", `oc-pair://${Buffer.from(doomed).toString("base64url")}`],
  },
  {
    name: "text that is no JSON5",
    args: () => ["config", "validate"],
    config: "{gateway: {auth: {token: SECRET",
  },
  {
    name: "text that is no JSON5, in the middle",
    args: () => ["health"],
    config: "{gateway: {auth: {token: 'SECRET' 'x'}}}",
  },
  {
    name: "a secret of the wrong type",
    args: () => ["gateway", "run"],
    config: '{gateway: {mode: "local", auth: {token: ["SECRET"]}}}',
  },
  {
    name: "a secret in the wrong place",
    args: () => ["gateway", "run"],
    config: '{gateway: {mode: "local", auth: "SECRET"}}',
  },
  {
    name: "a mode that is a secret",
    args: () => ["config", "validate", "--json"],
    config: '{gateway: {auth: {tokn: "SECRET"}}}',
  },
  {
    name: "a secret in a bad URL",
    args: () => ["health"],
    config: '{gateway: {mode: "remote", remote: {url: "wss://me:SECRET@"}}}',
  },
];

test.concurrent.each(FAULTS)("$name: told without the secret", async ({ args, config }) => {
  await using home = await createProgramHome();
  // As it stands in a text that quotes nothing.
  const bare = doomed.replaceAll(/[^a-z]/giu, "x");
  corpus.learn("token of a config that is refused, bare", bare);
  if (config !== undefined) await home.writeConfig(config.replace("SECRET", bare));
  const words = args();
  const json = words.includes("--json") ? words : [...words, "--json"];
  const answers = [await home.run(words), await home.run(json)];
  expect(answers[0]?.code).not.toBe(0);
  const told = answers.flatMap((answer) => toldBy(words, answer));
  seen.push(...told);
  expect(corpus.leaks(told, mayStandIn)).toEqual([]);
});

test("a secret that somebody wrote into gateway.remote.url is not shown", async () => {
  await using home = await createProgramHome();
  const credential = corpus.plant("token in gateway.remote.url");
  const remote = { url: `wss://gw.invalid/?token=${encodeURIComponent(credential)}` };
  await home.writeConfig({ gateway: { mode: "remote", remote } });
  const before = seen.length;
  for (const words of [
    "status --all",
    "gateway probe",
    "config get gateway",
    "remote show --json",
  ]) {
    // oxlint-disable-next-line no-await-in-loop
    await run(home, words.split(" "));
  }
  expect(corpus.leaks(seen.slice(before), mayStandIn)).toEqual([]);
});

test("no method tells a secret, to those who may read and to those who may do all", async () => {
  const methods = [
    "config.get",
    "config.schema",
    "status",
    "health",
    "system-presence",
    "logs.tail",
  ];
  for (const scopes of [["operator.read"], undefined]) {
    // oxlint-disable no-await-in-loop
    await using peer = await rawPeer();
    await peer.handshake({ token, identity: false, ...(scopes === undefined ? {} : { scopes }) });
    const greeting = peer.receivedTexts.length;
    const answers: PeerFrame[] = [];
    for (const method of [...methods, "device.pair.list", "node.list", "node.pair.list"]) {
      answers.push(await peer.request(method, {}));
    }
    expect(answers.filter(({ ok }) => ok === true).length).toBeGreaterThanOrEqual(methods.length);
    const texts = peer.receivedTexts.slice(greeting);
    seen.push({
      place: `answers to ${scopes?.join() ?? "an administrator"}`,
      text: texts.join("\n"),
    });
    // oxlint-enable no-await-in-loop
  }
  expect(leaks()).toEqual([]);
});

async function rawPeer() {
  return createRawPeer(url, { ca: await readFile(certPath, "utf8") });
}

test("strangers get errors that say nothing", async () => {
  const attempts: Parameters<Awaited<ReturnType<typeof rawPeer>>["connect"]>[0][] = [
    {},
    { token: "wrong" },
    { password: "wrong" },
    { deviceToken: "wrong" },
    { bootstrapToken: "wrong" },
    { identity: false, token: token.slice(0, -1) },
    { minProtocol: 99, maxProtocol: 99 },
    { role: "root" },
    { mutate: () => ({ auth: { token: 1 } }) },
  ];
  for (const attempt of attempts) {
    // oxlint-disable-next-line no-await-in-loop
    const peer = await rawPeer();
    // oxlint-disable-next-line no-await-in-loop
    const answer = await peer.connect(attempt);
    expect(answer.ok).toBe(false);
    seen.push({
      place: `refusal of ${JSON.stringify(attempt)}`,
      text: peer.receivedTexts.join("\n"),
    });
    peer.terminate();
  }
  expect(leaks()).toEqual([]);
});

test("a hostile Gateway's words come out without what it was told", async () => {
  await using listener = await startHostileListener({ manner: "asks for the device token" });
  await run(host, ["health", "--json", "--url", listener.url, "--token", doomed]);
  await run(host, ["status", "--all", "--url", listener.url, "--token", doomed]);
  expect(leaks()).toEqual([]);
});

test("logs, units, and what was started hold no secret", async () => {
  await vi.waitFor(() => expect(running.length).toBe(2));
  for (const { place, text } of running) seen.push({ place, text: text() });
  const units = await filesBelow(host.file(".config/systemd/user"));
  expect(units.some((path) => path.endsWith(".service"))).toBe(true);
  const logs = (await filesBelow(host.file(".openclaw"))).filter((path) => path.endsWith(".log"));
  for (const path of [...units, ...logs]) {
    // oxlint-disable-next-line no-await-in-loop
    seen.push({ place: path.slice(host.path.length), text: await readFile(path, "utf8") });
  }
  const children = (await readFile(record, "utf8")).trim().split("\n");
  expect(children.length).toBeGreaterThan(5);
  for (const line of children) {
    const { argv, env } = JSON.parse(line) as { argv: string[]; env: unknown };
    const name = argv.slice(0, 2).join(" ");
    seen.push(
      { place: `argv of a child, ${name}`, text: JSON.stringify(argv) },
      { place: `environment of a child, ${name}`, text: JSON.stringify(env) },
    );
  }
  expect(leaks()).toEqual([]);
});
