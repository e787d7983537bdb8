export { startHttpServer } from "./server.ts";
export type { HttpServer } from "./server.ts";
export type { HttpNeeds, LocalAgent, LocalService, Member } from "./needs.ts";
