import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isAlive, readInstance } from "../instance-file.ts";

/** Another Gateway of this user on this machine. */
export interface Neighbour {
  readonly stateDir: string;
  readonly pid: number;
  readonly port: number;
}

/** A Gateway's ports reach so far: its own, and those that are derived from it. */
const PORTS_OF_A_GATEWAY = 20;

/**
 * The Gateways that run now with the state of other profiles of this home. State directories that the
 * environment puts elsewhere are not looked for.
 */
export function findNeighbours(home: string, ownStateDir: string): Neighbour[] {
  let names: string[];
  try {
    names = readdirSync(home);
  } catch {
    // A home that nobody can list has no profiles.
    return [];
  }
  return names
    .filter((name) => /^\.openclaw(-[a-z0-9][a-z0-9_-]*)?$/i.test(name))
    .map((name) => join(home, name))
    .filter((stateDir) => stateDir !== ownStateDir)
    .flatMap((stateDir) => {
      const instance = readInstance(stateDir);
      return instance !== undefined && isAlive(instance.pid)
        ? [{ stateDir, pid: instance.pid, port: instance.port }]
        : [];
    });
}

/**
 * One warning for each neighbour whose ports overlap with those that begin at `port`: beside its own,
 * a Gateway keeps the next ones for the browser control, the canvas and the browsers it drives.
 */
export function neighbourWarnings(port: number, neighbours: readonly Neighbour[]): string[] {
  return neighbours
    .filter((other) => other.port !== port && Math.abs(other.port - port) < PORTS_OF_A_GATEWAY)
    .map(
      (other) =>
        `the Gateway with the state in ${other.stateDir} has port ${other.port}, less than ${PORTS_OF_A_GATEWAY} from ${port}: give one of them another gateway.port, for example ${farFrom(other.port)}`,
    );
}

function farFrom(port: number): number {
  const after = port + 100;
  return after <= 65_000 ? after : port - 100;
}
