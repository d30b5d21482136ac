import { createSocket } from "node:dgram";
import { once } from "node:events";
import { randomBytes, randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startProcess } from "@openclaw/testkit";
import { expect, onTestFinished, test, vi } from "vitest";
import { browse } from "../src/index.ts";
import { announceFor, testNetwork, type WatchedAnnouncement } from "./support/multicast.ts";

const WAIT = { timeout: 20_000, interval: 20 };

async function announced({ announcement }: WatchedAnnouncement): Promise<number> {
  const pid = await vi.waitFor(() => {
    const { state } = announcement;
    if (state.kind !== "announced") throw new Error(`it is ${state.kind}`);
    return state.pid;
  }, WAIT);
  return pid ?? 0;
}

/** Listens until all that are expected have answered. */
async function find(network: ReturnType<typeof testNetwork>, expected: number) {
  const found = new Set<string>();
  const enough = new AbortController();
  return browse({
    network,
    timeoutMs: 20_000,
    signal: enough.signal,
    onBeacon({ instanceName }) {
      if (found.add(instanceName).size === expected) enough.abort();
    },
  });
}

test("a Gateway that is announced is found over multicast, and gone after its goodbye", async () => {
  const network = testNetwork();
  const studio = announceFor(network, {
    tls: { fingerprint: "AB".repeat(32) },
    ssh: { port: 2222, cliPath: "/usr/bin/openclaw" },
  });
  await announced(studio);
  const [beacon, ...others] = await find(network, 1);
  expect(others).toEqual([]);
  expect(beacon).toMatchObject({
    instanceName: "Studio (OpenClaw)",
    displayName: "Studio",
    host: "openclaw.local",
    port: 18_789,
    gatewayTls: true,
    gatewayTlsFingerprintSha256: "AB".repeat(32),
    sshPort: 2222,
    cliPath: "/usr/bin/openclaw",
    wsUrl: "wss://openclaw.local:18789",
  });
  await studio.announcement.close();
  expect(studio.announcement.state).toEqual({ kind: "closed" });
  expect(await browse({ network, timeoutMs: 1_200 })).toEqual([]);
});

test("two Gateways of one name are told apart, and the conflict is logged", async () => {
  const network = testNetwork();
  const first = announceFor(network);
  onTestFinished(() => first.announcement.close());
  await announced(first);
  const second = announceFor(network, { port: 18_889 });
  onTestFinished(() => second.announcement.close());
  await announced(second);
  expect(second.warnings.join()).toContain('{"name":"Studio (OpenClaw)"}');
  const beacons = await find(network, 2);
  expect(beacons.map(({ displayName, port }) => [displayName, port])).toEqual([
    ["Studio", 18_789],
    ["Studio (2)", 18_889],
  ]);
});

test("a host name that another machine answers for is left to it", async () => {
  const network = testNetwork();
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  onTestFinished(() => void socket.close());
  socket.bind(network.port);
  await once(socket, "listening");
  socket.addMembership("224.0.0.251", "127.0.0.1");
  socket.setMulticastInterface("127.0.0.1");
  // An answer to every question: openclaw.local is 203.0.113.9.
  const answer = addressAnswer("openclaw", [203, 0, 113, 9]);
  socket.on("message", (message) => {
    const isQuery = (message.readUInt16BE(2) & 0x8000) === 0;
    if (isQuery) socket.send(answer, network.port, "224.0.0.251");
  });
  const studio = announceFor(network);
  onTestFinished(() => studio.announcement.close());
  await announced(studio);
  expect(studio.announcement.state).toMatchObject({ host: "openclaw-2.local" });
});

test("ten thousand malformed packets reach the helper only, which still answers", async () => {
  const network = testNetwork();
  const studio = announceFor(network);
  onTestFinished(() => studio.announcement.close());
  await announced(studio);
  const socket = createSocket("udp4");
  onTestFinished(() => void socket.close());
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  socket.setMulticastInterface("127.0.0.1");
  const send = promisify((packet: Buffer, callback: (error: Error | null) => void): void =>
    socket.send(packet, network.port, "224.0.0.251", callback),
  );
  const valid = addressAnswer("openclaw", [203, 0, 113, 9]);
  for (let sent = 0; sent < 10_000; sent += 1) {
    // One after the other, so that the system does not drop them.
    // oxlint-disable-next-line no-await-in-loop
    await send(sent % 2 === 0 ? randomBytes(randomInt(1, 600)) : mutated(valid));
  }
  expect(studio.announcement.state.kind).not.toBe("closed");
  await announced(studio);
  const beacons = await find(network, 1);
  expect(beacons.map(({ instanceName }) => instanceName)).toContain("Studio (OpenClaw)");
}, 60_000);

test("a helper that is killed is replaced, and the Gateway found again", async () => {
  const network = testNetwork();
  const studio = announceFor(network, {}, { restartMs: 10 });
  onTestFinished(() => studio.announcement.close());
  const killed = await announced(studio);
  process.kill(killed, "SIGKILL");
  await vi.waitFor(() => {
    expect(studio.announcement.state).toMatchObject({ kind: "announced" });
    expect(studio.announcement.state).not.toMatchObject({ pid: killed });
  }, WAIT);
  expect(studio.warnings.join()).toContain("SIGKILL");
  expect(await find(network, 1)).toHaveLength(1);
});

test("a helper that hangs is ended and replaced", async () => {
  const network = testNetwork();
  const studio = announceFor(network, {}, { restartMs: 10, checkMs: 200, answerMs: 2_000 });
  onTestFinished(() => studio.announcement.close());
  const stopped = await announced(studio);
  process.kill(stopped, "SIGSTOP");
  await vi.waitFor(() => {
    expect(studio.announcement.state).toMatchObject({ kind: "announced" });
    expect(studio.announcement.state).not.toMatchObject({ pid: stopped });
  }, WAIT);
  expect(() => process.kill(stopped, 0)).toThrow(/ESRCH/);
});

test("where the port cannot be had, the pauses grow up to their limit, and one line tells why", async () => {
  const network = testNetwork();
  // Alone on the port, so that no helper can have it.
  const holder = createSocket({ type: "udp4", reuseAddr: false });
  onTestFinished(() => void holder.close());
  holder.bind(network.port);
  await once(holder, "listening");
  const studio = announceFor(network, {}, { restartMs: 10, maxRestartMs: 40 });
  onTestFinished(() => studio.announcement.close());
  const pauses = (): number[] =>
    studio.states.flatMap((state) => (state.kind === "waiting" ? [state.pauseMs] : []));
  await vi.waitFor(() => expect(pauses().length).toBeGreaterThanOrEqual(4), WAIT);
  expect(pauses().slice(0, 4)).toEqual([10, 20, 40, 40]);
  expect(studio.warnings).toHaveLength(1);
});

test("a helper ends with its parent, also when that is killed", async () => {
  const script = fileURLToPath(new URL("support/announcing-process.ts", import.meta.url));
  await using parent = startProcess(process.execPath, [script, String(testNetwork().port)]);
  const [line] = await parent.line(/^\d+$/);
  const helper = Number(line);
  expect(() => process.kill(helper, 0)).not.toThrow();
  parent.signal("SIGKILL");
  await vi.waitFor(() => expect(() => process.kill(helper, 0)).toThrow(/ESRCH/), WAIT);
});

test("listening ends when it is given up, with what was found by then", async () => {
  const given = new AbortController();
  given.abort();
  expect(await browse({ network: testNetwork(), timeoutMs: 60_000, signal: given.signal })).toEqual(
    [],
  );
});

/** A DNS answer with one A record of `<label>.local`. */
function addressAnswer(label: string, address: readonly number[]): Buffer {
  const name = Buffer.concat([
    Buffer.from([label.length]),
    Buffer.from(label),
    Buffer.from("\u0005local\u0000"),
  ]);
  const header = Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  return Buffer.concat([
    header,
    name,
    Buffer.from([0, 1, 0, 1, 0, 0, 0, 120, 0, 4]),
    Buffer.from(address),
  ]);
}

/** The same packet with a few bytes changed, so that much of it still parses. */
function mutated(packet: Buffer): Buffer {
  const copy = Buffer.from(packet);
  for (let change = 0; change < 3; change += 1) copy[randomInt(copy.length)] = randomInt(256);
  return copy.subarray(0, randomInt(1, copy.length + 1));
}
