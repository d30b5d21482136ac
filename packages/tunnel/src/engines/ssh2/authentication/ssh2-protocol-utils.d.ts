// What ssh2 keeps to itself; see ssh2-internals.ts.
declare module "ssh2/lib/protocol/utils.js" {
  const utils: { sendPacket(protocol: object, packet: Buffer): boolean };
  // oxlint-disable-next-line import/no-default-export
  export default utils;
}
