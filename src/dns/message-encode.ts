/**
 * Puts replies together: header, question, the chosen blocks, and OPT where the query had one.
 *
 * Runs once per query, so it only copies: into one scratch buffer that outlives the call, and from there into
 * a buffer of the right size. RFC 1035 §4.1; OPT as in RFC 6891 §6.1.
 */
import type { AnswerBlock, Block, Blocks, CompiledReply } from "./compile.ts";
import { FLAGS, RCODES, type Edns, type Query, type Refusal } from "./message-decode.ts";
import type { Name } from "./names.ts";
import { CLASS_IN, QUERY_TYPES, QUESTION_OFFSET } from "./records.ts";
import { POINTER_REACH_BYTES, type Selection, type Transport } from "./truncate.ts";

/** Before a message on TCP comes its length (RFC 1035 §4.2.2). */
const LENGTH_PREFIX_BYTES: Readonly<Record<Transport, number>> = { udp: 0, tcp: 2 };
const SUBNET_OPTION_CODE = 8;
const SUBNET_SOURCE_OFFSET = 2;
const SUBNET_SCOPE_OFFSET = 3;
const POINTER_MARK = 0xc000;

/** Question and OPT as a reply repeats them. */
export interface Echo {
  readonly kept: number;
  readonly question: Uint8Array;
  readonly opt: Uint8Array | undefined;
}

/** @param rightFor for whom, of those that a client's subnet stands for, the answer is right */
export function echoOf(
  { kept, question, edns }: Query,
  rightFor: "everybody" | "its subnet",
): Echo {
  return {
    kept,
    question: questionBytes(question),
    opt: edns === undefined ? undefined : optBytes(edns, rightFor),
  };
}

function questionBytes({ name, type, class: questionClass }: Query["question"]): Uint8Array {
  const bytes = new Uint8Array(name.length + 4);
  bytes.set(name);
  putU16(bytes, name.length, type);
  putU16(bytes, name.length + 2, questionClass);
  return bytes;
}

/** Version 0, the client's UDP size, and its subnet, whose scope is 0 where the answer is right for everybody. */
function optBytes(
  { udpSizeBytes, clientSubnet }: Edns,
  rightFor: "everybody" | "its subnet",
): Uint8Array {
  const optionBytes = clientSubnet === undefined ? 0 : 4 + clientSubnet.length;
  const bytes = new Uint8Array(11 + optionBytes);
  putU16(bytes, 1, QUERY_TYPES.OPT);
  putU16(bytes, 3, udpSizeBytes);
  putU16(bytes, 9, optionBytes);
  if (clientSubnet !== undefined) {
    putU16(bytes, 11, SUBNET_OPTION_CODE);
    putU16(bytes, 13, clientSubnet.length);
    bytes.set(clientSubnet, 15);
    const scopeBits = rightFor === "everybody" ? 0 : (clientSubnet[SUBNET_SOURCE_OFFSET] ?? 0);
    bytes[15 + SUBNET_SCOPE_OFFSET] = scopeBits;
  }
  return bytes;
}

export interface Encoding {
  readonly transport: Transport;
  readonly selection: Selection;
  readonly truncated: boolean;
  /** Are there recursors? */
  readonly recursionAvailable: boolean;
  /** Bytes that may be used, for dropping additional records that belong to no answer; without OPT. */
  readonly sizeMaxBytes: number;
}

/** One per server: `encode` may not be entered again before it returns, which it cannot be. */
export class MessageEncoder {
  readonly #scratch = new Uint8Array(2 * 0x10000);

  /** The whole datagram, or the message with its length in front, in a buffer of its own. */
  encode(id: number, echo: Echo, reply: CompiledReply, encoding: Encoding): Uint8Array {
    const { transport, selection } = encoding;
    // Offsets in pointers count from the header, so the message is built at the scratch's beginning.
    const out = this.#scratch;
    out.set(echo.question, QUESTION_OFFSET);
    const answersAt = QUESTION_OFFSET + echo.question.length;
    let at = answersAt;
    const { order, packed, starts } = reply;
    for (let i = 0; i < selection.count; i++) {
      const answer = order === undefined ? i : (order[i] ?? 0);
      const end = starts[answer + 1] ?? 0;
      for (let from = starts[answer] ?? 0; from < end; from++) out[at++] = packed[from] ?? 0;
    }
    for (const block of reply.authority.list) at = copy(block.bytes, out, at);
    let additionalCount = 0;
    let answerAt = answersAt;
    const brief = selection.additional === "brief";
    if (brief) reply.marks.fill(0);
    for (let i = 0; reply.hasAttached && i < selection.count; i++) {
      const answer = chosen(reply, i);
      const targetAt = answerAt + answer.targetAt;
      answerAt += answer.bytes.length;
      if (brief && answer.targetId >= 0) {
        if (reply.marks[answer.targetId] === 1) continue;
        reply.marks[answer.targetId] = 1;
      }
      const blocks = brief ? fitting(answer, encoding, at, selection.count) : answer.full;
      for (const block of blocks.list) {
        at = copyPointed(block, targetAt, out, at);
        additionalCount++;
      }
    }
    for (const block of reply.additional.list) {
      if (at + block.bytes.length > encoding.sizeMaxBytes) break;
      at = copy(block.bytes, out, at);
      additionalCount++;
    }
    if (echo.opt !== undefined) {
      at = copy(echo.opt, out, at);
      additionalCount++;
    }
    putU16(out, 0, id);
    putU16(out, 2, flagsOf(echo, reply, encoding));
    putU16(out, 4, 1);
    putU16(out, 6, selection.count);
    putU16(out, 8, reply.authority.list.length);
    putU16(out, 10, additionalCount);
    return framed(out.subarray(0, at), transport);
  }
}

/** A lone answer may be too large already: then nothing is added that would make it larger. */
function fitting(answer: AnswerBlock, encoding: Encoding, at: number, count: number): Blocks {
  const over = count === 1 && at + answer.brief.plainSizeBytes > encoding.sizeMaxBytes;
  return over ? NOTHING : answer.brief;
}
const NOTHING: Blocks = { list: [], sizeBytes: 0, farSizeBytes: 0, plainSizeBytes: 0 };

/** A query of our own, for a recursor; its id is still 0. */
export function encodeQuestion(name: Name, type: number): Uint8Array {
  const question = questionBytes({ name, type, class: CLASS_IN });
  const out = new Uint8Array(QUESTION_OFFSET + question.length);
  putU16(out, 2, FLAGS.RD);
  putU16(out, 4, 1);
  out.set(question, QUESTION_OFFSET);
  return out;
}

/** What was wrong, and as much of the question as could be read. */
export function encodeRefusal(refusal: Refusal, transport: Transport): Uint8Array {
  const question = refusal.question === undefined ? undefined : questionBytes(refusal.question);
  const out = new Uint8Array(QUESTION_OFFSET + (question?.length ?? 0));
  putU16(out, 0, refusal.id);
  putU16(out, 2, FLAGS.QR | refusal.kept | RCODES[refusal.rcode]);
  putU16(out, 4, question === undefined ? 0 : 1);
  if (question !== undefined) out.set(question, QUESTION_OFFSET);
  return framed(out, transport);
}

function flagsOf(echo: Echo, reply: CompiledReply, encoding: Encoding): number {
  return (
    FLAGS.QR |
    echo.kept |
    (reply.authoritative ? FLAGS.AA : 0) |
    (encoding.truncated ? FLAGS.TC : 0) |
    (reply.recursionAvailable || encoding.recursionAvailable ? FLAGS.RA : 0) |
    RCODES[reply.rcode]
  );
}

function chosen(reply: CompiledReply, i: number): AnswerBlock {
  const answer = reply.answers[reply.order === undefined ? i : (reply.order[i] ?? 0)];
  if (answer === undefined) throw new RangeError(`no answer ${i}`);
  return answer;
}

function copyPointed(block: Block, targetAt: number, out: Uint8Array, at: number): number {
  if (block.owner === undefined) return copy(block.bytes, out, at);
  if (targetAt < POINTER_REACH_BYTES) {
    const end = copy(block.bytes, out, at);
    putU16(out, at, POINTER_MARK | targetAt);
    return end;
  }
  return copy(block.bytes.subarray(2), out, copy(block.owner, out, at));
}

/** Most blocks are shorter than what calling `set` costs. */
const SHORT_BYTES = 64;

function copy(bytes: Uint8Array, out: Uint8Array, at: number): number {
  const { length } = bytes;
  if (length > SHORT_BYTES) out.set(bytes, at);
  else for (let i = 0; i < length; i++) out[at + i] = bytes[i] ?? 0;
  return at + length;
}

/** A message as it is sent: on TCP with its length in front, in a buffer of its own. */
export function framed(message: Uint8Array, transport: Transport): Uint8Array {
  const prefixBytes = LENGTH_PREFIX_BYTES[transport];
  const frame = Buffer.allocUnsafe(prefixBytes + message.length);
  frame.set(message, prefixBytes);
  if (prefixBytes > 0) putU16(frame, 0, message.length);
  return frame;
}

function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value & 0xff;
}
