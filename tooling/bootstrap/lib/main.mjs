import { constants } from "node:os";
import { receivedSignal } from "./child.mjs";
import { BootstrapError } from "./prepare.mjs";

const OLDEST_NODE_MAJOR = 18;

/**
 * Runs a program and turns its outcome into the exit code of this process.
 *
 * @param {() => Promise<number>} program
 */
export async function main(program) {
  if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE_MAJOR) {
    console.error(
      `Node ${OLDEST_NODE_MAJOR} or newer is needed to begin; this is ${process.version}.`,
    );
    process.exitCode = 1;
    return;
  }
  try {
    process.exitCode = await program();
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    if (error.message !== "") console.error(error.message);
    const signal = receivedSignal();
    process.exitCode = signal === undefined ? 1 : 128 + constants.signals[signal];
  }
}
