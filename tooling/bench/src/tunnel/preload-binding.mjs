// Loaded before a process under test: puts ssh2's native binding in place, or keeps it away.
import Module from "node:module";

const resolve = Module._resolveFilename;
const binding = process.env["SSH2_BINDING"] ?? "";

Module._resolveFilename = (request, ...rest) => {
  if (!request.endsWith("sshcrypto.node")) return resolve.call(Module, request, ...rest);
  if (binding === "") throw new Error("no binding in this run");
  return binding;
};
