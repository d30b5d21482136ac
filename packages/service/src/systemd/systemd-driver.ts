import { existsSync } from "node:fs";
import { join } from "node:path";
import { commandFailure, outputOf } from "../manager/command-failure.ts";
import type { CommandResult } from "../manager/command-runner.ts";
import type { ServiceRuntime } from "../manager/service-status.ts";
import {
  ACTION_TIMEOUT_MS,
  type Machine,
  QUERY_TIMEOUT_MS,
  type SupervisorDriver,
} from "../manager/supervisor.ts";
import { parseSystemdUnit } from "./unit-reader.ts";
import { systemdUnit } from "./unit-text.ts";

/** States of a manager that can be worked with. */
const USABLE = /^(?:initializing|starting|running|degraded|maintenance|stopping)$/u;
const NO_SYSTEMD = /not been booted with systemd|Host is down/iu;
/** All that `is-system-running` says where another program than systemd is process 1. */
const OFFLINE = /^offline$/u;
const NO_BUS =
  /Failed to connect to (?:user scope )?bus|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|No medium found|Transport endpoint/iu;
const DENIED = /access denied|permission denied|interactive authentication required/iu;
const PROPERTIES = "ActiveState,SubState,MainPID,ExecMainStatus,ExecMainCode";

/** Services as units of the user's own systemd. */
export function systemdDriver(machine: Machine): SupervisorDriver {
  const { home, user, run, systemRoot } = machine;
  const directory = join(home, ".config", "systemd", "user");

  async function ask(...args: string[]): Promise<CommandResult> {
    return run("systemctl", ["--user", ...args], { timeoutMs: QUERY_TIMEOUT_MS });
  }

  async function act(...args: string[]): Promise<void> {
    const result = await run("systemctl", ["--user", ...args], { timeoutMs: ACTION_TIMEOUT_MS });
    if (result.code !== 0) throw failure(args, result);
  }

  function failure(args: readonly string[], result: CommandResult): Error {
    const command = ["systemctl", "--user", ...args];
    const output = outputOf(result);
    if (result.failure === "missing" || NO_SYSTEMD.test(output) || OFFLINE.test(output)) {
      return commandFailure(command, result, { code: "SUPERVISOR_MISSING", hints: withoutSystemd });
    }
    if (DENIED.test(output)) {
      return commandFailure(command, result, { code: "ACCESS_DENIED", hints: withoutBus(user) });
    }
    if (NO_BUS.test(output)) {
      return commandFailure(command, result, {
        code: "USER_BUS_UNAVAILABLE",
        hints: withoutBus(user),
      });
    }
    return commandFailure(command, result, {
      hints: [`See why: systemctl --user status ${args.at(-1) ?? ""}`.trim()],
    });
  }

  /** A unit that failed too often is not started again before this. */
  async function clearFailures(unit: string): Promise<void> {
    await ask("reset-failed", unit);
  }

  async function isLingering(): Promise<boolean | undefined> {
    const { code, stdout } = await run("loginctl", ["show-user", user, "-p", "Linger"], {
      timeoutMs: QUERY_TIMEOUT_MS,
    });
    const [, answer] = /^Linger=(yes|no)$/mu.exec(code === 0 ? stdout : "") ?? [];
    if (answer !== undefined) return answer === "yes";
    // loginctl does not know a user who is not logged in; the mark of lingering is a file.
    const marks = join(`${systemRoot}/`, "var", "lib", "systemd", "linger");
    return existsSync(marks) ? existsSync(join(marks, user)) : undefined;
  }

  return {
    supervisor: "systemd",
    loadedText: "enabled",
    notLoadedText: "disabled",
    directory,
    label: ({ systemdUnit: unit }) => unit,
    definitionPath: ({ systemdUnit: unit }) => join(directory, unit),
    render: systemdUnit,
    parse: async (content) => parseSystemdUnit(Buffer.from(content).toString("utf8")),
    async assertAvailable() {
      const args = ["is-system-running"];
      const result = await ask(...args);
      if (!USABLE.test(result.stdout.trim())) throw failure(args, result);
    },
    async isLoaded({ systemdUnit: unit }) {
      const args = ["is-enabled", unit];
      const result = await ask(...args);
      // Not enabled is an answer; not being reached is none.
      const isAnswer = result.code !== null && !NO_BUS.test(outputOf(result));
      if (!isAnswer || NO_SYSTEMD.test(outputOf(result))) throw failure(args, result);
      return result.code === 0;
    },
    async activate({ systemdUnit: unit }) {
      await act("daemon-reload");
      await act("enable", unit);
      await clearFailures(unit);
      await act("restart", unit);
    },
    async deactivate({ systemdUnit: unit }) {
      await act("disable", "--now", unit);
    },
    async forget({ systemdUnit: unit }) {
      await act("daemon-reload");
      await clearFailures(unit);
    },
    async start({ systemdUnit: unit }) {
      await clearFailures(unit);
      await act("start", unit);
    },
    async stop({ systemdUnit: unit }, { disable = false }) {
      await (disable ? act("disable", "--now", unit) : act("stop", unit));
    },
    async restart({ systemdUnit: unit }) {
      await clearFailures(unit);
      await act("restart", unit);
    },
    async runtime({ systemdUnit: unit }) {
      const args = ["show", unit, "--no-page", "--property", PROPERTIES];
      const result = await ask(...args);
      if (result.code !== 0) return { status: "unknown", detail: outputOf(result) };
      return readRuntime(result.stdout);
    },
    async warnings({ enableLinger }) {
      if ((await isLingering()) !== false) return [];
      const command = `loginctl enable-linger ${user}`;
      if (enableLinger) {
        const args = ["enable-linger", user];
        const result = await run("loginctl", args, { timeoutMs: QUERY_TIMEOUT_MS });
        if (result.code === 0) return [];
      }
      return [`The service stops when ${user} logs out. To keep it running: sudo ${command}`];
    },
  };
}

const withoutSystemd = [
  "This machine, or this container, does not run systemd.",
  "Run the program in the foreground instead, under whatever starts programs here.",
];

function withoutBus(user: string): string[] {
  return [
    "In a container there is usually no user manager: run the program in the foreground instead.",
    `Over SSH, log in as ${user} directly; su and sudo do not open a session of their own.`,
    `Where nobody logs in, let the user manager run all the time: sudo loginctl enable-linger ${user}`,
    "Then see whether it answers: systemctl --user status",
  ];
}

/** `CLD_…` of `ExecMainCode`. */
const EXIT_REASONS: Readonly<Record<string, string>> = { 1: "exited", 2: "killed", 3: "dumped" };

function readRuntime(text: string): ServiceRuntime {
  const value = new Map(
    text.split("\n").map((line): [string, string] => {
      const equals = line.indexOf("=");
      return [line.slice(0, equals), line.slice(equals + 1).trim()];
    }),
  );
  const state = value.get("ActiveState") ?? "";
  const subState = value.get("SubState") ?? "";
  const pid = Number(value.get("MainPID") ?? 0);
  const reason = EXIT_REASONS[value.get("ExecMainCode") ?? ""];
  const exitStatus = Number(value.get("ExecMainStatus"));
  const isRunning = state === "active" || state === "reloading" || pid > 0;
  return {
    status: state === "" ? "unknown" : isRunning ? "running" : "stopped",
    ...(state === "" ? {} : { state }),
    ...(subState === "" ? {} : { subState }),
    ...(pid > 0 ? { pid } : {}),
    ...(reason === undefined || Number.isNaN(exitStatus)
      ? {}
      : { lastExitStatus: exitStatus, lastExitReason: reason }),
  };
}
