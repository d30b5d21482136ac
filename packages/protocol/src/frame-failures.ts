import {
  atPath,
  joinFailures,
  missingProperty,
  mustBe,
  mustEqualConstant,
  tooLong,
  tooShort,
  unexpectedProperty,
} from "./failure-text.ts";

type Check = (value: unknown, path: string) => string[];

/** Why a value is no frame: the slow twin of the guards in parse-frame.ts, run only to explain. */
export function explainFrame(value: unknown): string {
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : "req";
  const check = type === "res" ? response : type === "event" ? event : request;
  return joinFailures(check(value, ""));
}

const anything: Check = () => [];

const boolean: Check = (value, path) =>
  typeof value === "boolean" ? [] : [atPath(path, mustBe("boolean"))];

const count: Check = (value, path) => {
  const failures: string[] = [];
  if (!Number.isInteger(value)) failures.push(atPath(path, mustBe("integer")));
  if (typeof value === "number" && value < 0) failures.push(atPath(path, mustBe(">= 0")));
  return failures;
};

function constant(expected: string): Check {
  return (value, path) => (value === expected ? [] : [atPath(path, mustEqualConstant)]);
}

function text(minimum = 1, maximum = Infinity): Check {
  return (value, path) => {
    if (typeof value !== "string") return [atPath(path, mustBe("string"))];
    if (value.length < minimum) return [atPath(path, tooShort(minimum, "characters"))];
    return value.length > maximum ? [atPath(path, tooLong(maximum, "characters"))] : [];
  };
}

function closedObject(required: readonly string[], properties: Record<string, Check>): Check {
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return [atPath(path, mustBe("object"))];
    }
    const failures: string[] = [];
    const missing = required.find((name) => !Object.hasOwn(value, name));
    if (missing !== undefined) failures.push(missingProperty(path, missing));
    const unexpected = Object.keys(value).find((name) => !Object.hasOwn(properties, name));
    if (unexpected !== undefined) failures.push(unexpectedProperty(path, unexpected));
    for (const [name, check] of Object.entries(properties)) {
      if (!Object.hasOwn(value, name)) continue;
      failures.push(...check(value[name as keyof typeof value], `${path}/${name}`));
    }
    return failures;
  };
}

const request = closedObject(["type", "id", "method"], {
  type: constant("req"),
  id: text(),
  method: text(),
  params: anything,
  traceparent: text(0, 128),
  expectedProfileId: text(1, 128),
});

const response = closedObject(["type", "id", "ok"], {
  type: constant("res"),
  id: text(),
  ok: boolean,
  payload: anything,
  error: closedObject(["code", "message"], {
    code: text(),
    message: text(),
    details: anything,
    retryable: boolean,
    retryAfterMs: count,
  }),
});

const event = closedObject(["type", "event"], {
  type: constant("event"),
  event: text(),
  payload: anything,
  seq: count,
  stateVersion: closedObject(["presence", "health"], { presence: count, health: count }),
  recipientProfileId: text(),
});
