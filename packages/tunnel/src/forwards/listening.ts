/** A listening socket and its process, as far as the system tells. */
export interface Listening {
  readonly address: string;
  readonly pid?: number;
  readonly program?: string;
  /** Command line as it is, secrets and all: not to be shown. */
  readonly argv?: readonly string[];
}
