import * as fc from "fast-check";
import { expect, test } from "vitest";
import { OutputTail } from "./output-tail.ts";

test("keeps the last bytes of everything, however it came in", () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 20 });
  fc.assert(
    fc.property(chunks, fc.nat({ max: 60 }), (pushed, maxBytes) => {
      const tail = new OutputTail(maxBytes);
      for (const chunk of pushed) tail.push(chunk);
      const all = Buffer.concat(pushed);
      expect([...tail.bytes()]).toEqual([...all.subarray(Math.max(0, all.length - maxBytes))]);
      expect(tail.totalBytes).toBe(all.length);
    }),
  );
});
