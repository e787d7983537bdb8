export { startAgent } from "./agent.ts";
export type { Agent, AgentNeeds } from "./agent.ts";
