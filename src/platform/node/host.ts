/** The machine, in Go's names for its system and processor. */
import { arch, availableParallelism, hostname, platform } from "node:os";
import type { Host } from "../platform.ts";

const GO_OS: Readonly<Record<string, string>> = { win32: "windows", sunos: "solaris" };
const GO_ARCH: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };

export function nodeHost(): Host {
  return {
    hostname: hostname(),
    pid: process.pid,
    os: GO_OS[platform()] ?? platform(),
    arch: GO_ARCH[arch()] ?? arch(),
    cpuCount: availableParallelism(),
    env: (name) => process.env[name],
    zoneOffsetMinutes: (wallMs) => -new Date(wallMs).getTimezoneOffset(),
  };
}
