export {
  CAP_DEVICE_KEY,
  CAP_INVOKE_LEDGER,
  CAP_INVOKE_PROGRESS,
  CAP_PAIRING_WAIT,
  CLIENT_IDS,
  CLIENT_MODES,
} from "./client-info.ts";
export type { ClientId, ClientMode, Role } from "./client-info.ts";
export { CLOSE, CLOSE_REASON, truncateCloseReason } from "./close-codes.ts";
export type { CloseCode } from "./close-codes.ts";
export {
  buildDeviceAuthPayload,
  decodeBase64Url,
  deviceKeyClaim,
  encodeBase64Url,
  normalizeDeviceMetadata,
} from "./device-auth.ts";
export type { DeviceAuthFields, DeviceAuthVersion } from "./device-auth.ts";
export { isFinalConnectError } from "./error-codes.ts";
export type {
  ConnectErrorDetailCode,
  ErrorCode,
  ErrorShape,
  NodeErrorCode,
  RecommendedNextStep,
} from "./error-codes.ts";
export { encodeError, encodeEvent, encodeRequest, encodeResponse } from "./frames.ts";
export type {
  EventContent,
  EventFrame,
  Frame,
  RequestFrame,
  ResponseFrame,
  StateVersion,
} from "./frames.ts";
export {
  DEFAULT_GATEWAY_PORT,
  DEFAULT_INVOKE_TIMEOUT_MS,
  HANDSHAKE_TIMEOUT_MS,
  MAX_BUFFERED_BYTES,
  MAX_FRAME_BYTES,
  MAX_INVOKE_TIMEOUT_MS,
  MAX_JSON_DEPTH,
  MAX_PREAUTH_CONNECTIONS_PER_IP,
  MAX_PREAUTH_FRAME_BYTES,
  MAX_PROGRESS_CHUNK_CHARS,
  PAIRING_REQUEST_TTL_MS,
  TICK_INTERVAL_MS,
  resolveInvokeTimeoutMs,
  logsTailLimits,
} from "./limits.ts";
export { parseFrame } from "./parse-frame.ts";
export type { ParsedFrame } from "./parse-frame.ts";
export { RawJson } from "./raw-json.ts";
export { OPERATOR_SCOPES, missingScopes, scopeAllows } from "./scopes.ts";
export type { OperatorScope } from "./scopes.ts";
export {
  errorShapeSchema,
  eventFrameSchema,
  requestFrameSchema,
  responseFrameSchema,
  stateVersionSchema,
} from "./schemas/frames.ts";
export { connectChallengeSchema, connectParamsSchema, helloOkSchema } from "./schemas/connect.ts";
export type {
  ClientInfo,
  ConnectChallenge,
  ConnectParams,
  DeviceProof,
  HelloOk,
} from "./schemas/connect.ts";
export { presenceEntrySchema } from "./schemas/presence.ts";
export type { PresenceEntry } from "./schemas/presence.ts";
export { pairedDeviceSchema, pendingDeviceSchema } from "./schemas/device-pairing.ts";
export type {
  DevicePairListResult,
  DeviceTokenRotateResult,
  DeviceTokenSummary,
  PairedDevice,
  PendingDevice,
} from "./schemas/device-pairing.ts";
export {
  hostStatsSchema,
  nodeEntrySchema,
  pairedNodeSchema,
  pendingNodeSchema,
} from "./schemas/node.ts";
export type {
  HostStats,
  NodeApprovalState,
  NodeDescribeResult,
  NodeEntry,
  NodeEventParams,
  NodeEventResult,
  NodeListResult,
  NodePairListResult,
  PairedNode,
  PendingNode,
} from "./schemas/node.ts";
export {
  nodeInvokeParamsSchema,
  nodeInvokeRequestEventSchema,
  nodeInvokeResultParamsSchema,
  nodeInvokeResultSchema,
  nodeInvokeStatusResultSchema,
  systemRunChunkSchema,
} from "./schemas/invoke.ts";
export type {
  InvokeStage,
  NodeInvokeCancelEvent,
  NodeInvokeCancelResult,
  NodeInvokeInputEvent,
  NodeInvokeParams,
  NodeInvokeProgressEvent,
  NodeInvokeProgressParams,
  NodeInvokeRequestEvent,
  NodeInvokeResult,
  NodeInvokeResultParams,
  NodeInvokeStatusResult,
  NodeInvokeSyncResult,
  SystemRunChunk,
} from "./schemas/invoke.ts";
export {
  commandSchemas,
  execApprovalsFileSchema,
  execApprovalsSetParamsSchema,
  execApprovalsSnapshotSchema,
  systemNotifyParamsSchema,
  systemRunParamsSchema,
  systemRunPrepareParamsSchema,
  systemRunPrepareResultSchema,
  systemRunResultSchema,
  systemWhichParamsSchema,
  systemWhichResultSchema,
} from "./schemas/commands.ts";
export type {
  CommandName,
  CommandParams,
  CommandResult,
  ExecApprovalsFile,
  ExecApprovalsSetParams,
  ExecApprovalsSnapshot,
  SystemNotifyParams,
  SystemRunParams,
  SystemRunPrepareParams,
  SystemRunPrepareResult,
  SystemRunResult,
  SystemWhichResult,
} from "./schemas/commands.ts";
export { healthResultSchema, statusResultSchema } from "./schemas/system.ts";
export type { ExecApprovalsNodeResult, HealthResult, StatusResult } from "./schemas/system.ts";
export type { LogsTailResult } from "./schemas/logs.ts";
export type { ConfigChangeResult, ConfigGetResult } from "./schemas/config.ts";
export { eventSchemas, methodSchemas } from "./schemas/method-schemas.ts";
export type {
  EventName,
  EventPayload,
  MethodName,
  MethodParams,
  MethodResult,
} from "./schemas/method-schemas.ts";
export { validateParams } from "./validate.ts";
export type { Validated } from "./validate.ts";
export { MIN_PROTOCOL_VERSION, PROTOCOL_VERSION, negotiateProtocol } from "./version.ts";
export type { ProtocolRange, ProtocolVersion } from "./version.ts";
export {
  MAX_SETUP_URLS,
  SETUP_CODE_SCHEME,
  SETUP_CODE_TTL_MS,
  decodeSetupCode,
  encodeSetupCode,
  normalizeSetupUrl,
} from "./setup-code.ts";
export type { DecodedSetupCode, SetupCode, SetupCodeProblem } from "./setup-code.ts";
export type { DevicePairSetupCodeResult, SetupCompleted } from "./schemas/device-pairing.ts";
