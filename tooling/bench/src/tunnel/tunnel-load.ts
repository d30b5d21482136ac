import { connect } from "node:net";
import { quantile } from "../statistics.ts";

const CHUNK = Buffer.alloc(64 * 1024, 7);
const MESSAGE = Buffer.alloc(1024, 1);

/** MB/s to the sink; checks that all of it arrived. */
export async function push(port: number, bytes: number, streams: number): Promise<number> {
  return rate(bytes, streams, (share) => pushOne(port, share));
}

/** MB/s from the source. */
export async function pull(port: number, bytes: number, streams: number): Promise<number> {
  return rate(bytes, streams, (share) => pullOne(port, share));
}

async function rate(
  bytes: number,
  streams: number,
  one: (share: number) => Promise<void>,
): Promise<number> {
  const share = Math.ceil(bytes / streams);
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: streams }, () => one(share)));
  return (share * streams) / (performance.now() - startedAt) / 1e3;
}

function pushOne(port: number, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    let left = bytes;
    let answer = "";
    const more = (): void => {
      while (left > 0) {
        const data = left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left);
        left -= data.length;
        if (!socket.write(data)) return;
      }
      socket.end();
    };
    socket.on("data", (data) => void (answer += data.toString()));
    socket.on("drain", more);
    socket.on("error", reject);
    socket.on("end", () => {
      if (Number(answer) === bytes) resolve();
      else reject(new Error(`${answer} of ${bytes} bytes arrived`));
    });
    more();
  });
}

function pullOne(port: number, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const request = Buffer.alloc(8);
    request.writeBigUInt64BE(BigInt(bytes));
    let received = 0;
    socket.write(request);
    socket.on("data", (data) => void (received += data.length));
    socket.on("error", reject);
    socket.on("end", () => {
      if (received === bytes) resolve();
      else reject(new Error(`${received} of ${bytes} bytes arrived`));
    });
  });
}

/** One message of 1 KB back and forth again and again; µs. */
export async function echo(port: number, count: number): Promise<{ p50: number; p99: number }> {
  const times: number[] = [];
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let received = 0;
    let sentAt = 0;
    const send = (): void => {
      sentAt = performance.now();
      socket.write(MESSAGE);
    };
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("data", (data) => {
      received += data.length;
      if (received < MESSAGE.length) return;
      received = 0;
      times.push((performance.now() - sentAt) * 1e3);
      if (times.length < count) return send();
      socket.destroy();
      resolve();
    });
  });
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

/** Connections a second, each of which carries one byte there and back; so many at once. */
export async function opens(port: number, atOnce: number, forMs: number): Promise<number> {
  let count = 0;
  const startedAt = performance.now();
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      socket.on("connect", () => socket.write("x"));
      socket.on("error", reject);
      socket.on("data", () => {
        count += 1;
        socket.destroy();
        resolve();
      });
    });
  const worker = async (): Promise<void> => {
    while (performance.now() - startedAt < forMs) await one();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return (count / (performance.now() - startedAt)) * 1e3;
}
