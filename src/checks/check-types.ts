/**
 * How each type of check is run, one row each: a new type is a file and a row here, beside its name and what
 * selects it in the model.
 */
import { checkTypeOf, type CheckType } from "../model/index.ts";
import { startAlias } from "./alias.ts";
import type { CheckContext, RunningCheck, StartCheck } from "./check-runner.ts";
import { startDocker } from "./docker.ts";
import { startGrpc } from "./grpc.ts";
import { startH2ping } from "./h2ping.ts";
import { startHttp } from "./http.ts";
import { startOsService } from "./os-service.ts";
import { startScript } from "./script.ts";
import { startTcp } from "./tcp.ts";
import { startTtl } from "./ttl.ts";
import { startUdp } from "./udp.ts";

const START: Readonly<Record<CheckType, StartCheck>> = {
  alias: startAlias,
  docker: startDocker,
  grpc: startGrpc,
  h2ping: startH2ping,
  http: startHttp,
  os_service: startOsService,
  script: startScript,
  tcp: startTcp,
  ttl: startTtl,
  udp: startUdp,
};

/** @throws {Error} for a definition without a type, which validation refuses */
export function startCheck(context: CheckContext): RunningCheck {
  const type = checkTypeOf(context.definition);
  if (type === undefined) throw new Error(`check ${context.checkId} has no type`);
  return START[type](context);
}
