import { isObject, safeText, type Way, type WayOptions } from "@openclaw/app-kit";
import { loadSshWay } from "@openclaw/app-kit/ssh-way";
import type { GatewayTarget } from "@openclaw/config";
import { CliError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import { gatewaySibling } from "./choose-gateway.ts";
import { type Interruption, interruptedError } from "./interruption.ts";

/** After this long a person is told what takes so long. */
const SILENT_MS = 1_000;

type Authentication = NonNullable<WayOptions["authentication"]>;

/** An SSH connection for the length of one command. */
export interface OpenedWay {
  readonly way: Way;
  /** How long a person was asked; time that belongs to no deadline. */
  readonly askedMs: number;
}

/**
 * Opens the SSH connection that a target lies behind.
 *
 * @param interruption gives it up
 * @returns undefined for a target that is dialled as it is
 * @throws {CliError}
 */
export async function openWayTo(
  target: GatewayTarget,
  context: CommandContext,
  timeoutMs: number,
  interruption: Interruption,
): Promise<OpenedWay | undefined> {
  const { via } = target;
  if (via === undefined) return undefined;
  const { io } = context;
  const timer = setTimeout(() => {
    if (io.stderr.isTTY) context.say(`Connecting to ${via.target} over SSH …`);
  }, SILENT_MS);
  const asking = createAsking(
    context,
    () => interruption.interrupt(interruptedError("SIGINT")),
    // The question says well enough what goes on, and is not to be written over.
    () => clearTimeout(timer),
  );
  try {
    const { openWay } = await loadSshWay();
    const way = await openWay({
      ...wayOptions(target, context),
      authentication: asking.callbacks,
      connectTimeoutMs: timeoutMs,
      signal: interruption.signal,
    });
    return { way, askedMs: asking.askedMs() };
  } catch (error) {
    throw explainWayFailure(error, target);
  } finally {
    clearTimeout(timer);
  }
}

/** What the flags and the config say of the way. */
export function wayOptions(target: GatewayTarget, context: CommandContext): WayOptions {
  const { via } = target;
  if (via === undefined) throw new Error(`${target.url} is not behind SSH`);
  const identity = context.text("ssh-identity");
  return {
    via: {
      ...via,
      ...(identity === undefined ? {} : { identity }),
      ...(context.flag("accept-new") ? { hostKeyPolicy: "accept-new" as const } : {}),
    },
    knownHosts: context.text("ssh-known-hosts"),
    hostKeyFingerprint: context.text("ssh-host-key"),
    onNewHostKey: ({ name, keyType, fingerprint }) =>
      context.say(`New SSH host key accepted: ${safeText(name)} ${keyType} ${fingerprint}`),
    endpointKey: target.endpointKey,
    env: context.env,
    stateDirectory: context.paths.stateDir,
  };
}

interface Asking {
  /** Empty where nobody can be asked: then nothing ever prompts. */
  readonly callbacks: Authentication;
  askedMs(): number;
}

/**
 * Asks at the terminal, where there is one and the answer is for a person. What one connection of a
 * command was told the next one need not ask; several that open at once ask one after the other.
 *
 * @param onCancel told when a question is answered with Ctrl-C
 * @param onQuestion told before each question
 */
export function createAsking(
  context: CommandContext,
  onCancel: () => void,
  onQuestion: () => void = () => {},
): Asking {
  const terminal = context.json ? undefined : context.io.terminal?.();
  if (terminal === undefined) return { callbacks: {}, askedMs: () => 0 };
  const known = knowledgeOf(context);
  /** Asked for a second time, an answer was wrong. */
  const used = new Set<string>();
  let askedMs = 0;

  async function ask<T>(question: (person: Required<Authentication>) => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    onQuestion();
    const before = known.last;
    const answer = (async () => {
      await before;
      const { askPerson } = await import("./ask-person.ts");
      return question(askPerson(terminal as NonNullable<typeof terminal>, onCancel));
    })();
    known.last = answer.catch(() => {});
    try {
      return await answer;
    } finally {
      askedMs += performance.now() - startedAt;
    }
  }

  async function recall(
    about: string,
    question: (person: Required<Authentication>) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    const told = known.answers.get(about);
    const isFirst = !used.has(about);
    used.add(about);
    if (isFirst && told !== undefined) return told;
    const answer = await ask(question);
    if (answer !== undefined) known.answers.set(about, answer);
    return answer;
  }

  return {
    askedMs: () => askedMs,
    callbacks: {
      passphrase: (file, attempt) =>
        recall(`passphrase ${file}`, (person) => person.passphrase(file, attempt)),
      password: (prompt) =>
        recall(`password ${prompt.user}@${prompt.host}`, (person) => person.password(prompt)),
      keyboardInteractive: (request) => ask((person) => person.keyboardInteractive(request)),
    },
  };
}

/** What a person has answered so far, for the length of a command. */
interface Knowledge {
  readonly answers: Map<string, string>;
  /** Settles when the question that stands there is answered. */
  last: Promise<unknown>;
}

const knowledge = new WeakMap<CommandContext, Knowledge>();

function knowledgeOf(context: CommandContext): Knowledge {
  const known = knowledge.get(context) ?? { answers: new Map(), last: Promise.resolve() };
  knowledge.set(context, known);
  return known;
}

/** What a {@link TunnelError} says; its class lies in a bundle of its own. */
export interface WayFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly final: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Reads the error of a tunnel; undefined for any other. */
export function readWayFailure(error: unknown): WayFailure | undefined {
  if (!(error instanceof Error) || error.name !== "TunnelError") return undefined;
  const { code, hint, final, details } = error as Error & Partial<Record<string, unknown>>;
  return {
    code: String(code),
    message: safeText(error.message),
    hint: typeof hint === "string" ? safeText(hint) : undefined,
    final: final === true,
    details: isObject(details) ? details : {},
  };
}

/** What a tunnel reports, for the user; any other error as it is. */
export function explainWayFailure(error: unknown, target: GatewayTarget): unknown {
  const failure = readWayFailure(error);
  if (failure === undefined) return error;
  const { code, message, hint, final, details } = failure;
  return new CliError("gateway_transport_error", `ssh: ${message}`, {
    hints: [
      ...(hint === undefined ? [] : [hint]),
      `SSH target: ${target.via?.target ?? ""} (from ${target.urlSource})`,
    ],
    fields: {
      kind: "ssh",
      code,
      final,
      reason: message,
      ...(Object.keys(details).length > 0 ? { details } : {}),
    },
    siblings: gatewaySibling(target),
    cause: error,
  });
}
