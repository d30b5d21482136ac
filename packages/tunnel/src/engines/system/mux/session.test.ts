import { expect, onTestFinished, test, vi } from "vitest";
import type { ChannelLink, SessionEvents } from "./channel-link.ts";
import { encodeMessage, type Field, MESSAGE, readMessage } from "./messages.ts";
import { askFarSide, runRemoteCommand } from "./session.ts";

interface FakeLink {
  readonly link: ChannelLink;
  readonly sent: [type: number, ...fields: Field[]][];
  readonly forgotten: number[];
  /** The far side agrees to the session, as its channel 9. */
  confirm(): void;
  events(): SessionEvents;
}

function fakeLink(): FakeLink {
  let current: SessionEvents | undefined;
  const sent: [number, ...Field[]][] = [];
  const forgotten: number[] = [];
  const events = (): SessionEvents => {
    if (current === undefined) throw new Error("no session was opened");
    return current;
  };
  const link = {
    openSession(_window: number, _packetBytes: number, given: SessionEvents) {
      current = given;
      return 4;
    },
    send: (type: number, ...fields: Field[]) => void sent.push([type, ...fields]),
    forget: (channel: number) => void forgotten.push(channel),
  } as unknown as ChannelLink;
  return {
    ...{ link, sent, forgotten, events },
    confirm: () => events().opened({ recipient: 4, sender: 9, window: 1000, packetSize: 1000 }),
  };
}

const never = new Promise<never>(() => {});

test("a command that is given up is told to end, and its channel is closed", async () => {
  const { link, sent, confirm } = fakeLink();
  const controller = new AbortController();
  const running = runRemoteCommand(link, never, "sleep 60", { signal: controller.signal });
  confirm();
  controller.abort(new Error("enough"));
  await expect(running).rejects.toThrow("enough");
  expect(sent).toEqual([
    [MESSAGE.channelRequest, 9, "exec", true, "sleep 60"],
    [MESSAGE.channelRequest, 9, "signal", false, "TERM"],
    [MESSAGE.channelClose, 9],
  ]);
});

test("a command whose time is over before its session is open never runs", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { link, sent, forgotten, confirm, events } = fakeLink();
  const running = runRemoteCommand(link, never, "true", { timeoutMs: 100 });
  const failure = running.catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(100);
  expect(await failure).toMatchObject({ code: "TIMED_OUT" });
  confirm();
  expect(sent).toEqual([[MESSAGE.channelClose, 9]]);
  expect(forgotten).toEqual([]);
  events().closed();
  expect(forgotten).toEqual([4]);
});

test("a command is read without end, and what is beyond the limit is dropped", async () => {
  const { link, sent, confirm, events } = fakeLink();
  const running = runRemoteCommand(link, never, "yes", { maxOutputBytes: 10 });
  confirm();
  events().answered(true);
  for (let count = 0; count < 20; count += 1) events().data(Buffer.alloc(100_000, "y"), "stdout");
  events().closed();
  expect(await running).toMatchObject({ stdout: "y".repeat(10), exitCode: null, signal: null });
  const granted = sent.filter(([type]) => type === MESSAGE.channelWindowAdjust);
  expect(granted.reduce((sum, [, , bytes]) => sum + Number(bytes), 0)).toBeGreaterThan(1_000_000);
});

test.each([true, false])("any answer is a sign of life (agreed: %s)", async (isAgreed) => {
  const { link, sent, confirm, events } = fakeLink();
  const asked = askFarSide(link);
  if (isAgreed) confirm();
  else events().refused(1, "no sessions here");
  await asked;
  expect(sent).toEqual(isAgreed ? [[MESSAGE.channelClose, 9]] : []);
});

test("a message is read as it was written, and one that is cut off throws", () => {
  const message = encodeMessage(MESSAGE.channelRequest, 7, "exec", true, Buffer.from("ls"));
  expect(message.readUInt32BE(0)).toBe(message.length - 4);
  const reader = readMessage(message.subarray(4));
  expect(reader.type).toBe(MESSAGE.channelRequest);
  expect([reader.number(), reader.text(), reader.flag(), reader.text()]).toEqual([
    7,
    "exec",
    true,
    "ls",
  ]);
  expect(() => reader.number()).toThrow(RangeError);
  const short = readMessage(message.subarray(4, 12));
  short.number();
  expect(() => short.text()).toThrow(RangeError);
});
