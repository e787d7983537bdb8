/**
 * What `platform.ts` promises, held against a platform: both the real and the simulated one pass this suite,
 * with the same expectations. Who writes a third calls it too.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clockConformance } from "./conformance/clock.ts";
import { diskConformance } from "./conformance/disk.ts";
import { networkConformance } from "./conformance/network.ts";
import { processesConformance } from "./conformance/processes.ts";
import { randomConformance } from "./conformance/random.ts";
import type { Subject } from "./conformance/subject.ts";

export type { Programs, Subject } from "./conformance/subject.ts";

export function platformConformance(name: string, make: () => Promise<Subject>): void {
  describe(`${name} platform`, () => {
    let subject: Subject;
    beforeEach(async () => {
      subject = await make();
    });
    afterEach(() => subject[Symbol.asyncDispose]());

    clockConformance(() => subject);
    randomConformance(() => subject);
    networkConformance(() => subject);
    diskConformance(() => subject);
    processesConformance(() => subject);

    test("host: is described in Go's names", () => {
      const { host } = subject.platform;
      expect(host.hostname).not.toBe("");
      expect(host.os).toMatch(/^(linux|darwin|windows|freebsd)$/);
      expect(host.arch).toMatch(/^(amd64|arm64|386|arm)$/);
      const usage = host.usage();
      expect(usage.memoryTotalBytes).toBeGreaterThanOrEqual(usage.memoryFreeBytes);
      expect(usage.residentBytes).toBeGreaterThan(0);
      expect(usage.cpus.length).toBeGreaterThan(0);
      expect(host.cpuCount).toBeGreaterThan(0);
      expect(host.env("ROLLCALL_NO_SUCH_VARIABLE")).toBeUndefined();
      expect(Math.abs(host.zoneOffsetMinutes(1_767_225_600_000))).toBeLessThanOrEqual(14 * 60);
    });
  });
}
