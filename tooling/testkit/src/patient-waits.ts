import { vi } from "vitest";

/** A busy machine is not a failure: what is waited for may take its time, and costs none when it comes. */
const PATIENCE_MS = 10_000;

const { waitFor } = vi;

vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === "number" ? options : { timeout: PATIENCE_MS, ...options });
