// A tunnel in a process of its own: tells its states as JSON lines, and closes when stdin ends.
import { createTunnel, type TunnelOptions } from "@openclaw/tunnel";

/** What the process is told. */
export interface TunnelProcessInput {
  readonly target: string;
  readonly options: Omit<TunnelOptions, "onState" | "logger" | "signal">;
}

const { target, options } = JSON.parse(process.argv[2] ?? "") as TunnelProcessInput;
const tunnel = createTunnel(target, {
  ...options,
  onState: (state) => {
    const { kind } = state;
    const cause = "cause" in state ? state.cause?.code : undefined;
    const pid = state.kind === "open" ? state.engine.pid : undefined;
    const generation = "generation" in state ? state.generation : undefined;
    console.log(JSON.stringify({ kind, generation, cause, pid }));
  },
});
void tunnel.opened().then(() => {
  const [forward] = tunnel.forwards;
  if (forward !== undefined && "port" in forward.local) {
    console.log(JSON.stringify({ port: forward.local.port }));
  }
});
process.stdin.resume();
process.stdin.once("end", () => {
  const startedAt = performance.now();
  // Nothing is left to do after this; a handle that keeps the process alive would be a leak.
  void tunnel.close().then(() => {
    console.log(JSON.stringify({ closedAfterMs: performance.now() - startedAt }));
  });
});
