/** The environment that a caller works with. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Settings of this product, credentials among them, under all its names; and what steers Node. */
const OURS = /^(?:OPENCLAW|CLAWDBOT|MOLTBOT)_|^NODE_/iu;
/** What would make ssh ask a person; see `askpass.ts` for the one case where it may. */
const ASKING = /^SSH_ASKPASS(?:_REQUIRE)?$/u;

/**
 * The environment of ssh and of the programs it starts. They get what they would get in a shell, since
 * a ProxyCommand may need any of it to reach a host; and nothing of ours.
 */
export function childEnvironment(
  env: Env,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !OURS.test(name) && !ASKING.test(name)) kept[name] = value;
  }
  return { ...kept, SSH_ASKPASS_REQUIRE: "never", ...more };
}
