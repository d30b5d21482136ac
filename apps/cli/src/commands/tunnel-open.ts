import { closeInTime, createLogger, listenForStop, logLevelFrom } from "@openclaw/app-kit";
import { loadSshWay } from "@openclaw/app-kit/ssh-way";
import type { Tunnel, TunnelState } from "@openclaw/tunnel";
import { CliError } from "../errors.ts";
import { createAsking, readWayFailure } from "../gateway/ssh-way.ts";
import { reportError } from "../output/report-error.ts";
import type { CommandContext } from "../program/command-context.ts";
import { chooseForwards, planTunnel, type TunnelPlan } from "../tunnel/plan-tunnel.ts";
import { keepRecord, type RecordKeeper } from "../tunnel/record-keeper.ts";
import { tellTunnel, type TunnelTeller } from "../tunnel/tell-tunnel.ts";
import { explainTunnelFailure } from "../tunnel/tunnel-failure.ts";
import { checkTunnelName, nameAfter } from "../tunnel/tunnel-name.ts";
import { recordedCause, recordedState } from "../tunnel/tunnel-record.ts";

/** How often connections and bytes are written down, where they have changed. */
const REFRESH_MS = 5_000;
/** A tunnel closes within a second; after this long something is wrong. */
const CLOSE_TIMEOUT_MS = 3_000;

/**
 * `openclaw tunnel open`: forwards ports until a stop signal. Lost connections come back; what
 * another attempt cannot cure ends it, with 78 where a supervisor had better not start it again.
 */
export async function run(context: CommandContext): Promise<number> {
  const plan = await planTunnel(context);
  const wanted = context.text("name");
  const keeper = await keepRecord(context, {
    target: plan.shown,
    name: wanted === undefined ? undefined : checkTunnelName(wanted),
    fallbackName: nameAfter(plan.target.host),
  });
  const teller = tellTunnel({ name: keeper.name, target: plan.shown, context });
  try {
    await keepOpen(context, { plan, keeper, teller });
    return 0;
  } catch (error) {
    const failure = readWayFailure(error);
    if (failure !== undefined) keeper.fail(recordedCause(failure));
    const explained = await explainTunnelFailure(error, plan.shown, context);
    if (!context.json || !teller.hasAnswered) throw explained;
    // The document is out; what happened since is part of the story.
    const { io, style } = context;
    return reportError(explained, { io, json: false, style });
  } finally {
    keeper.remove();
  }
}

interface KeepOpenInput {
  readonly plan: TunnelPlan;
  readonly keeper: RecordKeeper;
  readonly teller: TunnelTeller;
}

/** Resolves when somebody wants the tunnel to end; rejects with what has ended it. */
async function keepOpen(
  context: CommandContext,
  { plan, keeper, teller }: KeepOpenInput,
): Promise<void> {
  const { io, env } = context;
  const ending = new AbortController();
  const stop = listenForStop(io);
  void stop.requested.then(() => ending.abort(new CliError("cli_error", "interrupted.")));
  let refresh: ReturnType<typeof setInterval> | undefined;
  try {
    const { createTunnel } = await loadSshWay();
    const forwards = await chooseForwards(plan, context, ending.signal);
    const tunnel: Tunnel = createTunnel(plan.target, {
      ...plan.options,
      forwards,
      env,
      authentication: createAsking(context, () => ending.abort()).callbacks,
      onNewHostKey: ({ name, keyType, fingerprint }) =>
        context.say(`New SSH host key accepted: ${name} ${keyType} ${fingerprint}`),
      onState: (state) => changed(state, tunnel),
      stateDirectory: context.paths.stateDir,
      logger: createLogger(io.stderr, {
        level: logLevelFrom(env["OPENCLAW_LOG_LEVEL"], context.flag("verbose"), "error"),
        format: "text",
      }),
    });
    refresh = setInterval(() => keeper.update({ forwards: tunnel.forwards }), REFRESH_MS);
    refresh.unref();
    ending.signal.addEventListener(
      "abort",
      () => void closeInTime(() => tunnel.close(), { io, timeoutMs: CLOSE_TIMEOUT_MS }),
    );
    if (ending.signal.aborted) await tunnel.close();
    const cause = await tunnel.closed;
    if (cause !== undefined) throw cause;
  } catch (error) {
    if (!ending.signal.aborted) throw error;
  } finally {
    clearInterval(refresh);
    stop.release();
  }

  function changed(state: TunnelState, { forwards }: Tunnel): void {
    if (state.kind === "closed") return;
    keeper.update({ ...recordedState(state, Date.now()), forwards });
    teller.tell(state, forwards);
  }
}
