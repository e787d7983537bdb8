export { agentFlags, type AgentFlag } from "./agent-flags.ts";
export { Flags, parseFlags, type FlagSpec, type FlagValue } from "./flags.ts";
export { parseHcl } from "./hcl-parse.ts";
export {
  loadConfig,
  loadDefinitions,
  validateConfig,
  type ConfigPlatform,
  type LoadOptions,
} from "./load.ts";
export type * from "./runtime.ts";
export { toPlain, type Plain, type PlainMap } from "./value.ts";
