/** Records as the catalog and health endpoints show them: lists of tags are never null there. */
import type { HealthCheck, NodeService } from "../model/index.ts";

const NO_TAGS: readonly string[] = [];

export const shownService = (service: NodeService): NodeService =>
  service.Tags === null ? { ...service, Tags: NO_TAGS } : service;

export const shownCheck = (check: HealthCheck): HealthCheck =>
  check.ServiceTags === null ? { ...check, ServiceTags: NO_TAGS } : check;
