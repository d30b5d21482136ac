import { hasSshd, sshTestRig } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { createSeededRandom } from "../random.ts";
import { processesNaming, socketsOf, startTunnel } from "./fault-run.ts";
import { faults } from "./faults.ts";
import { startTraffic, timeToEcho } from "./traffic.ts";

export interface FaultSuiteOptions {
  readonly engine: "ssh2" | "system";
  readonly rounds: number;
  readonly keepaliveIntervalMs: number;
  readonly keepaliveCountMax: number;
  /** What the engine needs at least to notice silence, on top of the recovery itself. */
  readonly noticeMs: number;
}

/** Recovery from the moment the far side can be reached, for 95 of 100 faults. */
const RECOVERY_P95_MS = 3_000;

const CONNECTIONS = 6;
/** More than any outage and its recovery; a connection that stands still longer has been forgotten. */
const PATIENCE_MS = 20_000;

/** The fault test of one engine. */
export function faultSuite({ engine, rounds, noticeMs, ...keepalive }: FaultSuiteOptions): void {
  describe.skipIf(!hasSshd)(`a tunnel of the engine ${engine}`, () => {
    test(
      `under traffic survives ${rounds} random faults: same port, nothing left over, nothing hung`,
      {
        timeout: 600_000,
      },
      async () => {
        await using rig = await sshTestRig({
          server: { config: ["ClientAliveInterval 1", "ClientAliveCountMax 2", "MaxStartups 100"] },
        });
        await using tunnel = await startTunnel(rig, { engine, ...keepalive });
        const socketsBefore = await idleSockets(tunnel);
        const traffic = startTraffic(tunnel.port, CONNECTIONS, PATIENCE_MS);
        const seed = Date.now();
        const random = createSeededRandom(seed);
        const recoveries: number[] = [];
        for (let round = 0; round < rounds; round += 1) {
          const echoedBefore = traffic.tally.echoed;
          // oxlint-disable-next-line no-await-in-loop
          await vi.waitFor(() => expect(traffic.tally.echoed).toBeGreaterThan(echoedBefore), {
            timeout: PATIENCE_MS,
          });
          const name = random.pick(Object.keys(faults));
          // oxlint-disable-next-line no-await-in-loop
          await faults[name]?.(tunnel, rig);
          // oxlint-disable-next-line no-await-in-loop
          recoveries.push(await timeToEcho(tunnel.port, PATIENCE_MS));
        }
        await traffic.stop();
        const { echoed, interrupted, hung, corrupted } = traffic.tally;
        const sorted = recoveries.toSorted((a, b) => a - b);
        const p95 = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
        console.log(
          `${engine}, seed ${seed}: ${rounds} faults, ${echoed} messages, ${interrupted} connections interrupted, ${hung} hung, recovery p95 ${p95.toFixed(0)} ms, max ${sorted.at(-1)?.toFixed(0)} ms`,
        );
        expect({ hung, corrupted }).toEqual({ hung: 0, corrupted: 0 });
        expect(p95).toBeLessThan(RECOVERY_P95_MS + noticeMs);
        // One connection, and the sockets of a tunnel that has just been opened.
        await vi.waitFor(() => expect(rig.server.connections()).toHaveLength(1), {
          timeout: 10_000,
        });
        expect(tunnel.states.at(-1)).toMatchObject({ kind: "open" });
        expect(await timeToEcho(tunnel.port, PATIENCE_MS)).toBeGreaterThan(0);
        expect(await idleSockets(tunnel)).toBe(socketsBefore);

        const { closedAfterMs, exitedAfterMs } = await tunnel.close();
        expect(closedAfterMs).toBeLessThan(1_000);
        expect(exitedAfterMs).toBeLessThan(3_000);
        expect(processesNaming(`127.0.0.1:${rig.echo.port}`)).toEqual([]);
        await vi.waitFor(() => expect(rig.server.connections()).toEqual([]), { timeout: 10_000 });
      },
    );

    test(
      "whose owner was killed leaves no survivor once it is started again",
      {
        timeout: 60_000,
      },
      async () => {
        await using rig = await sshTestRig();
        await using first = await startTunnel(rig, { engine, ...keepalive });
        await timeToEcho(first.port, PATIENCE_MS);
        await first.kill();
        await using second = await startTunnel(rig, {
          engine,
          ...keepalive,
          stateDirectory: first.stateDirectory,
        });
        await timeToEcho(second.port, PATIENCE_MS);
        await vi.waitFor(() => expect(rig.server.connections()).toHaveLength(1), {
          timeout: 10_000,
        });
        await second.close();
        await vi.waitFor(() => expect(processesNaming(rig.identity)).toEqual([]), {
          timeout: 10_000,
        });
      },
    );
  });
}

/** When nothing goes through it any more. */
async function idleSockets({ pid }: { pid: number }): Promise<number> {
  let before = -1;
  await vi.waitFor(
    () => {
      const now = socketsOf(pid);
      const isStill = now === before;
      before = now;
      expect(isStill).toBe(true);
    },
    { interval: 200, timeout: 10_000 },
  );
  return before;
}
