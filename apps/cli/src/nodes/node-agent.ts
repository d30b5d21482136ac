// Most commands have nothing to do with running a node, and are quicker without it.
export { readSetupCode, runNode } from "@openclaw/node-agent";
