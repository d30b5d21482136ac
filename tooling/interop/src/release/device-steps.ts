import { partialDeepStrictEqual as contains } from "node:assert";
import { withDeadline } from "@openclaw/testkit";
import { need } from "./checklist.ts";
import type { Gateway } from "./gateway.ts";
import type { TakeStep } from "./operator-steps.ts";
import type { Program } from "./program.ts";

/** Pairing decisions and tokens, with devices that are driven by hand. */
export async function takeDeviceSteps(
  step: TakeStep,
  { cli, who, gateway }: { cli: Program; who: string; gateway: Gateway },
): Promise<void> {
  const waiting = await step(`${who}: devices list shows who waits`, async () => {
    const device = await gateway.waitingDevice("Tablet");
    (await cli.ok("devices", "list")).says("Tablet");
    const listed = (await cli.ok("devices", "list", "--json")).json();
    contains(listed, { pending: [{ requestId: device.requestId, displayName: "Tablet" }] });
    return device;
  });
  const deviceId = waiting?.identity.deviceId;

  const live = await step(`${who}: devices approve lets it in`, async () => {
    const { requestId, identity } = need(waiting, "waiting device");
    const approved = (await cli.ok("devices", "approve", requestId, "--json")).json();
    contains(approved, { requestId, device: { deviceId: identity.deviceId } });
    const peer = await gateway.device(identity, "Tablet");
    const listed = (await cli.ok("devices", "list", "--json")).json();
    contains(listed, { pending: [], paired: [{ deviceId: identity.deviceId }] });
    return peer;
  });

  await step(`${who}: devices rename labels it`, async () => {
    const id = need(live && deviceId, "paired device");
    const label = ["--device", id, "--name", "Kitchen tablet"];
    await cli.ok("devices", "rename", ...label);
    (await cli.ok("devices", "list")).says("Kitchen");
  });

  await step(`${who}: devices reject turns one away`, async () => {
    const other = await gateway.waitingDevice("Stranger");
    const rejected = (await cli.ok("devices", "reject", other.requestId, "--json")).json();
    contains(rejected, { requestId: other.requestId });
    await cli.fails("devices", "reject", other.requestId);
  });

  const role = ["--device", deviceId ?? "", "--role", "operator", "--json"];
  await step(`${who}: devices rotate ends the live connection`, async () => {
    const { closed } = need(live, "paired device");
    contains((await cli.ok("devices", "rotate", ...role)).json(), { deviceId, role: "operator" });
    const end = await withDeadline(closed, 10_000, () => "waiting for the device to be closed");
    contains(end, { code: 4001 });
  });

  await step(`${who}: devices revoke makes it ask again`, async () => {
    const { identity } = need(waiting, "paired device");
    contains((await cli.ok("devices", "revoke", ...role)).json(), { deviceId, role: "operator" });
    const refused = await gateway.device(identity, "Tablet").then(
      () => undefined,
      (error: unknown) => error as { error?: { code?: string } },
    );
    contains(refused?.error, { code: "NOT_PAIRED" });
  });

  await step(`${who}: devices remove forgets it`, async () => {
    const id = need(deviceId, "paired device");
    contains((await cli.ok("devices", "remove", id, "--json")).json(), { deviceId: id });
    contains((await cli.ok("devices", "list", "--json")).json(), { paired: [] });
  });
}
