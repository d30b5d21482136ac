import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { ServiceError } from "../errors.ts";
import { launchdDriver } from "../launchd/launchd-driver.ts";
import { systemdDriver } from "../systemd/systemd-driver.ts";
import { taskDriver } from "../windows/task-driver.ts";
import { createCommandRunner } from "./command-runner.ts";
import type { ServiceManagerOptions } from "./service-manager.ts";
import type { Machine, SupervisorDriver } from "./supervisor.ts";

/** Fills in what a caller leaves out. */
export function resolveMachine(options: ServiceManagerOptions): Machine {
  const home = options.home ?? homedir();
  const uid = options.uid ?? process.getuid?.() ?? 0;
  const env = options.env ?? { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", HOME: home };
  return {
    home,
    uid,
    user: options.user ?? userInfo().username,
    stateDir: options.stateDir ?? join(home, ".openclaw"),
    run: options.run ?? createCommandRunner({ env: withRuntimeDirectory(env, uid) }),
    sleep: options.sleep ?? ((ms) => delay(ms)),
    systemRoot: options.systemRoot ?? "",
  };
}

/** Shells of cron and su lack it, although the user's manager runs. */
function withRuntimeDirectory(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): Readonly<Record<string, string | undefined>> {
  if (env["XDG_RUNTIME_DIR"] !== undefined || process.platform !== "linux") return env;
  return { ...env, XDG_RUNTIME_DIR: `/run/user/${uid}` };
}

/** @throws {@link ServiceError} `UNSUPPORTED_PLATFORM` */
export function chooseDriver(platform: NodeJS.Platform, machine: Machine): SupervisorDriver {
  switch (platform) {
    case "linux":
      return systemdDriver(machine);
    case "darwin":
      return launchdDriver(machine);
    case "win32":
      return taskDriver(machine);
    default:
      throw new ServiceError(
        "UNSUPPORTED_PLATFORM",
        `services are managed on Linux, macOS and Windows, not on ${platform}.`,
        { hints: ["Run the program in the foreground, under whatever starts programs here."] },
      );
  }
}
