/**
 * What is asked about the mesh's gateways: no gateway exposes or stands for anything before there are configuration
 * entries that say so.
 */
import { any, CheckServiceNode, list } from "../model/index.ts";
import { discoveryHeaders, FAILED_READ } from "./answer-headers.ts";
import { jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import { queryOptions, READ_PARAMETERS, refuseNamespace, requiredTail } from "./query-options.ts";
import { reply, type Body, type Reply } from "./reply.ts";
import { defineRoute } from "./route.ts";

const INSTANCES = list(CheckServiceNode);
const GATEWAY_SERVICES = list(any());
const instancesBody = jsonBody(INSTANCES);
const gatewayServicesBody = jsonBody(GATEWAY_SERVICES);

function ingress(call: Call): Promise<Reply> {
  refuseNamespace(call);
  requiredTail(call, "Missing service name");
  return nothing(call, instancesBody([]));
}

function gatewayServices(call: Call): Promise<Reply> {
  refuseNamespace(call);
  requiredTail(call, "Missing gateway name");
  return nothing(call, gatewayServicesBody(null));
}

async function nothing(call: Call, body: Body): Promise<Reply> {
  const options = queryOptions(call);
  const { Datacenter } = options;
  call.errorHeaders = FAILED_READ;
  const leader = await call.needs.delegate.call("Status.Leader", { Datacenter });
  const meta = { Index: 1, KnownLeader: leader !== "", LastContactMs: 0 };
  return reply(body, discoveryHeaders(meta, options));
}

export const gatewayRoutes = [
  defineRoute("/v1/health/ingress/:service", "Health", {
    GET: {
      summary: "Ingress gateways that expose a service: none",
      query: READ_PARAMETERS,
      answerHeaders: "index and consistency",
      answers: {
        200: { description: "Empty", schema: INSTANCES },
        400: { description: "No service given" },
      },
      handle: ingress,
    },
  }),
  defineRoute("/v1/catalog/gateway-services/:gateway", "Catalog", {
    GET: {
      summary: "Services that a gateway stands for: none",
      query: READ_PARAMETERS,
      answerHeaders: "index and consistency",
      answers: {
        200: { description: "null", schema: GATEWAY_SERVICES },
        400: { description: "No gateway given" },
      },
      counter: "catalog_gateway_services",
      handle: gatewayServices,
    },
  }),
];
