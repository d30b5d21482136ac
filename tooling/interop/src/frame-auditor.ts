import { ProtocolSchemas } from "@openclaw/gateway-protocol/schema";
import {
  isGatewayEventFrame,
  isGatewayResponseFrame,
} from "@openclaw/gateway-protocol/frame-guards";
import { Compile } from "typebox/compile";
import type { TSchema } from "typebox";

/** A frame, or a part of one, that the published contract does not allow. */
export interface FrameViolation {
  /** The published schema that was not met. */
  readonly schema: string;
  /** Where and why, in the validator's words. */
  readonly detail: string;
  /** The frame, cut to a readable length. */
  readonly frame: string;
}

/** Holds every frame that a Gateway sends to the published contract. */
export interface FrameAuditor {
  /** To be given as `hooks.frameSent` of a Gateway. */
  readonly frameSent: (text: string) => void;
  /** Holds the result of a method to its published schema, where there is one. */
  result(method: string, payload: unknown): void;
  /** Frames seen, by event name, with `res` for responses. */
  readonly seen: ReadonlyMap<string, number>;
  readonly violations: readonly FrameViolation[];
  /** @throws {Error} naming each kind of violation once */
  assertClean(): void;
}

/** Results whose published schema is not named after the method. */
const RESULT_SCHEMAS: Readonly<Record<string, string>> = {
  "config.schema": "ConfigSchemaResponse",
  "exec.approvals.node.get": "ExecApprovalsNodeSnapshot",
  "exec.approvals.node.set": "ExecApprovalsNodeSnapshot",
};

const MAX_SHOWN_CHARS = 600;

export function createFrameAuditor(): FrameAuditor {
  const seen = new Map<string, number>();
  const violations: FrameViolation[] = [];

  function check(schema: string, value: unknown, frame: string): void {
    const validator = validatorFor(schema);
    if (!validator || validator.Check(value)) return;
    const detail = validator
      .Errors(value)
      .slice(0, 5)
      .map((error) => `${error.instancePath || "root"} ${error.message}`)
      .join("; ");
    violations.push({ schema, detail, frame: frame.slice(0, MAX_SHOWN_CHARS) });
  }

  function checkPresence(value: unknown, frame: string): void {
    if (!Array.isArray(value)) {
      violations.push({ schema: "PresenceEntry", detail: "not a list", frame });
      return;
    }
    for (const entry of value) check("PresenceEntry", entry, frame);
  }

  function frameSent(text: string): void {
    const frame: unknown = JSON.parse(text);
    const shown = text.slice(0, MAX_SHOWN_CHARS);
    if (isGatewayEventFrame(frame)) {
      count(seen, frame.event);
      check("EventFrame", frame, shown);
      check(`${schemaName(frame.event)}Event`, frame.payload, shown);
      if (frame.event === "presence") {
        checkPresence((frame.payload as { presence?: unknown } | undefined)?.presence, shown);
      }
    } else if (isGatewayResponseFrame(frame)) {
      count(seen, "res");
      check("ResponseFrame", frame, shown);
      if (isHello(frame.payload)) check("HelloOk", frame.payload, shown);
      if (frame.error) checkErrorDetails(frame.error.details, shown);
    } else {
      violations.push({
        schema: "GatewayFrame",
        detail: "neither event nor response",
        frame: shown,
      });
    }
  }

  function checkErrorDetails(details: unknown, shown: string): void {
    // The published union lists some of the codes; others have no schema.
    if (typeof details !== "object" || details === null || !("code" in details)) return;
    if (details.code === "MISSING_SCOPE") check("MissingScopeErrorDetails", details, shown);
  }

  return {
    frameSent,
    result(method, payload) {
      const shown = `${method} → ${JSON.stringify(payload)}`.slice(0, MAX_SHOWN_CHARS);
      check(RESULT_SCHEMAS[method] ?? `${schemaName(method)}Result`, payload, shown);
      if (method === "system-presence") checkPresence(payload, shown);
    },
    seen,
    violations,
    assertClean() {
      if (violations.length === 0) return;
      const kinds = new Map(violations.map((one) => [`${one.schema}: ${one.detail}`, one.frame]));
      const lines = [...kinds].map(([kind, frame]) => `- ${kind}\n  ${frame}`);
      throw new Error(`frames the published contract does not allow:\n${lines.join("\n")}`);
    },
  };
}

type Validator = ReturnType<typeof Compile>;

const validators = new Map<string, Validator | undefined>();

/** Compiled on first use: the contract holds hundreds of schemas. */
function validatorFor(schema: string): Validator | undefined {
  if (!validators.has(schema)) {
    const published = (ProtocolSchemas as Record<string, TSchema | undefined>)[schema];
    validators.set(schema, published && Compile(published));
  }
  return validators.get(schema);
}

/** `device.pair.requested` → `DevicePairRequested` */
function schemaName(name: string): string {
  return name.replaceAll(/(?:^|[.-])([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function isHello(payload: unknown): boolean {
  return (
    typeof payload === "object" &&
    payload !== null &&
    "type" in payload &&
    payload.type === "hello-ok"
  );
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
