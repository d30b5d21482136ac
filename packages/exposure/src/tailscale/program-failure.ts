import { userInfo } from "node:os";
import { ExposureError, type ExposureErrorDetails } from "../exposure-error.ts";
import type { ProgramLimits, ProgramResult } from "./run-program.ts";
import { safeOutput } from "./safe-output.ts";
import type { TailscaleErrorCode } from "./tailscale-error-code.ts";

/** Oldest version that has the commands we use. */
const OLDEST_VERSION = "1.52";

const NOT_ENABLED = /\b(?<feature>Serve|Funnel) is not enabled on your tailnet/iu;
const LINK = /https:\/\/[\w.-]*\btailscale\.com\/[^\s"'<>]*[^\s"'<>.,;)]/u;

/** True when the program waits for a person to follow the link that it has shown. */
export function waitsForPerson(output: string): boolean {
  return NOT_ENABLED.test(output) && LINK.test(output);
}

/** Whether an invocation did what it was told, as far as its own words go. */
export function hasSucceeded(result: ProgramResult): boolean {
  // When a feature is not enabled, some versions say so and end with 0.
  return result.code === 0 && !NOT_ENABLED.test(result.stdout + result.stderr);
}

const INSTALL =
  "Install Tailscale from https://tailscale.com/download, or reach the Gateway through SSH.";

interface Cause {
  readonly pattern: RegExp;
  readonly code: TailscaleErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** What the program says in words, first match wins. */
const CAUSES: readonly Cause[] = [
  {
    pattern: /tailscaled\.sock: connect: permission denied/iu,
    code: "TAILSCALE_NO_RIGHTS",
    message: "this user may not talk to the Tailscale daemon",
    hint: "Let this user open the socket that the message names, or run the Gateway as one who may.",
  },
  {
    pattern:
      /HTTPS must be enabled|does not support getting TLS certs|HTTPS cert support is not enabled/iu,
    code: "TAILSCALE_HTTPS_DISABLED",
    message: "HTTPS certificates are not enabled for the tailnet",
    hint: "Turn on MagicDNS and HTTPS Certificates at https://login.tailscale.com/admin/dns.",
  },
  {
    pattern: /Funnel not available|not allowed for funnel|funnel" node attribute not set/iu,
    code: "TAILSCALE_FUNNEL_DISABLED",
    message: "the tailnet does not allow Funnel to this machine",
    hint: "Give this machine the node attribute funnel in the tailnet's policy: https://tailscale.com/s/no-funnel.",
  },
  {
    pattern:
      /failed to connect to local tailscale|is Tailscale running|Tailscale service running|tailscaled\.sock/iu,
    code: "TAILSCALE_NOT_RUNNING",
    message: "the Tailscale daemon does not answer",
    hint: "Start it: sudo systemctl start tailscaled, or open the app.",
  },
  {
    pattern: /Tailscale is stopped/iu,
    code: "TAILSCALE_NOT_RUNNING",
    message: "Tailscale is stopped on this machine",
    hint: "Connect it: sudo tailscale up.",
  },
  {
    pattern: /not yet authorized by tailnet admin/iu,
    code: "TAILSCALE_NOT_APPROVED",
    message: "this machine waits for the approval of a tailnet admin",
    hint: "Approve it at https://login.tailscale.com/admin/machines.",
  },
  {
    pattern: /Logged out|NeedsLogin|not logged in/iu,
    code: "TAILSCALE_NEEDS_LOGIN",
    message: "this machine is not logged in to a tailnet",
    hint: "Log in: sudo tailscale up.",
  },
  {
    pattern: /foreground already exists|already serving|background configuration already exists/iu,
    code: "TAILSCALE_ROUTE_CONFLICT",
    message: "Tailscale serves something else there already",
    hint: "See what: tailscale serve status.",
  },
  {
    pattern:
      /flag provided but not defined|invalid argument format|unknown subcommand|CLI for serve and funnel has changed/iu,
    code: "TAILSCALE_TOO_OLD",
    message: "the tailscale program does not know this command",
    hint: `Update Tailscale to ${OLDEST_VERSION} or later: sudo tailscale update.`,
  },
];

const DENIED =
  /access denied|permission denied|operation not permitted|requires root|must be run as root|requires sudo|need sudo|\bEACCES\b/iu;

/** The failure that an invocation stands for; `limits` are those that it ran under. */
export function programFailure(result: ProgramResult, limits: ProgramLimits): ExposureError {
  const text = `${result.stdout}\n${result.stderr}`;
  const command = commandLine(result.args);
  const feature = NOT_ENABLED.exec(text)?.groups?.["feature"];
  const link = LINK.exec(text)?.[0];
  const details: ExposureErrorDetails = {
    command: ["tailscale", ...result.args],
    exitCode: result.code,
    output: safeOutput(`${result.stderr}\n${result.stdout}`),
  };
  if (feature !== undefined) return notEnabled(feature, link, details);
  switch (result.failure) {
    case "missing":
    case "denied":
      return new ExposureError(
        "TAILSCALE_NOT_INSTALLED",
        `the tailscale program cannot be started: ${safeOutput(result.stderr)}`,
        { details },
      );
    case "timeout":
      return new ExposureError(
        "TAILSCALE_TIMEOUT",
        `${command} did not end within ${limits.timeoutMs / 1000} s`,
        { details, hint: `Run it by hand to see what it waits for: ${command}.` },
      );
    case "flood":
      return new ExposureError(
        "TAILSCALE_BAD_OUTPUT",
        `${command} printed more than ${limits.maxOutputBytes} bytes`,
        { details: { ...details, output: safeOutput(text.slice(0, 200)) } },
      );
    default:
      return fromWords(text, command, link, details);
  }
}

/** No program was found. */
export function notInstalled(): ExposureError {
  return new ExposureError(
    "TAILSCALE_NOT_INSTALLED",
    "there is no tailscale program in PATH, nor where it is installed by default",
    { hint: INSTALL },
  );
}

/** The program that was found is missing by now, is none, or cannot tell its version. */
export function unusable(path: string): ExposureError {
  return new ExposureError(
    "TAILSCALE_NOT_INSTALLED",
    `the tailscale program ${path} is missing or does not work`,
    { hint: INSTALL, details: { path } },
  );
}

/** A document was asked for, and something else came. */
export function notJson(result: ProgramResult): ExposureError {
  return new ExposureError(
    "TAILSCALE_BAD_OUTPUT",
    `${commandLine(result.args)} printed no JSON document`,
    {
      details: {
        command: ["tailscale", ...result.args],
        exitCode: result.code,
        output: safeOutput(result.stdout.slice(0, 500)),
      },
    },
  );
}

/** The one command, run once by an administrator, that lets this user change what is served. */
export function operatorCommand(user = userName()): string {
  return `sudo tailscale set --operator=${/^[\w.-]+$/u.test(user) ? user : "$USER"}`;
}

function fromWords(
  text: string,
  command: string,
  link: string | undefined,
  details: ExposureErrorDetails,
): ExposureError {
  const cause = CAUSES.find(({ pattern }) => pattern.test(text));
  if (cause !== undefined) {
    const { code, message, hint } = cause;
    return new ExposureError(code, `${command} failed: ${message}`, {
      hint: code === "TAILSCALE_NEEDS_LOGIN" && link !== undefined ? `Log in at ${link}.` : hint,
      details: link === undefined ? details : { ...details, link },
    });
  }
  if (DENIED.test(text)) {
    return new ExposureError(
      "TAILSCALE_NO_RIGHTS",
      `${command} failed: the user ${userName()} may not change what Tailscale serves`,
      { details, hint: `Once, on this machine: ${operatorCommand()}` },
    );
  }
  const [said] = (details.output ?? "").split("\n").filter((line) => line.trim() !== "");
  return new ExposureError("TAILSCALE_FAILED", `${command} failed: ${said ?? "it said nothing"}`, {
    details,
  });
}

function notEnabled(
  feature: string,
  link: string | undefined,
  details: ExposureErrorDetails,
): ExposureError {
  const isFunnel = feature.toLowerCase() === "funnel";
  return new ExposureError(
    isFunnel ? "TAILSCALE_FUNNEL_DISABLED" : "TAILSCALE_HTTPS_DISABLED",
    isFunnel
      ? "Funnel is not enabled for this machine in the tailnet"
      : "HTTPS certificates are not enabled for the tailnet, so nothing can be served",
    {
      hint: link === undefined ? "Turn it on in the admin console." : `Turn it on at ${link}`,
      details: link === undefined ? details : { ...details, link },
    },
  );
}

function commandLine(args: readonly string[]): string {
  return ["tailscale", ...args].join(" ");
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number without a name.
    return "$USER";
  }
}
