/**
 * Which answers a query gets: drawn in random order, as many as the transport and the client have room for.
 *
 * The rules are Consul's, and the same for every kind of lookup:
 *   - Plain UDP (512 bytes) carries at most `udp_answer_limit`, and never more than 8, instances of a service;
 *     when that cut something, the size is measured as if names were not compressed.
 *   - UDP with EDNS carries what its size allows, TCP 64 KiB and a fixed number of answers.
 *   - Before answers go, what is additional shrinks to one address for each SRV target.
 *   - One answer is always sent, so a reply is larger than its limit only when a single answer is.
 *   - Something was cut exactly when an answer was, whatever it was cut by; only then may TC be set.
 */
import type { AnswerBlock, Blocks, CompiledReply } from "./compile.ts";
import { drawAt, type Draw } from "./draw.ts";

export type Transport = "udp" | "tcp";

export const UDP_PLAIN_MAX_BYTES = 512;
/** What a datagram can carry at all. */
const UDP_MAX_BYTES = 65_507;
export const UDP_PLAIN_ANSWERS_MAX = 8;
/** Left free under the UDP limit; the OPT record may use it, and what it does not cover counts as well. */
const UDP_MARGIN_BYTES = 7;
const TCP_MAX_BYTES = 65_523;
const TCP_ANSWERS_MAX = 4096;
const TCP_SRV_ANSWERS_MAX = 1024;
/** An excess up to this costs an answer even where less in the additional section would have made room. */
const SMALL_EXCESS_BYTES = 100;
/** Compression pointers reach no further (RFC 1035 §4.1.4: 14 bits). */
export const POINTER_REACH_BYTES = 0x4000;

export interface Limits {
  /** For header, question and all records except OPT. */
  readonly sizeMaxBytes: number;
  /** The client's own limit, without margin. */
  readonly clientMaxBytes: number;
  readonly answerMax: number;
  readonly compressed: boolean;
  /** Once `answerMax` has cut something, is the size measured without compression? */
  readonly plainWhenCounted: boolean;
}
export interface LimitsOf {
  readonly transport: Transport;
  /** undefined: the query had no OPT record. */
  readonly ednsUdpSizeBytes: number | undefined;
  /** The OPT record of the reply; 0 when it has none. */
  readonly optSizeBytes: number;
  readonly udpAnswerLimit: number;
  readonly compressed: boolean;
  readonly isSrv: boolean;
}

export function limitsOf(query: LimitsOf): Limits {
  const { compressed } = query;
  if (query.transport === "tcp") {
    const answerMax = query.isSrv ? TCP_SRV_ANSWERS_MAX : TCP_ANSWERS_MAX;
    const sizeMaxBytes = TCP_MAX_BYTES - query.optSizeBytes;
    const plainWhenCounted = false;
    return { sizeMaxBytes, clientMaxBytes: TCP_MAX_BYTES, answerMax, compressed, plainWhenCounted };
  }
  const asked = Math.max(query.ednsUdpSizeBytes ?? 0, UDP_PLAIN_MAX_BYTES);
  const clientMaxBytes = Math.min(asked, UDP_MAX_BYTES);
  const sizeMaxBytes = clientMaxBytes - Math.max(UDP_MARGIN_BYTES, query.optSizeBytes);
  const answerMax =
    clientMaxBytes === UDP_PLAIN_MAX_BYTES
      ? Math.min(UDP_PLAIN_ANSWERS_MAX, query.udpAnswerLimit)
      : Number.POSITIVE_INFINITY;
  return { sizeMaxBytes, clientMaxBytes, answerMax, compressed, plainWhenCounted: true };
}

export interface Selection {
  /** The first so many of the reply's order are sent. */
  readonly count: number;
  readonly additional: "full" | "brief";
  readonly cut: boolean;
}

/**
 * Draws the answers to be sent to the front of `reply.order`.
 * @param fixedBytes header and question
 */
export function selectAnswers(
  reply: CompiledReply,
  limits: Limits,
  fixedBytes: number,
  draw: Draw,
): Selection {
  const wanted = Math.min(reply.answers.length, reply.answerMax);
  const answerMax = reply.countLimited ? limits.answerMax : Number.POSITIVE_INFINITY;
  const counted = wanted > answerMax;
  const plain = !limits.compressed || (counted && limits.plainWhenCounted);
  const measure = plain ? plainSize : compressedSize(reply);
  const most = counted ? answerMax : wanted;

  // The usual case needs no sums: everything is known to fit before the first draw.
  const whole = fixedBytes + measure.reply(reply);
  if (!counted && wanted === reply.answers.length && whole <= limits.sizeMaxBytes) {
    if (reply.order !== undefined) for (let i = 0; i < wanted; i++) drawAt(reply.order, i, draw);
    return { count: wanted, additional: "full", cut: false };
  }

  const before = fixedBytes + measure.blocks(reply.authority);
  const drawn: AnswerBlock[] = [];
  let fullBytes = before;
  let briefBytes = before;
  let count = 0;
  reply.marks.fill(0);
  for (; count < most; count++) {
    const answer = answerAt(reply, count, draw);
    const answerBytes = measure.answer(answer);
    const seen = answer.targetId >= 0 && reply.marks[answer.targetId] === 1;
    fullBytes += answerBytes + measure.blocks(answer.full);
    const nextBytes = briefBytes + answerBytes + (seen ? 0 : measure.blocks(answer.brief));
    if (count > 0 && nextBytes > limits.sizeMaxBytes) break;
    if (answer.targetId >= 0) reply.marks[answer.targetId] = 1;
    briefBytes = nextBytes;
    drawn.push(answer);
  }
  if (!counted && count === wanted && fullBytes <= limits.sizeMaxBytes) {
    return { count, additional: "full", cut: false };
  }
  const smallExcess = !counted && fullBytes - limits.clientMaxBytes <= SMALL_EXCESS_BYTES;
  if (smallExcess && count === wanted && count > 1 && reply.countLimited) count--;
  return { count, additional: "brief", cut: count < wanted };
}

/** The answer at position `i`, drawn when the order is free. Ask for 0, 1, 2 … */
function answerAt(reply: CompiledReply, i: number, draw: Draw): AnswerBlock {
  const at = reply.order === undefined ? i : drawAt(reply.order, i, draw);
  const answer = reply.answers[at];
  if (answer === undefined) throw new RangeError(`no answer ${at}`);
  return answer;
}

interface Measure {
  readonly reply: (reply: CompiledReply) => number;
  readonly answer: (answer: AnswerBlock) => number;
  readonly blocks: (blocks: Omit<Blocks, "list">) => number;
}
const plainSize: Measure = {
  reply: ({ total, authority }) => total.plainSizeBytes + authority.plainSizeBytes,
  answer: (answer) => answer.plainSizeBytes,
  blocks: (blocks) => blocks.plainSizeBytes,
};
const pointedSize: Measure = {
  reply: ({ total, authority }) => total.sizeBytes + authority.sizeBytes,
  answer: (answer) => answer.bytes.length,
  blocks: (blocks) => blocks.sizeBytes,
};
const farSize: Measure = {
  reply: ({ total, authority }) => total.farSizeBytes + authority.sizeBytes,
  answer: (answer) => answer.bytes.length,
  blocks: (blocks) => blocks.farSizeBytes,
};

/** Once targets may lie out of a pointer's reach, names of additional records are counted in full. */
function compressedSize(reply: CompiledReply): Measure {
  return reply.packed.length > POINTER_REACH_BYTES / 2 ? farSize : pointedSize;
}
