import { type Env, isEnvSwitchOn } from "@openclaw/config";
import type { CliIo } from "../io.ts";
import { VERSION } from "../version.ts";
import { createStyle, wantsColour } from "./style.ts";

/** What decides whether and how the banner is shown. */
export interface BannerQuestion {
  io: Pick<CliIo, "stdout" | "stderr">;
  env: Env;
  noColor: boolean;
}

/**
 * One line that says which program this is, for a person at a terminal. It goes to stderr, so that
 * the answer stays what was asked for. `OPENCLAW_HIDE_BANNER=1` turns it off.
 */
export function showBanner({ io, env, noColor }: BannerQuestion): void {
  if (io.stdout.isTTY !== true || isEnvSwitchOn(env, "OPENCLAW_HIDE_BANNER")) return;
  const style = createStyle(wantsColour({ sink: io.stderr, env, noColor }));
  io.stderr.write(`${style.dim(`OpenClaw ${VERSION}`)}\n`);
}
