import { safeText } from "@openclaw/app-kit";
import { approve, type ChooseRequest, requestWithId } from "../devices/decide-request.ts";
import { approvedText } from "../devices/decision-view.ts";
import { deviceName } from "../devices/device-view.ts";
import { deviceIdOf, fetchPendingRequests, noRequest } from "../devices/pending-requests.ts";
import { CliError } from "../errors.ts";
import { withGateway } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";

/**
 * `openclaw devices approve [requestId]`: without an id, the only request there is. `openclaw nodes
 * approve <requestId>` takes the id of a device's request as well.
 */
export async function run(context: CommandContext): Promise<number> {
  if (context.flag("latest")) return showLatest(context);
  const id = context.args[0];
  const decision = await approve(
    context,
    id === undefined ? onlyRequest(context) : requestWithId(id),
  );
  context.answer(decision.result, () => approvedText(context, decision));
  return 0;
}

function onlyRequest(context: CommandContext): ChooseRequest {
  return (requests) => {
    const [only, another] = requests;
    if (only === undefined) throw noRequest();
    if (another === undefined) return only;
    throw new CliError("cli_error", `${requests.length} devices ask for pairing: say which`, {
      fields: { kind: "usage" },
      hints: requests.map((pending) => {
        const name = deviceName({
          deviceId: deviceIdOf(pending),
          displayName: pending.request.displayName,
        });
        return `${context.commandLine(`devices approve ${safeText(pending.request.requestId)}`)}   # ${name}`;
      }),
    });
  };
}

/** Approving whatever came last would let in whoever asked last, so this only shows it. */
async function showLatest(context: CommandContext): Promise<number> {
  await withGateway(context, { scopes: ["operator.pairing"] }, async (session) => {
    const latest = (await fetchPendingRequests(session)).at(-1);
    if (latest === undefined) throw noRequest();
    const { requestId, displayName } = latest.request;
    context.answer({ ...latest.request }, () =>
      [
        `Latest request: ${deviceName({ deviceId: deviceIdOf(latest), displayName })}`,
        `Approve it: ${context.commandLine(`devices approve ${safeText(requestId)}`)}`,
      ].join("\n"),
    );
  });
  return 1;
}
