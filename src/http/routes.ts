/** Every endpoint there is. */
import { aclRoutes } from "./acl-disabled.ts";
import { agentCheckRoutes } from "./agent-check-routes.ts";
import { agentClusterRoutes } from "./agent-cluster-routes.ts";
import { agentHealthRoutes } from "./agent-health-routes.ts";
import { agentMetricsRoutes } from "./agent-metrics.ts";
import { agentMonitorRoutes } from "./agent-monitor.ts";
import { agentRoutes } from "./agent-routes.ts";
import { agentServiceRoutes } from "./agent-service-routes.ts";
import { catalogRoutes } from "./catalog.ts";
import { coordinateRoutes } from "./coordinate.ts";
import { eventRoutes } from "./event.ts";
import { federationRoutes } from "./federation-states.ts";
import { gatewayRoutes } from "./gateways.ts";
import { healthRoutes } from "./health.ts";
import { keyringRoutes } from "./keyring.ts";
import { kvRoutes } from "./kv.ts";
import { meshRoutes } from "./mesh-disabled.ts";
import { openApiRoute } from "./openapi.ts";
import { operatorRoutes } from "./operator.ts";
import { queryRoutes } from "./query.ts";
import type { Route } from "./route.ts";
import { sessionRoutes } from "./session.ts";
import { snapshotRoutes } from "./snapshot.ts";
import { statusRoutes } from "./status.ts";
import { txnRoutes } from "./txn.ts";
import { uiRoutes } from "./ui.ts";

const API_ROUTES: readonly Route[] = [
  ...agentRoutes,
  ...agentServiceRoutes,
  ...agentCheckRoutes,
  ...agentHealthRoutes,
  ...agentClusterRoutes,
  ...agentMonitorRoutes,
  ...agentMetricsRoutes,
  ...catalogRoutes,
  ...healthRoutes,
  ...gatewayRoutes,
  ...eventRoutes,
  ...kvRoutes,
  ...queryRoutes,
  ...sessionRoutes,
  ...statusRoutes,
  ...txnRoutes,
  ...coordinateRoutes,
  ...operatorRoutes,
  ...keyringRoutes,
  ...uiRoutes,
  ...aclRoutes,
  ...meshRoutes,
  ...federationRoutes,
  ...snapshotRoutes,
];

export const ROUTES: readonly Route[] = [...API_ROUTES, openApiRoute(API_ROUTES)];
