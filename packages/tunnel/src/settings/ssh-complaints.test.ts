import { expect, test } from "vitest";
import { configError } from "./ssh-complaints.ts";

test("file and line are read out of the first complaint", () => {
  const stderr = [
    "/home/me/.ssh/config: line 3: Bad configuration option: foo",
    "/home/me/.ssh/config line 9: Bad port '0'.",
    "/home/me/.ssh/config: terminating, 2 bad configuration options",
  ].join("\r\n");
  const error = configError(stderr, 255);
  expect(error.code).toBe("INVALID_SSH_CONFIG");
  expect(error.details).toEqual({ file: "/home/me/.ssh/config", line: 3 });
  expect(error.message).toContain("/home/me/.ssh/config, line 3: Bad configuration option: foo.");
  expect(error.final).toBe(true);
});

test("a reason in the line before is part of it", () => {
  const stderr = "Unsupported Match attribute foo\n/c line 3: Bad Match condition\n";
  expect(configError(stderr, 255).message).toContain(
    "Unsupported Match attribute foo: Bad Match condition.",
  );
});

test.each([
  ["Bad owner or permissions on /home/me/.ssh/config", "/home/me/.ssh/config"],
  ["Can't open user config file /none: No such file or directory", "/none"],
])("%j names its file", (stderr, file) => {
  expect(configError(stderr, 255).details).toEqual({ file });
});

test("what ssh always says is left out, and control characters too", () => {
  const error = configError(
    "Pseudo-terminal will not be allocated because stdin is not a terminal.\njumphost loop via \u001B[31ma\n",
    255,
  );
  expect(error.message).toBe("the ssh configuration is wrong: jumphost loop via [31ma.");
});

test("a user name that ssh refuses is a fault of the target", () => {
  expect(configError("remote username contains invalid characters\n", 255).code).toBe(
    "INVALID_TARGET",
  );
});

test("silence is an error as well", () => {
  expect(configError("", 3).message).toContain("ssh ended with 3");
  expect(configError("", null).message).toContain("ssh ended with a signal");
});
