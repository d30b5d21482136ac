import {
  CLOSE,
  type ConnectErrorDetailCode,
  type ErrorCode,
  type ErrorShape,
} from "@openclaw/protocol";

/** A `connect` that is answered with an error and closed. */
export interface Refusal {
  error: ErrorShape;
  closeCode: number;
  closeReason: string;
}

/** A refusal whose close reason repeats its message, as peers expect. */
export function refuse(
  message: string,
  options: {
    code?: ErrorCode;
    detailCode?: ConnectErrorDetailCode;
    details?: object;
    retryable?: boolean;
    closeCode?: number;
    closeReason?: string;
  } = {},
): Refusal {
  const { code = "INVALID_REQUEST", detailCode, details } = options;
  const error: ErrorShape = { code, message };
  if (detailCode !== undefined || details !== undefined)
    error.details = { ...(detailCode === undefined ? {} : { code: detailCode }), ...details };
  if (options.retryable !== undefined) error.retryable = options.retryable;
  return {
    error,
    closeCode: options.closeCode ?? CLOSE.POLICY_VIOLATION,
    closeReason: options.closeReason ?? message,
  };
}
