/** What `/v1/agent/host` says of the machine, under Consul's names. What the platform does not know is 0 or empty. */
import type { Platform } from "../platform/index.ts";

const MEMORY_NAMES =
  "active inactive wired laundry buffers cached writeback dirty writebacktmp shared slab sreclaimable sunreclaim " +
  "pagetables swapcached commitlimit committedas hightotal highfree lowtotal lowfree swaptotal swapfree mapped " +
  "vmalloctotal vmallocused vmallocchunk hugepagestotal hugepagesfree hugepagesize";
const UNKNOWN_MEMORY = Object.fromEntries(MEMORY_NAMES.split(" ").map((name) => [name, 0]));

export function hostFacts({ host, clock }: Pick<Platform, "host" | "clock">) {
  const usage = host.usage();
  const { memoryTotalBytes: total, memoryFreeBytes: free } = usage;
  const used = total - free;
  const wallMs = clock.wallMs();
  return {
    Memory: {
      total,
      available: free,
      used,
      usedPercent: total === 0 ? 0 : (used / total) * 100,
      free,
      ...UNKNOWN_MEMORY,
    },
    CPU: usage.cpus.map(({ model, mhz }, cpu) => ({
      cpu,
      vendorId: "",
      family: "",
      model: "",
      stepping: 0,
      physicalId: "",
      coreId: String(cpu),
      cores: 1,
      modelName: model,
      mhz,
      cacheSize: 0,
      flags: [],
      microcode: "",
    })),
    Host: {
      hostname: host.hostname,
      uptime: usage.uptimeS,
      bootTime: Math.floor(wallMs / 1000) - usage.uptimeS,
      procs: 0,
      os: host.os,
      platform: "",
      platformFamily: "",
      platformVersion: "",
      kernelVersion: usage.kernelVersion,
      kernelArch: usage.kernelArch,
      virtualizationSystem: "",
      virtualizationRole: "",
      hostid: "",
    },
    Disk: {
      path: "/",
      fstype: "",
      total: 0,
      free: 0,
      used: 0,
      usedPercent: 0,
      inodesTotal: 0,
      inodesUsed: 0,
      inodesFree: 0,
      inodesUsedPercent: 0,
    },
    CollectionTime: Math.floor(wallMs) * 1_000_000,
    Errors: null,
  };
}
