import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { splitHostPort } from "./host-port.ts";

test.each([
  ["1.2.3.4:80", "1.2.3.4", "80"],
  ["[::1]:5", "::1", "5"],
  [":80", "", "80"],
  ["host:", "host", ""],
])("%s", (text, host, port) => {
  expect(splitHostPort(text)).toEqual({ host, port });
});

// The words of Go's net.SplitHostPort.
test.each([
  ["1.2.3.4", "address 1.2.3.4: missing port in address"],
  ["::1", "address ::1: too many colons in address"],
  ["[::1]", "address [::1]: missing port in address"],
  ["[::1", "address [::1: missing ']' in address"],
  ["[::1]80", "address [::1]80: missing port in address"],
  ["[::1]::80", "address [::1]::80: too many colons in address"],
  ["a[b:80", "address a[b:80: unexpected '[' in address"],
  ["a]b:80", "address a]b:80: unexpected ']' in address"],
])("%s is refused", (text, message) => {
  expect(() => splitHostPort(text)).toThrow(new RollcallError("request/bad", message));
});

test("any text is split or refused", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", ":", "[", "]", "1")), (parts) => {
      try {
        const { host, port } = splitHostPort(parts.join(""));
        expect(parts.join("").replace(/[[\]]/g, "")).toBe(`${host}:${port}`);
      } catch (error) {
        expect(error).toBeInstanceOf(RollcallError);
      }
    }),
  );
});
