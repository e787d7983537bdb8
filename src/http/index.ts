export { startHttpServer } from "./server.ts";
export type { HttpServer } from "./server.ts";
export type {
  HttpNeeds,
  KeyringAnswer,
  KeyringRequest,
  LocalAgent,
  LocalService,
  Member,
} from "./needs.ts";
