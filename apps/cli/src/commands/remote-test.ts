import { gatewaySibling, placeOf } from "../gateway/choose-gateway.ts";
import { createInterruption } from "../gateway/interruption.ts";
import type { CommandContext } from "../program/command-context.ts";
import { chooseRemote } from "../remote/choose-remote.ts";
import { DIRECT_STEPS, testDirect } from "../remote/test-direct.ts";
import { type Learnt, SSH_STEPS, testOverSsh } from "../remote/test-over-ssh.ts";
import { createWalk, StepFailure } from "../remote/walk.ts";

/** `openclaw remote test`: every step of the way to the Gateway, up to the first that fails. */
export async function run(context: CommandContext): Promise<number> {
  const gateway = await chooseRemote(context);
  const { target } = gateway;
  const isSsh = target.via !== undefined;
  const walk = createWalk(context, isSsh ? SSH_STEPS : DIRECT_STEPS);
  const interruption = createInterruption(context.io, true);
  const timeoutMs = context.integer("timeout") ?? 10_000;
  const options = { context, gateway, walk, timeoutMs, interruption };
  const learnt: Learnt = { version: null, statusOk: false };
  if (!context.json) context.io.stdout.write(`${placeOf(target)} (${target.urlSource})\n`);
  let ok = false;
  try {
    await interruption.guard(isSsh ? testOverSsh(options, learnt) : testDirect(options));
    ok = true;
  } catch (error) {
    // Its step has told it.
    if (!(error instanceof StepFailure)) throw error;
  } finally {
    interruption.release();
  }
  const steps = walk.finish();
  const { engine, ...remote } = learnt;
  const document = {
    ok,
    transport: isSsh ? "ssh" : "direct",
    target: target.via?.target ?? target.url,
    ...gatewaySibling(target).gateway,
    ...(engine === undefined ? {} : { engine }),
    steps,
    remote: isSsh ? remote : null,
  };
  context.answer(document, () =>
    ok ? context.style.good("Ready.") : context.style.bad("Not ready."),
  );
  return ok ? 0 : 1;
}
