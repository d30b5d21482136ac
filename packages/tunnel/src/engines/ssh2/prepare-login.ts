import type { Duplex } from "node:stream";
import type { SshSettings } from "../../settings/ssh-settings.ts";
import type { EngineOptions } from "../engine.ts";
import { keyringOf } from "./authentication/keyring.ts";
import {
  type AuthenticationPlan,
  planAuthentication,
} from "./authentication/plan-authentication.ts";
import type { Channels } from "./channels.ts";
import type { ConnectDeadline } from "./connect-deadline.ts";
import { dial } from "./dial.ts";
import { type HostVerification, prepareHostVerification } from "./host-verification.ts";

export interface LoginPreparation {
  /** Channels of the host to go through; undefined for the first. */
  readonly through: Channels | undefined;
  readonly settings: SshSettings;
  readonly isTarget: boolean;
  readonly engine: EngineOptions;
  readonly deadline: ConnectDeadline;
  readonly signal: AbortSignal;
}

/**
 * Gets what is needed before the first byte: files, the agent and the connection do not wait for each
 * other.
 *
 * @throws with nothing left behind
 */
export async function prepareLogin(
  options: LoginPreparation,
): Promise<[HostVerification, AuthenticationPlan, Duplex]> {
  const { settings, engine, isTarget, deadline, signal } = options;
  const planning = planAuthentication({
    settings,
    callbacks: engine.authentication,
    keyring: keyringOf(engine.authentication),
    logger: engine.logger,
    host: settings.hostName,
    onWaiting: (isWaiting) => deadline.pause(isWaiting),
  });
  const dialling = streamTo(options);
  const verifying = prepareHostVerification(settings, engine, isTarget);
  try {
    const everything = Promise.all([verifying, planning, dialling]);
    return await Promise.race([everything, interruption(dialling, signal)]);
  } catch (error) {
    // Whichever failed, the others leave nothing behind.
    planning.then((plan) => plan.dispose(), ignore);
    dialling.then((socket) => socket.destroy(), ignore);
    throw error;
  }
}

/** Rejects when the attempt is given up, or when its stream breaks while nobody else listens yet. */
function interruption(dialling: Promise<Duplex>, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    dialling.then((stream) => {
      stream.on("error", reject);
      stream.once("close", () => reject(new Error("closed by the far side")));
    }, ignore);
  });
}

function ignore(): void {}

function streamTo({ through, settings, signal }: LoginPreparation): Promise<Duplex> {
  if (through === undefined) return dial(settings, signal);
  return through.open({ host: settings.hostName, port: settings.port }, signal);
}
