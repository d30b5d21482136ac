import process from "node:process";

/**
 * `node:crypto`, loaded when it is first needed: every command reads the config, and few of them hash
 * or draw lots.
 */
export function nodeCrypto(): typeof import("node:crypto") {
  return process.getBuiltinModule("node:crypto");
}
