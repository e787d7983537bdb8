export { agentFlags, type AgentFlag } from "./agent-flags.ts";
export { Flags, parseFlags, type FlagSpec, type FlagValue } from "./flags.ts";
export {
  loadConfig,
  loadDefinitions,
  validateConfig,
  type ConfigPlatform,
  type LoadOptions,
} from "./load.ts";
export type * from "./runtime.ts";
