/**
 * One packet in, one packet out: the whole of DNS without its sockets.
 *
 * Whatever the bytes, the result is a well-formed reply or silence; a failure behind it is SERVFAIL and a log
 * line, at most one a second, because what fails here fails for every query.
 */
import type { RuntimeConfig } from "../config/index.ts";
import { messageOf } from "../errors/index.ts";
import type { Clock, Logger, Random } from "../platform/index.ts";
import type { Delegate } from "../rpc/index.ts";
import { addressOfSubnet } from "./client-subnet.ts";
import { compileReply, type CompiledReply } from "./compile.ts";
import { createDraw, type Draw } from "./draw.ts";
import { failureReporter } from "./failure-log.ts";
import { decodeQuery, type Query } from "./message-decode.ts";
import { echoOf, encodeRefusal, framed, MessageEncoder, type Echo } from "./message-encode.ts";
import { QueryCache } from "./query-cache.ts";
import { QUESTION_OFFSET, RECORD_TYPES } from "./records.ts";
import type { Recursors } from "./recursors.ts";
import { reply, UNANSWERED } from "./reply.ts";
import { askedOf, Resolver, type Asked, type Resolved } from "./resolver.ts";
import { servedBy, type Served } from "./served.ts";
import { limitsOf, selectAnswers, type Limits, type Transport } from "./truncate.ts";

export interface HandlerNeeds {
  readonly config: () => RuntimeConfig;
  readonly delegate: Delegate;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly recursors: Recursors;
}

/**
 * Handles one message. On TCP the reply has its length in front.
 * @param client IP address of who sent it, where that is known
 * @returns undefined when nothing may be sent
 */
export type Handle = (
  message: Uint8Array,
  transport: Transport,
  client?: string,
) => Uint8Array | undefined | Promise<Uint8Array>;

/** A query as it came, and the configuration that it came upon. */
interface Asking {
  readonly message: Uint8Array;
  readonly transport: Transport;
  readonly client: string;
  readonly by: Served;
}

/** A query with everything that can be known before the catalog is asked. */
interface Prepared {
  readonly query: Query;
  readonly echo: Echo;
  readonly asked: Asked;
  /** IP address of whom a resolver asks for, where it says so. */
  readonly behind: string | undefined;
  readonly fixedBytes: number;
  readonly limits: Readonly<Record<Transport, Limits>>;
}

const SERVER_FAILURE: CompiledReply = compileReply(reply({ rcode: "SERVFAIL" }), undefined);
const NOBODY_ANSWERED: CompiledReply = compileReply(UNANSWERED, undefined);

export function createHandler(needs: HandlerNeeds): Handle {
  const { config, delegate, clock, random, logger, recursors } = needs;
  const draw = createDraw(random);
  const resolver = new Resolver({ delegate, clock, draw, recursors });
  const encoder = new MessageEncoder();
  const cache = new QueryCache<Prepared>();
  const reportFailure = failureReporter(clock, (line, fields) => logger.error(line, fields));
  let served = servedBy(config());
  let refused: RuntimeConfig | undefined;

  const current = (): Served => {
    const now = config();
    if (now === served.config || now === refused) return served;
    try {
      served = servedBy(now);
      cache.clear();
    } catch (error) {
      // A reload that cannot be served leaves what is.
      refused = now;
      logger.error("Failed to reload the DNS configuration", { error: messageOf(error) });
    }
    return served;
  };

  const relay = async (id: number, prepared: Prepared, asking: Asking): Promise<Uint8Array> => {
    const { message, transport, by } = asking;
    const query = { ...prepared.query, id };
    const answer = await recursors.relay(message, query, transport, by.recursion);
    if (answer !== undefined) return framed(answer, transport);
    return finish(encoder, id, prepared, NOBODY_ANSWERED, asking, draw);
  };

  const answer = async (id: number, prepared: Prepared, asking: Asking): Promise<Uint8Array> => {
    let compiled: Resolved = SERVER_FAILURE;
    try {
      const client = prepared.behind ?? asking.client;
      compiled = await resolver.resolve(prepared.asked, asking.by, client);
    } catch (error) {
      reportFailure("rpc error", error);
    }
    if (compiled === "elsewhere") return relay(id, prepared, asking);
    return finish(encoder, id, prepared, compiled, asking, draw);
  };

  return (message, transport, client = "") => {
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
    if (prepared.asked.lookup.kind !== "foreign") {
      return answer(id, prepared, { message, transport, client, by });
    }
    if (by.recursion.recursors.length > 0) {
      return relay(id, prepared, { message, transport, client, by });
    }
    const { kept, question } = prepared.query;
    return encodeRefusal({ id, kept, rcode: "REFUSED", question }, transport);
  };
}

function finish(
  encoder: MessageEncoder,
  id: number,
  { echo, fixedBytes, limits }: Prepared,
  compiled: CompiledReply,
  { transport, by }: Asking,
  draw: Draw,
): Uint8Array {
  const limit = limits[transport];
  const selection = selectAnswers(compiled, limit, fixedBytes, draw);
  return encoder.encode(id, echo, compiled, {
    transport,
    selection,
    truncated: selection.cut && by.config.dns.enableTruncate,
    recursionAvailable: by.recursion.recursors.length > 0,
    sizeMaxBytes: limit.sizeMaxBytes,
  });
}

function prepare(query: Query, by: Served): Prepared {
  const { question, edns } = query;
  const asked = askedOf(question, edns !== undefined, by);
  const echo = echoOf(query, asked.lookup.kind === "query" ? "its subnet" : "everybody");
  const subnet = edns?.clientSubnet;
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
    asked,
    behind: subnet === undefined ? undefined : addressOfSubnet(subnet),
    fixedBytes: QUESTION_OFFSET + echo.question.length,
    limits: {
      udp: limitsOf({ ...shared, transport: "udp" }),
      tcp: limitsOf({ ...shared, transport: "tcp" }),
    },
  };
}
