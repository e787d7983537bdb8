/** Names of rows in the index table, as Consul's snapshots have them (wire/fsm.md section 5). */
import { fold } from "./keys.ts";

export const row = {
  nodes: "nodes",
  services: "services",
  checks: "checks",
  sessions: "sessions",
  kvs: "kvs",
  tombstones: "tombstones",
  autopilot: "autopilot-config",
  coordinates: "coordinates",
  aclBootstrap: "acl-token-bootstrap",
  preparedQueries: "prepared-queries",
  extinction: "service_last_extinction",
  service: (name: string): string => `service.${fold(name)}`,
  serviceKind: (kind: string): string => `service_kind.${kind === "" ? "typical" : kind}`,
};
