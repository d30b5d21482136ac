export { CAP_INVOKE_LEDGER, CAP_INVOKE_PROGRESS, CLIENT_IDS, CLIENT_MODES } from "./client-info.ts";
export type { ClientId, ClientMode, Role } from "./client-info.ts";
export { CLOSE, CLOSE_REASON, truncateCloseReason } from "./close-codes.ts";
export type { CloseCode } from "./close-codes.ts";
export {
  buildDeviceAuthPayload,
  decodeBase64Url,
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
} from "./limits.ts";
export { parseFrame } from "./parse-frame.ts";
export type { ParsedFrame } from "./parse-frame.ts";
export { RawJson } from "./raw-json.ts";
export { OPERATOR_SCOPES, missingScopes, scopeAllows } from "./scopes.ts";
export type { OperatorScope } from "./scopes.ts";
export { MIN_PROTOCOL_VERSION, PROTOCOL_VERSION, negotiateProtocol } from "./version.ts";
export type { ProtocolRange, ProtocolVersion } from "./version.ts";
export { validateParams } from "./validate.ts";
export type { Validated } from "./validate.ts";
export {
  commandSchemas,
  execApprovalsFileSchema,
  execApprovalsSnapshotSchema,
} from "./schemas/commands.ts";
export type {
  ExecApprovalsFile,
  ExecApprovalsSnapshot,
  SystemRunParams,
  SystemRunResult,
} from "./schemas/commands.ts";
export { connectChallengeSchema, connectParamsSchema, helloOkSchema } from "./schemas/connect.ts";
export type { ConnectChallenge, ConnectParams, HelloOk } from "./schemas/connect.ts";
export {
  devicePairRequestSchema,
  deviceTokenSummarySchema,
  pairedDeviceSchema,
  requestIdSchema,
} from "./schemas/device-pairing.ts";
export type { DevicePairRequest, PairedDevice } from "./schemas/device-pairing.ts";
export {
  errorShapeSchema,
  eventFrameSchema,
  frameSchema,
  requestFrameSchema,
  responseFrameSchema,
  stateVersionSchema,
} from "./schemas/frames.ts";
export { eventSchemas, methodSchemas } from "./schemas/method-schemas.ts";
export type {
  EventName,
  EventPayload,
  MethodName,
  MethodParams,
  MethodResult,
} from "./schemas/method-schemas.ts";
export {
  hostStatsSchema,
  invokeStageSchema,
  nodeEntrySchema,
  nodeInvokeAnswerSchema,
  nodeInvokeParamsSchema,
  nodeInvokeRequestSchema,
  nodeInvokeResultParamsSchema,
  nodeInvokeStatusSchema,
  nodePairPairedSchema,
  nodePairPendingSchema,
} from "./schemas/node.ts";
export type {
  HostStats,
  InvokeStage,
  NodeEntry,
  NodeInvokeAnswer,
  NodeInvokeParams,
  NodeInvokeRequest,
  NodeInvokeResult,
  NodeInvokeStatus,
  NodePairPaired,
  NodePairPending,
} from "./schemas/node.ts";
export { healthResultSchema, presenceEntrySchema, statusResultSchema } from "./schemas/system.ts";
export type { PresenceEntry } from "./schemas/system.ts";
