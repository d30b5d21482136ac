import { expect, test } from "vitest";
import { neighbourWarnings } from "./neighbours.ts";

const other = { stateDir: "/home/me/.openclaw-work", pid: 7, port: 18_789 };

test.each([
  [18_790, 1],
  [18_770, 1],
  [18_808, 1],
  [18_809, 0],
  [18_769, 0],
  [19_001, 0],
  // The same port is refused anyway, and says who has it.
  [18_789, 0],
])("port %i beside a Gateway on 18789 gets %i warnings", (port, count) => {
  expect(neighbourWarnings(port, [other])).toHaveLength(count);
});

test("the warning names the other Gateway and a port that is far enough", () => {
  expect(neighbourWarnings(18_790, [other])).toEqual([
    "the Gateway with the state in /home/me/.openclaw-work has port 18789, less than 20 from 18790: give one of them another gateway.port, for example 18889",
  ]);
});
