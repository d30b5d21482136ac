/**
 * Bad handshakes against one Gateway, as fast as it answers them: wrong secrets, signatures that do
 * not fit, first frames that are none. Arguments: the address, how many, how many at once.
 */
import { createTestIdentity, createRawPeer } from "@openclaw/testkit";

const [url = "", count = "10000", atOnce = "50"] = process.argv.slice(2);

const identity = createTestIdentity();
const stranger = createTestIdentity();
/** Each is one way to fail, and waits until the Gateway has answered. */
const kinds = [
  async () => {
    await using peer = await createRawPeer(url);
    await peer.connect({ token: "a wrong one", identity: false });
  },
  async () => {
    await using peer = await createRawPeer(url);
    await peer.connect({
      token: "a wrong one",
      identity,
      mutate: (params) => ({
        ...params,
        device: { ...(params["device"] as object), publicKey: stranger.publicKey },
      }),
    });
  },
  async () => {
    await using peer = await createRawPeer(url);
    peer.send("no frame");
    await peer.closed;
  },
];

let left = Number(count);
let refusedAtTheDoor = 0;
async function worker(): Promise<void> {
  while (left > 0) {
    left -= 1;
    // Turned away before the handshake is what most of them may expect.
    await kinds[left % kinds.length]?.().catch(() => (refusedAtTheDoor += 1));
  }
}
const startedAt = performance.now();
console.log("begun");
await Promise.all(Array.from({ length: Number(atOnce) }, worker));
const seconds = (performance.now() - startedAt) / 1_000;
console.log(`done ${seconds.toFixed(3)} ${refusedAtTheDoor}`);
