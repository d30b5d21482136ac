import { once } from "node:events";
import { connect } from "node:net";
import { openForwardListener } from "../../src/forwards/listener.ts";
import { resolveForward } from "../../src/forwards/parse-forward.ts";

// Forwards a port to another one of this machine, and says what happens, line by line.

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const listener = await openForwardListener(
  resolveForward({ remotePort: Number(process.argv[2]) }),
  {
    async connect(destination) {
      const port = "port" in destination ? destination.port : 0;
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      await once(socket, "connect");
      return socket;
    },
    fallbackPort: false,
    logger: {
      debug() {},
      info() {},
      warn: (fields) => say(`warning ${(fields as { code?: string }).code}`),
      error() {},
    },
  },
);
say(`listening ${"port" in listener.local ? listener.local.port : 0}`);
