import { win32 } from "node:path";
import type { ParsedService } from "../definition/parsed-service.ts";
import { resolveDefinition, type ServiceDefinition } from "../definition/service-definition.ts";
import { ServiceError } from "../errors.ts";
import {
  quoteCmdPath,
  quoteCmdWord,
  readCmdLine,
  setLine,
  splitWindowsCommandLine,
} from "./quoting.ts";

export interface WindowsTaskOptions {
  /** Folder of the script: the state directory of the profile. */
  readonly scriptDirectory: string;
  /** Runs as this user at their logon, without a stored password. */
  readonly user?: string | undefined;
}

/** A scheduled task: the script that it runs, and how it is made. */
export interface WindowsTask {
  readonly name: string;
  readonly scriptPath: string;
  readonly script: string;
  /** Arguments of `schtasks`. */
  readonly createArguments: readonly string[];
  /** The same without the user, for systems that refuse it. */
  readonly createArgumentsWithoutUser: readonly string[];
}

/** `schtasks` takes no more behind `/TR`. */
const MAX_TASK_RUN = 261;

/**
 * The scheduled task of a service: at logon, with the rights of the user and no more.
 *
 * @throws {@link ServiceError} `INVALID_DEFINITION`, `INVALID_NAME`, `SECRET_IN_UNIT`
 */
export function windowsTask(
  definition: ServiceDefinition,
  { scriptDirectory, user }: WindowsTaskOptions,
): WindowsTask {
  const service = resolveDefinition(definition, "windows");
  if (service.environmentFile !== undefined) {
    throw new ServiceError(
      "INVALID_DEFINITION",
      "the Task Scheduler cannot read an environment file.",
      {
        hints: ["Let the program do it: node --env-file-if-exists=<file> …"],
      },
    );
  }
  const { names, logs, workingDirectory, environment } = service;
  const scriptPath = win32.join(scriptDirectory, names.scriptName);
  const output =
    logs === undefined ? "" : ` >> ${quoteCmdPath(logs.stdout)} 2>> ${quoteCmdPath(logs.stderr)}`;
  const lines = [
    "@echo off",
    `rem ${service.description.replaceAll(/[%^&|<>]/gu, " ")}`,
    // Without it a "!" would begin a variable where the registry says so.
    "setlocal DisableDelayedExpansion",
    ...(workingDirectory === undefined ? [] : [`cd /d ${quoteCmdPath(workingDirectory)}`]),
    ...Object.entries(environment).map(([name, value]) => setLine(name, value)),
    `${service.programArguments.map((word) => quoteCmdWord(word)).join(" ")}${output}`,
  ];
  // cmd reads a batch file in the code page of its console, and line by line.
  if (lines.some((line) => /[^\x20-\x7e]/u.test(line))) lines.splice(1, 0, "chcp 65001 >nul");
  const create = createArguments(names.windowsTask, scriptPath);
  return {
    name: names.windowsTask,
    scriptPath,
    script: `${lines.join("\r\n")}\r\n`,
    createArguments: user === undefined ? create : [...create, "/RU", user, "/NP", "/IT"],
    createArgumentsWithoutUser: create,
  };
}

/**
 * Reads the script of a scheduled task.
 *
 * @throws {@link ServiceError} `UNREADABLE_DEFINITION` when it runs nothing
 */
export function parseTaskScript(text: string): ParsedService {
  const environment: Record<string, string> = {};
  let description: string | undefined;
  let workingDirectory: string | undefined;
  let programArguments: string[] = [];
  for (const line of text.split(/\r?\n/u)) {
    const [, verb = "", rest = ""] = /^\s*@?([a-z]+)(?:\s+(.*))?$/isu.exec(line) ?? [];
    switch (verb.toLowerCase()) {
      case "rem":
        description ??= rest.trim();
        break;
      case "cd":
        workingDirectory = readCmdLine(rest.replace(/^\/d\s+/iu, ""))
          .text.trim()
          .replace(/^"(.*)"$/u, "$1");
        break;
      case "set": {
        const assignment = readCmdLine(rest).text.replace(/^"(.*)"[^"]*$/su, "$1");
        const [, name, value] = /^([^=]+)=(.*)$/su.exec(assignment) ?? [];
        if (name !== undefined && value !== undefined) environment[name] = value;
        break;
      }
      case "echo":
      case "setlocal":
      case "chcp":
        break;
      default: {
        const words = splitWindowsCommandLine(readCmdLine(line.trim()).text);
        if (words.length > 0) programArguments = words;
      }
    }
  }
  if (programArguments.length === 0) {
    throw new ServiceError("UNREADABLE_DEFINITION", "this script runs no program.");
  }
  return {
    supervisor: "schtasks",
    description,
    programArguments,
    otherCommands: [],
    workingDirectory,
    environment,
    environmentFiles: [],
    // A task made with schtasks runs once at each logon.
    restart: "never",
    runsAtLogin: true,
  };
}

function createArguments(name: string, scriptPath: string): string[] {
  const run = /[\s&()^]/u.test(scriptPath) ? `"${scriptPath}"` : scriptPath;
  if (run.length > MAX_TASK_RUN) {
    throw new ServiceError(
      "INVALID_DEFINITION",
      `the path of the task's script is longer than ${MAX_TASK_RUN} characters: ${scriptPath}`,
      { hints: ["Choose a state directory with a shorter path: OPENCLAW_STATE_DIR."] },
    );
  }
  return ["/Create", "/F", "/SC", "ONLOGON", "/RL", "LIMITED", "/TN", name, "/TR", run];
}
