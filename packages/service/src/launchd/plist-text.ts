import { resolveDefinition, type ServiceDefinition } from "../definition/service-definition.ts";
import { ServiceError } from "../errors.ts";
import { type PlistValue, writeXmlPlist } from "./xml-plist.ts";

/**
 * The launch agent of a service, as an XML property list.
 *
 * launchd cannot be told of exit codes: with `KeepAlive` it starts the program again after every
 * end, every ten seconds at most.
 *
 * @throws {@link ServiceError} `INVALID_DEFINITION`, `INVALID_NAME`, `SECRET_IN_UNIT`
 */
export function launchdPlist(definition: ServiceDefinition): string {
  const service = resolveDefinition(definition);
  const { logs, workingDirectory, environment, restart } = service;
  if (service.environmentFile !== undefined) {
    throw new ServiceError("INVALID_DEFINITION", "launchd cannot read an environment file.", {
      hints: ["Let the program do it: node --env-file-if-exists=<file> …"],
    });
  }
  const plist: Record<string, PlistValue> = {
    Label: service.names.launchdLabel,
    Comment: service.description,
    RunAtLoad: true,
    KeepAlive: keepAlive(restart.when),
    ProgramArguments: service.programArguments,
    ...(workingDirectory === undefined ? {} : { WorkingDirectory: workingDirectory }),
    ...(logs === undefined ? {} : { StandardOutPath: logs.stdout, StandardErrorPath: logs.stderr }),
    ...(Object.keys(environment).length === 0 ? {} : { EnvironmentVariables: environment }),
    ExitTimeOut: service.stopTimeoutSeconds,
    // What a tunnel writes is for its user alone; what a node's commands write is theirs to decide.
    ...(service.kind === "tunnel" ? { Umask: 0o077 } : {}),
  };
  return writeXmlPlist(plist);
}

function keepAlive(when: "always" | "on-failure" | "never"): PlistValue {
  if (when === "on-failure") return { SuccessfulExit: false };
  return when === "always";
}
