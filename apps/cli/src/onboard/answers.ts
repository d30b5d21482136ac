/** Ways to log in to a model provider that onboarding knows. */
export const MODEL_PROVIDERS = {
  "openai-api-key": { provider: "openai", flag: "openai-api-key", model: "openai/gpt-4o-mini" },
  "anthropic-api-key": {
    provider: "anthropic",
    flag: "anthropic-api-key",
    model: "anthropic/claude-opus-4-5",
  },
} as const;

export type AuthChoice = keyof typeof MODEL_PROVIDERS | "skip";

/** A secret, or the variable that holds it. */
export type SecretAnswer =
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "variable"; readonly name: string };

/** The agent's model and how to log in to it. */
export interface ModelAnswer {
  readonly choice: AuthChoice;
  readonly apiKey?: string;
  /** `provider/model`; undefined leaves the config as it is. */
  readonly primary?: string;
}

/** A Gateway on this machine. */
export interface LocalAnswers {
  readonly mode: "local";
  readonly workspace: string;
  readonly model: ModelAnswer;
  readonly port: number;
  readonly bind: string;
  readonly customBindHost?: string;
  readonly auth: {
    /** The last two are only ever kept. */
    readonly mode: "token" | "password" | "none" | "trusted-proxy";
    /** Undefined keeps the one that is there. */
    readonly secret?: SecretAnswer;
  };
  readonly tailscale: "off" | "serve" | "funnel";
  readonly resetOnExit: boolean;
  /** Token of a Telegram bot; undefined leaves channels as they are. */
  readonly telegramToken?: string;
  readonly installDaemon: boolean;
}

/** A Gateway elsewhere. */
export interface RemoteAnswers {
  readonly mode: "remote";
  /** `ws://`, `wss://`, or an SSH target. */
  readonly url: string;
  readonly token?: string;
  readonly password?: string;
  readonly tlsFingerprint?: string;
}

/** What onboarding was told, by flags or by a person. */
export type Answers = LocalAnswers | RemoteAnswers;
