import { CliError } from "../errors.ts";
import { chooseGateway, gatewaySibling } from "../gateway/choose-gateway.ts";
import { scopesForMethod } from "../gateway/scopes-for-method.ts";
import { withGateway } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";
import { parseJsonObjectOption } from "../program/json-option.ts";

/** `openclaw gateway call <method>`. */
export async function run(context: CommandContext): Promise<number> {
  const method = context.args[0] ?? "";
  const params = parseJsonObjectOption("params", context.text("params") ?? "{}");
  const gateway = await chooseGateway(context);
  const expected = context.text("expect-url");
  if (expected !== undefined && sameUrl(expected) !== sameUrl(gateway.target.url)) {
    throw new CliError(
      "cli_error",
      `the Gateway chosen is ${gateway.target.url}, not ${expected}`,
      {
        fields: { kind: "unexpected_url" },
        hints: [`Source: ${gateway.target.urlSource}`],
        siblings: gatewaySibling(gateway.target),
      },
    );
  }
  const scopes = scopesForMethod(method, params);
  await withGateway(context, { scopes, gateway }, async (session) => {
    const payload = await session.request(method, params, {
      expectFinal: context.flag("expect-final"),
    });
    context.answer(
      payload ?? null,
      () =>
        `${context.style.bold("Gateway call:")} ${method}\n${JSON.stringify(payload ?? null, undefined, 2)}`,
    );
  });
  return 0;
}

function sameUrl(url: string): string {
  return URL.canParse(url) ? new URL(url).href : url;
}
