/**
 * One packet in, one packet out: the whole of DNS without its sockets.
 *
 * Whatever the bytes, the result is a well-formed reply or silence; a failure behind it is SERVFAIL and a log
 * line, at most one a second, because what fails here fails for every query.
 */
import type { RuntimeConfig } from "../config/index.ts";
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Clock, Instant, Logger, Random } from "../platform/index.ts";
import type { Delegate } from "../rpc/index.ts";
import { compileReply, type CompiledReply } from "./compile.ts";
import { createDraw, type Draw } from "./draw.ts";
import { decodeQuery, type Query } from "./message-decode.ts";
import { echoOf, encodeRefusal, MessageEncoder, type Echo } from "./message-encode.ts";
import { QueryCache } from "./query-cache.ts";
import { QUESTION_OFFSET, RECORD_TYPES } from "./records.ts";
import { reply } from "./reply.ts";
import { askedOf, Resolver, type Asked } from "./resolver.ts";
import { servedBy, type Served } from "./served.ts";
import { limitsOf, selectAnswers, type Limits, type Transport } from "./truncate.ts";

export interface HandlerNeeds {
  readonly config: () => RuntimeConfig;
  readonly delegate: Delegate;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Handles one message. On TCP the reply has its length in front.
 * @returns undefined when nothing may be sent
 */
export type Handle = (
  message: Uint8Array,
  transport: Transport,
) => Uint8Array | undefined | Promise<Uint8Array>;

/** A query with everything that can be known before the catalog is asked. */
interface Prepared {
  readonly query: Query;
  readonly echo: Echo;
  readonly asked: Asked;
  readonly fixedBytes: number;
  readonly limits: Readonly<Record<Transport, Limits>>;
}

const FAILURE_LOG_INTERVAL_MS = 1000;
const SERVER_FAILURE: CompiledReply = compileReply(reply({ rcode: "SERVFAIL" }), undefined);

export function createHandler({ config, delegate, clock, random, logger }: HandlerNeeds): Handle {
  const draw = createDraw(random);
  const resolver = new Resolver(delegate, clock, draw);
  const encoder = new MessageEncoder();
  const cache = new QueryCache<Prepared>();
  const reportFailure = failureReporter(clock, logger);
  let served = servedBy(config());

  const current = (): Served => {
    const now = config();
    if (now !== served.config) {
      served = servedBy(now);
      cache.clear();
    }
    return served;
  };

  const answer = async (
    id: number,
    prepared: Prepared,
    transport: Transport,
    by: Served,
  ): Promise<Uint8Array> => {
    let compiled = SERVER_FAILURE;
    try {
      compiled = await resolver.resolve(prepared.asked, by);
    } catch (error) {
      reportFailure(error);
    }
    return finish(encoder, id, prepared, compiled, transport, by, draw);
  };

  return (message, transport) => {
    const by = current();
    let prepared = cache.get(message);
    if (prepared === undefined) {
      const decoded = decodeQuery(message);
      if (decoded.kind === "silence") return undefined;
      if (decoded.kind === "refusal") return encodeRefusal(decoded.refusal, transport);
      prepared = prepare(decoded.query, by);
      cache.set(message, prepared);
    }
    const id = ((message[0] ?? 0) << 8) | (message[1] ?? 0);
    if (prepared.asked.lookup.kind === "foreign") {
      const { kept, question } = prepared.query;
      return encodeRefusal({ id, kept, rcode: "REFUSED", question }, transport);
    }
    return answer(id, prepared, transport, by);
  };
}

function finish(
  encoder: MessageEncoder,
  id: number,
  { echo, fixedBytes, limits }: Prepared,
  compiled: CompiledReply,
  transport: Transport,
  { config }: Served,
  draw: Draw,
): Uint8Array {
  const limit = limits[transport];
  const selection = selectAnswers(compiled, limit, fixedBytes, draw);
  return encoder.encode(id, echo, compiled, {
    transport,
    selection,
    truncated: selection.cut && config.dns.enableTruncate,
    sizeMaxBytes: limit.sizeMaxBytes,
  });
}

function prepare(query: Query, by: Served): Prepared {
  const { question, edns } = query;
  const echo = echoOf(query);
  const { udpAnswerLimit, disableCompression } = by.config.dns;
  const shared = {
    ednsUdpSizeBytes: edns?.udpSizeBytes,
    optSizeBytes: echo.opt?.length ?? 0,
    udpAnswerLimit,
    compressed: !disableCompression,
    isSrv: question.type === RECORD_TYPES.SRV.code,
  };
  return {
    query,
    echo,
    asked: askedOf(question.name, question.type, by),
    fixedBytes: QUESTION_OFFSET + echo.question.length,
    limits: {
      udp: limitsOf({ ...shared, transport: "udp" }),
      tcp: limitsOf({ ...shared, transport: "tcp" }),
    },
  };
}

function failureReporter(clock: Clock, logger: Logger): (error: unknown) => void {
  let lastAt: Instant | undefined;
  let unreported = 0;
  return (error) => {
    const now = clock.now();
    if (lastAt !== undefined && now - lastAt < FAILURE_LOG_INTERVAL_MS) {
      unreported++;
      return;
    }
    const known = error instanceof RollcallError;
    const stack = !known && error instanceof Error ? { stack: error.stack } : {};
    const more = unreported > 0 ? { unreported } : {};
    logger.error("rpc error", { error: messageOf(error), ...more, ...stack });
    lastAt = now;
    unreported = 0;
  };
}
