import { expect, test } from "vitest";
import { readWire, wireMpint, wireString, wireStrings, wireUint32 } from "./wire-format.ts";

test("what is written is read back", () => {
  const data = Buffer.concat([
    Buffer.of(7),
    wireUint32(0xff_ff_ff_fe),
    Buffer.from("ffffffffffffffff", "hex"),
    wireStrings("grüße", Buffer.of(0, 255)),
  ]);
  const reader = readWire(data);

  expect(reader.byte()).toBe(7);
  expect(reader.uint32()).toBe(0xff_ff_ff_fe);
  expect(reader.uint64()).toBe(2n ** 64n - 1n);
  expect(reader.text()).toBe("grüße");
  expect(reader.isAtEnd).toBe(false);
  expect(reader.string()).toEqual(Buffer.of(0, 255));
  expect(reader.isAtEnd).toBe(true);
});

test("data that ends too early is refused, wherever it ends", () => {
  const whole = wireString("ssh-ed25519");

  for (let length = 0; length < whole.length; length += 1) {
    expect(() => readWire(whole.subarray(0, length)).string()).toThrow(RangeError);
  }
  expect(() => readWire(Buffer.from("ffffffff61", "hex")).string()).toThrow("ends too early");
});

test.each([
  // The examples of RFC 4251 section 5, as far as they are not negative.
  ["0", "00000000"],
  ["9a378f9b2e332a7", "0000000809a378f9b2e332a7"],
  ["80", "000000020080"],
  ["000080", "000000020080"],
])("the number %s has its shortest form", (hex, expected) => {
  const magnitude = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");

  expect(wireMpint(magnitude).toString("hex")).toBe(expected);
});
