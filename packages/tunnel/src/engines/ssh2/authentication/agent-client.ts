import { connect } from "node:net";
import type { Duplex } from "node:stream";
import ssh2 from "ssh2";
import { wireUint32 } from "./wire-format.ts";

/** Why the agent did not answer. */
export type AgentFailureKind =
  /** Nothing listens on its socket. */
  | "unreachable"
  /** No answer in time. */
  | "silent"
  /** It hung up. */
  | "lost"
  /** It answered, and said no. */
  | "refused";

/** A failure of the agent. */
export class AgentFailure extends Error {
  override readonly name: string = "AgentFailure";
  readonly kind: AgentFailureKind;

  constructor(kind: AgentFailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** One connection to an agent; made for the first request, and again after it was lost. */
export interface AgentClient {
  /**
   * @returns the answer, from its type on
   * @throws AgentFailure
   */
  request(message: Buffer, timeoutMs: number): Promise<Buffer>;
  /** Ends the connection; what still waits fails. */
  close(): void;
}

/** As much as OpenSSH's own agent and client let pass. */
const MAX_MESSAGE_BYTES = 256 * 1024;

interface Waiting {
  resolve(answer: Buffer): void;
  reject(failure: AgentFailure): void;
}

/**
 * @param path a Unix socket, a named pipe of Windows, the socket file of Cygwin, or `pageant`
 */
export function createAgentClient(path: string): AgentClient {
  let stream: Promise<Duplex> | undefined;
  let opened: Duplex | undefined;
  /** Counts the connections, so that one which was given up is not used when it comes about. */
  let generation = 0;
  let isClosed = false;
  let received: Buffer = Buffer.alloc(0);
  const waiting: Waiting[] = [];

  function lose(failure: AgentFailure): void {
    generation += 1;
    opened?.destroy();
    stream = opened = undefined;
    received = Buffer.alloc(0);
    for (const { reject } of waiting.splice(0)) reject(failure);
  }

  async function open(): Promise<Duplex> {
    const mine = generation;
    const socket = await connectToAgent(path);
    if (mine !== generation) {
      socket.destroy();
      throw new AgentFailure("lost", "the connection to the agent was given up");
    }
    opened = socket;
    const lost = (cause?: Error): void => {
      if (opened === socket) lose(new AgentFailure("lost", "the agent hung up", { cause }));
    };
    socket.on("error", lost);
    socket.on("end", () => lost());
    socket.on("close", () => lost());
    socket.on("data", (chunk: Buffer) => {
      if (opened === socket) receive(chunk);
    });
    return socket;
  }

  function receive(chunk: Buffer): void {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 4) {
      const length = received.readUInt32BE();
      if (length === 0 || length > MAX_MESSAGE_BYTES) {
        return lose(new AgentFailure("lost", "the agent sent what is no answer"));
      }
      if (received.length < 4 + length) return;
      const answer = received.subarray(4, 4 + length);
      received = received.subarray(4 + length);
      waiting.shift()?.resolve(answer);
    }
  }

  return {
    async request(message, timeoutMs) {
      if (isClosed) throw new AgentFailure("lost", "the connection to the agent was closed");
      const answer = Promise.withResolvers<Buffer>();
      const late = (): void => {
        const failure = new AgentFailure("silent", `no answer within ${timeoutMs} ms`);
        answer.reject(failure);
        lose(failure);
      };
      const timer = setTimeout(late, timeoutMs);
      stream ??= open();
      const opening = stream;
      opening.then(
        (socket) => {
          waiting.push(answer);
          socket.write(Buffer.concat([wireUint32(message.length), message]));
        },
        (error: unknown) => {
          if (stream === opening) stream = undefined;
          answer.reject(error);
        },
      );
      try {
        return await answer.promise;
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      isClosed = true;
      lose(new AgentFailure("lost", "the connection to the agent was closed"));
    },
  };
}

function connectToAgent(path: string): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const unreachable = (cause: unknown): void => {
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    reject(new AgentFailure("unreachable", `no agent answers at ${path}${code}`, { cause }));
  };
  if (process.platform === "win32" && !/^[/\\]{2}\.[/\\]pipe[/\\]./u.test(path)) {
    // Pageant and the agent of Cygwin have ways of their own, which ssh2 knows.
    const agent = ssh2.createAgent(path) as unknown as {
      getStream(done: (error: Error | null, stream?: Duplex) => void): void;
    };
    agent.getStream((error, stream) => (stream ? resolve(stream) : unreachable(error)));
    return promise;
  }
  const socket = connect(path);
  socket.once("error", unreachable);
  socket.once("connect", () => {
    socket.off("error", unreachable);
    resolve(socket);
  });
  return promise;
}
