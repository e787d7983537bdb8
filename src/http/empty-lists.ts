/**
 * Lists that the catalog holds as null and HTTP shows as `[]`: tags, and an instance's checks. Records that need no
 * change are passed on as they are.
 */
import type {
  CheckServiceNode,
  HealthCheck,
  NodeInfo,
  NodeService,
  ServiceNode,
} from "../model/index.ts";

const NONE: readonly never[] = [];
const NO_META: Readonly<Record<string, string>> = {};

export function shownCheck(check: HealthCheck): HealthCheck {
  return check.ServiceTags === null ? { ...check, ServiceTags: NONE } : check;
}
export function shownService(service: NodeService): NodeService {
  return service.Tags === null ? { ...service, Tags: NONE } : service;
}
export function shownServiceNode(instance: ServiceNode): ServiceNode {
  const { ServiceTags, ServiceMeta } = instance;
  if (ServiceTags !== null && ServiceMeta !== null) return instance;
  return { ...instance, ServiceTags: ServiceTags ?? NONE, ServiceMeta: ServiceMeta ?? NO_META };
}
export function shownInstance({ Node, Service, Checks }: CheckServiceNode): CheckServiceNode {
  return { Node, Service: shownService(Service), Checks: (Checks ?? NONE).map(shownCheck) };
}
/** @param node as servers of another make send it, where it may have null for nothing */
export function shownNode(node: NodeInfo): NodeInfo {
  const { Services, Checks } = node;
  if (Services !== null && Checks !== null) return node;
  return { ...node, Services: Services ?? NONE, Checks: Checks ?? NONE };
}
