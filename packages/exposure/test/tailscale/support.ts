import { fakeTailscale, type FakeTailscale, type FakeTailscaleOptions } from "@openclaw/testkit";
import { temporaryDirectory } from "@openclaw/testkit";
import { createTailscale, type TailscaleOptions } from "../../src/tailscale/create-tailscale.ts";
import { ExposureError } from "../../src/exposure-error.ts";
import type { Tailscale } from "../../src/tailscale/tailscale.ts";

/** A stand-in of Tailscale, a driver of it, and a state directory. */
export interface Bench extends AsyncDisposable {
  readonly fake: FakeTailscale;
  readonly tailscale: Tailscale;
  readonly recordPath: string;
  /** What was logged: level and message. */
  readonly log: readonly string[];
  /** The invocations so far, as lines, without the search for the program. */
  lines(): string[];
  /** Another driver on the same machine, as after a restart. */
  restarted(options?: Partial<TailscaleOptions>): Tailscale;
}

export async function setUpBench(
  options: FakeTailscaleOptions = {},
  driver: Partial<TailscaleOptions> = {},
): Promise<Bench> {
  const fake = await fakeTailscale(options);
  const state = await temporaryDirectory("openclaw-exposure-");
  const log: string[] = [];
  const note =
    (level: string) =>
    (_fields: object, message: string): void =>
      void log.push(`${level} ${message}`);
  const logger = {
    debug: note("debug"),
    info: note("info"),
    warn: note("warn"),
    error: note("error"),
  };
  const restarted = (more: Partial<TailscaleOptions> = {}): Tailscale =>
    createTailscale({ env: fake.env, program: fake.program, logger, ...driver, ...more });
  return {
    fake,
    tailscale: restarted(),
    recordPath: state.file("state", "tailscale.json"),
    log,
    lines: () =>
      fake
        .calls()
        .map((args) => args.join(" "))
        .filter((line) => line !== "--version"),
    restarted,
    async [Symbol.asyncDispose]() {
      await state[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

/** What an exposure fails with; throws when it does not. */
export async function failureOf(work: Promise<unknown>): Promise<ExposureError> {
  const error: unknown = await work.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  if (error instanceof ExposureError) return error;
  throw error;
}

export const HOST = "box.tail1234.ts.net";

/** A table with one route of ours. */
export function routeTo(target: string): object {
  return {
    TCP: { 443: { HTTPS: true } },
    Web: { [`${HOST}:443`]: { Handlers: { "/": { Proxy: target } } } },
  };
}

/** What an operator serves besides: on other ports, as a service, as a TCP forward. */
export const FOREIGN = {
  TCP: { 8443: { HTTPS: true }, 2222: { TCPForward: "127.0.0.1:22" } },
  Web: { [`${HOST}:8443`]: { Handlers: { "/": { Proxy: "http://127.0.0.1:3000" } } } },
  AllowFunnel: { [`${HOST}:8443`]: true },
  Services: { "svc:web": { TCP: { 443: { HTTPS: true } } } },
};
