import { readFileSync } from "node:fs";
import { type CommandRunner, type CommandResult, parseLaunchdPlist } from "../src/index.ts";

export interface FakeLaunchdOptions {
  /** The user is logged in over SSH alone. @default false */
  hasNoSession?: boolean;
  /** How often a service is still there after it was told to end. @default 0 */
  lingers?: number;
  /** What the program of a service does. @default "runs" */
  program?: "runs" | "ends with 78";
  /** Answers `plutil`. @default as where it is missing */
  plutil?: (path: string) => string;
}

/** A stand-in for launchctl: keeps state, and refuses in the words and with the codes of the real one. */
export interface FakeLaunchd {
  readonly run: CommandRunner;
  /** Command lines so far. */
  readonly calls: readonly string[];
  readonly running: ReadonlyMap<string, { pid: number; path: string }>;
  /** Ends the service's process; launchd starts it again if the file says so. */
  crash(label: string): void;
}

interface Job {
  path: string;
  pid: number;
  keepAlive: boolean;
  lastExit: string;
  /** Questions until it is gone. */
  ending?: number;
}

const DOMAIN = "gui/501";

export function createFakeLaunchd(options: FakeLaunchdOptions = {}): FakeLaunchd {
  const jobs = new Map<string, Job>();
  const disabled = new Set<string>();
  const calls: string[] = [];
  let nextPid = 4_000;

  function launch(job: Job): void {
    const isUp = options.program !== "ends with 78";
    job.pid = isUp ? (nextPid += 1) : 0;
    job.lastExit = isUp ? "(never exited)" : "78: EX_CONFIG";
  }

  function jobOf(target: string): [string, Job] | undefined {
    const label = target.slice(DOMAIN.length + 1);
    const job = jobs.get(label);
    return job === undefined ? undefined : [label, job];
  }

  function bootstrap(domain: string, path: string): CommandResult {
    if (options.hasNoSession === true || domain !== DOMAIN) {
      return failed(125, "Bootstrap failed: 125: Domain does not support specified action");
    }
    let plist;
    try {
      plist = parseLaunchdPlist(readFileSync(path, "utf8"));
    } catch {
      return failed(5, "Bootstrap failed: 5: Input/output error");
    }
    const label = plist.label ?? "";
    if (jobs.has(label) || disabled.has(label)) {
      return failed(5, "Bootstrap failed: 5: Input/output error");
    }
    const job: Job = { path, pid: 0, keepAlive: plist.restart === "always", lastExit: "" };
    jobs.set(label, job);
    if (plist.runsAtLogin) launch(job);
    return done();
  }

  function bootout([target = "", path]: string[]): CommandResult {
    const found =
      path === undefined ? jobOf(target) : [...jobs].find(([, job]) => job.path === path);
    if (found === undefined) {
      return path === undefined
        ? failed(3, "Boot-out failed: 3: No such process")
        : failed(5, "Boot-out failed: 5: Input/output error");
    }
    const [label, job] = found;
    if (options.lingers === undefined) {
      jobs.delete(label);
      return done();
    }
    job.ending ??= options.lingers;
    return failed(36, "Boot-out failed: 36: Operation now in progress");
  }

  function print(target: string): CommandResult {
    const found = jobOf(target);
    if (found === undefined) return notFound(113, target);
    const [label, job] = found;
    if (job.ending !== undefined && (job.ending -= 1) < 0) {
      jobs.delete(label);
      return notFound(113, target);
    }
    return done(
      [
        `${target} = {`,
        "\tactive count = 1",
        `\tpath = ${job.path}`,
        "\ttype = LaunchAgent",
        `\tstate = ${job.pid > 0 ? "running" : "not running"}`,
        "",
        "\tdefault environment = {",
        "\t\tstate = nonsense",
        "\t}",
        ...(job.pid > 0 ? [`\tpid = ${job.pid}`] : []),
        `\tlast exit code = ${job.lastExit}`,
        "}",
        "",
      ].join("\n"),
    );
  }

  function kickstart(args: string[]): CommandResult {
    const target = args.at(-1) ?? "";
    const found = jobOf(target);
    if (found === undefined) return notFound(113, target);
    if (args[0] === "-k" || found[1].pid === 0) launch(found[1]);
    return done();
  }

  function notFound(code: number, target: string): CommandResult {
    const label = target.slice(DOMAIN.length + 1);
    return failed(
      code,
      `Bad request.\nCould not find service "${label}" in domain for user gui: 501`,
    );
  }

  function launchctl(verb: string, args: string[]): CommandResult {
    const [target = ""] = args;
    switch (verb) {
      case "bootstrap":
        return bootstrap(target, args[1] ?? "");
      case "bootout":
        return bootout(args);
      case "kickstart":
        return kickstart(args);
      case "print":
        return print(target);
      case "enable":
        disabled.delete(target.slice(DOMAIN.length + 1));
        return done();
      case "disable":
        disabled.add(target.slice(DOMAIN.length + 1));
        return done();
      case "unload":
        // Old and lenient: it complains, and yet succeeds.
        return { code: 0, stdout: "", stderr: "Unload failed: 5: Input/output error" };
      default:
        return failed(64, `Unrecognized subcommand: ${verb}`);
    }
  }

  return {
    calls,
    running: jobs,
    async run(file, args) {
      calls.push([file, ...args].join(" "));
      if (file === "launchctl") return launchctl(args[0] ?? "", args.slice(1));
      if (file === "plutil" && options.plutil) return done(options.plutil(args.at(-1) ?? ""));
      return { code: null, stdout: "", stderr: `spawn ${file} ENOENT`, failure: "missing" };
    },
    crash(label) {
      const job = jobs.get(label);
      if (job === undefined) throw new Error(`${label} is not loaded`);
      if (job.keepAlive) launch(job);
      else job.pid = 0;
    },
  };
}

function done(stdout = ""): CommandResult {
  return { code: 0, stdout, stderr: "" };
}

function failed(code: number, stderr: string): CommandResult {
  return { code, stdout: "", stderr };
}
