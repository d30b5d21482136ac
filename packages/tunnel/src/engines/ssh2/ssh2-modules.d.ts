// What ssh2 keeps to itself.
declare module "ssh2/lib/protocol/constants.js" {
  const constants: {
    readonly DEFAULT_KEX: readonly string[];
    readonly SUPPORTED_KEX: readonly string[];
    readonly DEFAULT_SERVER_HOST_KEY: readonly string[];
    readonly SUPPORTED_SERVER_HOST_KEY: readonly string[];
    readonly SUPPORTED_CIPHER: readonly string[];
    readonly DEFAULT_MAC: readonly string[];
    readonly SUPPORTED_MAC: readonly string[];
  };
  // oxlint-disable-next-line import/no-default-export
  export default constants;
}

declare module "ssh2/lib/protocol/crypto.js" {
  const crypto: { readonly bindingAvailable: boolean };
  // oxlint-disable-next-line import/no-default-export
  export default crypto;
}
