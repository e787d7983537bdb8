/** The machine, in Go's names for its system and processor. */
import {
  arch,
  availableParallelism,
  cpus,
  freemem,
  hostname,
  machine,
  platform,
  release,
  totalmem,
  uptime,
} from "node:os";
import type { Host, HostUsage } from "../platform.ts";

const GO_OS: Readonly<Record<string, string>> = { win32: "windows", sunos: "solaris" };
const GO_ARCH: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };

function usage(): HostUsage {
  const { heapUsed, rss } = process.memoryUsage();
  return {
    uptimeS: Math.floor(uptime()),
    kernelVersion: release(),
    kernelArch: machine(),
    memoryTotalBytes: totalmem(),
    memoryFreeBytes: freemem(),
    cpus: cpus().map(({ model, speed }) => ({ model, mhz: speed })),
    heapUsedBytes: heapUsed,
    residentBytes: rss,
  };
}

export function nodeHost(): Host {
  return {
    hostname: hostname(),
    pid: process.pid,
    os: GO_OS[platform()] ?? platform(),
    arch: GO_ARCH[arch()] ?? arch(),
    cpuCount: availableParallelism(),
    usage,
    env: (name) => process.env[name],
    zoneOffsetMinutes: (wallMs) => -new Date(wallMs).getTimezoneOffset(),
  };
}
