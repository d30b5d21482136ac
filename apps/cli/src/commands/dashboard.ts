import { hostname, userInfo } from "node:os";
import process from "node:process";
import { asObject } from "@openclaw/app-kit";
import { resolveGatewayTarget } from "@openclaw/config";
import { hasDesktop, openBrowser } from "../dashboard/open-browser.ts";
import { findPage } from "../dashboard/find-page.ts";
import { planDashboard } from "../dashboard/plan-dashboard.ts";
import { readConfig } from "../gateway/choose-gateway.ts";
import type { CommandContext } from "../program/command-context.ts";

/**
 * `openclaw dashboard`: the address of the Gateway's page, in a browser where somebody would see one.
 * The address has no credential in it.
 */
export async function run(context: CommandContext): Promise<number> {
  const { env, paths, style } = context;
  const loose = await readConfig(context);
  const target = resolveGatewayTarget({
    flags: {},
    env: loose.env,
    config: loose.config,
    unresolved: loose.unresolved,
    configPath: paths.configPath,
  });
  const user = env["USER"] ?? env["LOGNAME"] ?? userInfo().username;
  const plan = planDashboard({ target, config: loose.config, env, user, host: hostname() });
  const { httpUrl, wsUrl, port, sshLine, sshWhere } = plan;
  const browser = { env, platform: process.platform };
  // What is beyond a tunnel that is not open yet cannot be looked at.
  const isMissing = sshLine === undefined && (await findPage(httpUrl)) === "missing";
  const isWanted =
    !isMissing &&
    !context.flag("no-open") &&
    !context.json &&
    sshLine === undefined &&
    hasDesktop(browser);
  const isOpened = isWanted && (await openBrowser(httpUrl, browser));

  const isOff = isUiOff(loose.config);
  if (isOff) context.say(style.warn("gateway.controlUi.enabled is false: there is no page."));
  if (isMissing) context.say(style.warn(NO_PAGE));
  const document = {
    ok: !isOff && !isMissing,
    url: httpUrl,
    httpUrl,
    wsUrl,
    port,
    tokenIncluded: false,
    browserUrl: isOpened ? httpUrl : null,
    browserBootstrapExpiresAtMs: null,
    urlSource: target.urlSource,
    ssh: sshLine ?? null,
  };
  context.answer(document, () =>
    [
      `Dashboard: ${style.bold(httpUrl)}`,
      ...(sshLine === undefined
        ? []
        : [`First, ${sshWhere}:`, `  ${sshLine}`, "and leave it running while you look."]),
      ...(isOpened ? [style.dim("Opened in your browser.")] : []),
      ...(isWanted && !isOpened ? [style.dim("No program to open a browser was found.")] : []),
      style.dim(
        "The page asks for the Gateway's token or password; it is never part of the address.",
      ),
    ].join("\n"),
  );
  return 0;
}

const NO_PAGE =
  "The Gateway answers there, and serves no page: this version has none yet. The commands do without.";

function isUiOff(config: object): boolean {
  const gateway = asObject((config as Record<string, unknown>)["gateway"]);
  return asObject(gateway["controlUi"])["enabled"] === false;
}
