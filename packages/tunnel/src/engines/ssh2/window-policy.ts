/**
 * Largest number of bytes that the far side may send ahead of a reader: RFC 4254 calls it the window.
 * OpenSSH has the same, and it caps a channel at 2 MiB for each round trip.
 */
export const CHANNEL_WINDOW_BYTES = 2 * 1024 * 1024;

/** Decides how far ahead of its reader the far side may send on each channel of one connection. */
export interface WindowPolicy {
  /** A channel is asked for. Returns the window that it begins with. */
  begin(channel: number): number;
  /** The far side has agreed to the channel. */
  confirmed(channel: number): void;
  /**
   * Of a channel of `windowBytes` so many were read. Returns how large its window is from now on: at
   * least what was not read, since what was granted cannot be taken back.
   */
  resize(channel: number, windowBytes: number, readBytes: number): number;
  end(channel: number): void;
}

/** Each channel has {@link CHANNEL_WINDOW_BYTES}, whatever the others do. */
export const fullWindows: WindowPolicy = {
  begin: () => CHANNEL_WINDOW_BYTES,
  confirmed() {},
  resize: () => CHANNEL_WINDOW_BYTES,
  end() {},
};
