/** Every endpoint there is. */
import { agentCheckRoutes } from "./agent-check-routes.ts";
import { agentHealthRoutes } from "./agent-health-routes.ts";
import { agentRoutes } from "./agent-routes.ts";
import { agentServiceRoutes } from "./agent-service-routes.ts";
import { catalogRoutes } from "./catalog.ts";
import { healthRoutes } from "./health.ts";
import { kvRoutes } from "./kv.ts";
import { openApiRoute } from "./openapi.ts";
import type { Route } from "./route.ts";
import { sessionRoutes } from "./session.ts";
import { statusRoutes } from "./status.ts";
import { txnRoutes } from "./txn.ts";

const API_ROUTES: readonly Route[] = [
  ...agentRoutes,
  ...agentServiceRoutes,
  ...agentCheckRoutes,
  ...agentHealthRoutes,
  ...catalogRoutes,
  ...healthRoutes,
  ...kvRoutes,
  ...sessionRoutes,
  ...statusRoutes,
  ...txnRoutes,
];

export const ROUTES: readonly Route[] = [...API_ROUTES, openApiRoute(API_ROUTES)];
