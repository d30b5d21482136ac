export { ConfigError } from "./config-error.ts";
export { GatewayCredentialsError, resolveCredentials } from "./credentials.ts";
export { loadDotEnv, parseDotEnv } from "./dotenv.ts";
export { findFormerConfig } from "./edit/backups.ts";
export { markConfigGood, readConfigText } from "./edit/change-config-file.ts";
export { changedPaths, diffConfigs } from "./edit/config-diff.ts";
export { hashConfigText } from "./edit/config-hash.ts";
export { formatConfigPath, parseConfigPath, valueAtPath } from "./edit/config-path.ts";
export { editConfigFile, replaceConfigText } from "./edit/edit-config-file.ts";
export { loadConfigJsonSchema, loadKeyFacts } from "./edit/key-facts.ts";
export {
  findSecrets,
  formerSecrets,
  REDACTED,
  redactConfig,
  restoreSecrets,
} from "./edit/redact-config.ts";
export { mergePatch } from "./edit/merge-patch.ts";
export { editConfigText, redactConfigText, restoreConfigText } from "./edit/redact-text.ts";
export { isEnvSwitchOn, normalizeEnv, readEnv } from "./env.ts";
export { DEFAULT_PORT, resolveGatewayPort } from "./gateway-port.ts";
export { readGatewayAddress, readSshAddress, sshGatewayAddress } from "./gateway-address.ts";
export {
  MISSING_REMOTE_URL_SOURCE,
  refuseInsecureTarget,
  resolveGatewayTarget,
} from "./gateway-target.ts";
export { isLoopbackHost, isPlaintextHost, normalizeGatewayUrl } from "./gateway-url.ts";
export { listConfigKeys, loadConfigDefaults } from "./config-keys.ts";
export { loadConfig } from "./load-config.ts";
export { migrateConfigKeys, migrateState, undoStateMigration } from "./migration/migrate.ts";
export { parseConfigText } from "./parse-config-text.ts";
export { findRivalConfigs } from "./find-rival-configs.ts";
export { expandHome, resolvePaths, stateFiles } from "./paths.ts";
export { applyProfile, DEV_GATEWAY_PORT, isProfileName, parseProfileFlags } from "./profiles.ts";
export { readConfigLoosely } from "./read-config.ts";
export { resolveServerAuth } from "./server-auth.ts";
export { formatSshAddress, parseSshAddress, sshEndpointKey } from "./ssh-address.ts";
export { substituteVariables } from "./substitute.ts";
export { readTlsPins, withGivenPins } from "./target-pins.ts";
export { formatTlsPin, matchesTlsPin, parseTlsPin } from "./tls-pin.ts";

export type { ConfigErrorCode, ConfigErrorOptions } from "./config-error.ts";
export type { ConfigIssue, ConfigIssueKind } from "./config-issue.ts";
export type {
  CredentialCaller,
  CredentialField,
  Credentials,
  CredentialsOptions,
} from "./credentials.ts";
export type { ConfigEdit } from "./edit/edit-text.ts";
export type { FormerConfig } from "./edit/backups.ts";
export type { ChangedConfig, ChangeOptions } from "./edit/change-config-file.ts";
export type { ConfigChange } from "./edit/config-diff.ts";
export type { ConfigPath, PathKey } from "./edit/config-path.ts";
export type { KeyFacts } from "./edit/key-facts.ts";
export type { IsSecretPath } from "./edit/redact-config.ts";
export type { DotEnvOptions, DotEnvResult } from "./dotenv.ts";
export type { Env, EnvValue, NormalizedEnv, OpenClawVariable } from "./env.ts";
export type {
  GatewayAddress,
  SshGatewayOptions,
  SshHostKeyPolicy,
  SshRoute,
} from "./gateway-address.ts";
export type { ParsedSshAddress, SshAddress } from "./ssh-address.ts";
export type { GatewayPort, GatewayPortOptions } from "./gateway-port.ts";
export type { GatewayTarget, GatewayTargetKind, GatewayTargetOptions } from "./gateway-target.ts";
export type { JsonObject } from "./json.ts";
export type { ConfigDefaults, ConfigKey } from "./config-keys.ts";
export type { LoadConfigOptions, LoadedConfig } from "./load-config.ts";
export type { LegacyKey } from "./migration/legacy-keys.ts";
export type { MigratedKeys } from "./migration/migrate-keys.ts";
export type { MigrateStateOptions, MigrationReport } from "./migration/migrate-state.ts";
export type { Paths, PathsOptions, StateFiles } from "./paths.ts";
export type { ProfileFlags } from "./profiles.ts";
export type { ConfigFileOptions, LooseConfig } from "./read-config.ts";
export type { OpenClawConfig } from "./schema/config-schema.ts";
export type {
  RefusalId,
  ServerAuth,
  ServerAuthMode,
  ServerAuthOptions,
  ServerAuthResult,
  ServerRefusal,
} from "./server-auth.ts";
export type { Substitution, UnresolvedReference } from "./substitute.ts";
export type { ParsedTlsPin, TlsPin, TlsPinSubject } from "./tls-pin.ts";
