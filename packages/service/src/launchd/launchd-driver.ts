import { existsSync } from "node:fs";
import { join } from "node:path";
import { ServiceError } from "../errors.ts";
import { commandFailure, outputOf } from "../manager/command-failure.ts";
import type { CommandResult } from "../manager/command-runner.ts";
import type { ServiceRuntime } from "../manager/service-status.ts";
import {
  ACTION_TIMEOUT_MS,
  type Machine,
  QUERY_TIMEOUT_MS,
  type SupervisorDriver,
} from "../manager/supervisor.ts";
import type { ServiceNames } from "../definition/service-names.ts";
import { isBinaryPlist, parseLaunchdPlist } from "./plist-reader.ts";
import { launchdPlist } from "./plist-text.ts";

const NO_SESSION = /domain does not support specified action|could not find domain/iu;
const DENIED = /operation not permitted|permission denied|not privileged/iu;
/** It has begun to end, which is what was asked for. */
const ENDING = /operation (?:now|already) in progress/iu;
const NOT_LOADED = /could not find service|no such process|could not find specified service/iu;
/** launchd ends a service in its own time; a new one of that name has to wait for it. */
const BOOTOUT_POLL_MS = 100;
const BOOTOUT_PATIENCE_MS = 20_000;

/** Services as launch agents of the user's graphical session. */
export function launchdDriver(machine: Machine): SupervisorDriver {
  const { home, uid, run, sleep } = machine;
  const directory = join(home, "Library", "LaunchAgents");
  const domain = `gui/${uid}`;
  const pathOf = ({ launchdLabel }: ServiceNames): string =>
    join(directory, `${launchdLabel}.plist`);
  const targetOf = ({ launchdLabel }: ServiceNames): string => `${domain}/${launchdLabel}`;

  function launchctl(...args: string[]): Promise<CommandResult> {
    return run("launchctl", args, { timeoutMs: ACTION_TIMEOUT_MS });
  }

  async function act(...args: string[]): Promise<void> {
    const result = await launchctl(...args);
    if (result.code !== 0) throw failure(args, result);
  }

  function failure(args: readonly string[], result: CommandResult): ServiceError {
    const command = ["launchctl", ...args];
    const output = outputOf(result);
    if (NO_SESSION.test(output)) {
      return commandFailure(command, result, {
        code: "NO_GUI_SESSION",
        hints: withoutSession(uid),
      });
    }
    if (DENIED.test(output)) return commandFailure(command, result, { code: "ACCESS_DENIED" });
    return commandFailure(command, result);
  }

  async function print(names: ServiceNames): Promise<CommandResult> {
    return run("launchctl", ["print", targetOf(names)], { timeoutMs: QUERY_TIMEOUT_MS });
  }

  async function isLoaded(names: ServiceNames): Promise<boolean> {
    const result = await print(names);
    if (result.failure !== undefined) throw failure(["print", targetOf(names)], result);
    return result.code === 0;
  }

  async function bootOut(names: ServiceNames): Promise<void> {
    const args = ["bootout", targetOf(names)];
    const result = await launchctl(...args);
    const output = outputOf(result);
    const isAccepted = result.code === 0 || NOT_LOADED.test(output) || ENDING.test(output);
    if (!isAccepted) throw failure(args, result);
    await goneFrom(names);
  }

  async function goneFrom(names: ServiceNames): Promise<void> {
    for (let waited = 0; waited < BOOTOUT_PATIENCE_MS; waited += BOOTOUT_POLL_MS) {
      // One question after the other: each answer decides whether there is another.
      // oxlint-disable-next-line no-await-in-loop
      if (!(await isLoaded(names))) return;
      // oxlint-disable-next-line no-await-in-loop
      await sleep(BOOTOUT_POLL_MS);
    }
    throw new ServiceError(
      "COMMAND_TIMED_OUT",
      `${names.launchdLabel} did not end within ${BOOTOUT_PATIENCE_MS / 1_000} seconds.`,
    );
  }

  async function bootstrap(names: ServiceNames): Promise<void> {
    // A label that was disabled once stays so until it is enabled by name.
    await act("enable", targetOf(names));
    await act("bootstrap", domain, pathOf(names));
    await act("kickstart", "-k", targetOf(names));
  }

  return {
    supervisor: "launchd",
    loadedText: "loaded",
    notLoadedText: "not loaded",
    directory,
    label: ({ launchdLabel }) => launchdLabel,
    definitionPath: pathOf,
    render: launchdPlist,
    async parse(content, path) {
      if (!isBinaryPlist(content)) {
        return parseLaunchdPlist(Buffer.from(content).toString("utf8"));
      }
      const args = ["-convert", "xml1", "-o", "-", path];
      const result = await run("plutil", args, { timeoutMs: QUERY_TIMEOUT_MS });
      if (result.code !== 0) {
        throw commandFailure(["plutil", ...args], result, { code: "UNREADABLE_DEFINITION" });
      }
      return parseLaunchdPlist(result.stdout);
    },
    // Whether there is a session is told by bootstrap; no other question is answered as plainly.
    assertAvailable: () => Promise.resolve(),
    isLoaded,
    async activate(names) {
      // Whatever runs under that name or that file ends first; usually nothing does.
      await launchctl("bootout", domain, pathOf(names));
      await launchctl("unload", pathOf(names));
      await goneFrom(names);
      await bootstrap(names);
    },
    deactivate: bootOut,
    forget: () => Promise.resolve(),
    async start(names) {
      if (await isLoaded(names)) await act("kickstart", targetOf(names));
      else await bootstrap(names);
    },
    async stop(names, { disable = false }) {
      await bootOut(names);
      if (disable) await act("disable", targetOf(names));
    },
    async restart(names) {
      if (await isLoaded(names)) await act("kickstart", "-k", targetOf(names));
      else await bootstrap(names);
    },
    async runtime(names) {
      const result = await print(names);
      const isThere = existsSync(pathOf(names));
      if (result.failure !== undefined) return { status: "unknown", detail: outputOf(result) };
      if (result.code !== 0) {
        const output = outputOf(result);
        return NOT_LOADED.test(output)
          ? { status: "stopped", ...(isThere ? {} : { missingUnit: true }) }
          : { status: "unknown", detail: output };
      }
      return { ...readRuntime(result.stdout), ...(isThere ? {} : { cachedLabel: true }) };
    },
    warnings: () => Promise.resolve([]),
  };
}

function withoutSession(uid: number): string[] {
  return [
    "launchd runs agents in the graphical session of their user; log in at the screen once.",
    "Over SSH alone there is none: run the program in the foreground instead.",
    `See whether it is there: launchctl print gui/${uid}`,
  ];
}

/** `launchctl print`: one service in braces, its own facts one tab in. */
function readRuntime(text: string): ServiceRuntime {
  const value = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, key, content] = /^\s*([a-z][a-z ]*?) = (.*)$/u.exec(line) ?? [];
    // Sub-services have states, too; the service's own stand first.
    if (key !== undefined && content !== undefined && !value.has(key))
      value.set(key, content.trim());
  }
  const state = value.get("state");
  const pid = Number(value.get("pid") ?? 0);
  // "78: EX_CONFIG", or "(never exited)".
  const [exitStatus] = /^-?\d+/u.exec(value.get("last exit code") ?? "") ?? [];
  const reason = value.get("last exit reason") ?? value.get("last terminating signal");
  return {
    status:
      state === undefined ? "unknown" : state === "running" || pid > 0 ? "running" : "stopped",
    ...(state === undefined ? {} : { state }),
    ...(pid > 0 ? { pid } : {}),
    ...(exitStatus === undefined ? {} : { lastExitStatus: Number(exitStatus) }),
    ...(reason === undefined ? {} : { lastExitReason: reason }),
  };
}
