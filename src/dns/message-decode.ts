/**
 * Queries as they arrive (RFC 1035 §4.1, EDNS0 RFC 6891, client subnet RFC 7871).
 *
 *     0       2       4       6       8       10      12
 *     +-------+-------+-------+-------+-------+-------+----------+----------------+
 *     | id    | flags | QD    | AN    | NS    | AR    | question | other sections |
 *     +-------+-------+-------+-------+-------+-------+----------+----------------+
 *     flags: QR, opcode (4 bits), AA, TC, RD, RA, Z, AD, CD, rcode (4 bits)
 *
 * Every packet becomes one of three things: a query, a refusal that says what is wrong with it, or nothing at
 * all, because answering what is itself an answer, or no DNS message, would only feed a reflector.
 */
import { RollcallError } from "../errors/index.ts";
import { readName, type Name } from "./names.ts";
import { QUERY_TYPES, QUESTION_OFFSET } from "./records.ts";

/** RFC 1035 §4.1.1; index by name. */
export const RCODES = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
} as const;
export type Rcode = keyof typeof RCODES;

export const FLAGS = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080, CD: 0x0010 };
export const OPCODE_BITS = 0x7800;
const OPCODE_QUERY = 0;

/** More than this, and the packet is no plain query. */
const SECTION_MAX = { answers: 1, authorities: 1, additionals: 2 };

export interface Question {
  /** Spelled as asked. */
  readonly name: Name;
  readonly type: number;
  readonly class: number;
}
export interface Edns {
  readonly udpSizeBytes: number;
  /** Data of the client-subnet option, if the client sent one. */
  readonly clientSubnet: Uint8Array | undefined;
}
export interface Query {
  readonly id: number;
  /** The bits of the header that an answer repeats: opcode, RD and CD. */
  readonly kept: number;
  readonly question: Question;
  readonly edns: Edns | undefined;
}
export interface Refusal {
  readonly id: number;
  readonly kept: number;
  readonly rcode: Rcode;
  /** Present when the packet could be read that far. */
  readonly question: Question | undefined;
}
export type Decoded =
  | Readonly<{ kind: "query"; query: Query }>
  | Readonly<{ kind: "refusal"; refusal: Refusal }>
  | Readonly<{ kind: "silence" }>;

export function decodeQuery(message: Uint8Array): Decoded {
  if (message.length < QUESTION_OFFSET) return { kind: "silence" };
  const flags = u16(message, 2);
  if ((flags & FLAGS.QR) !== 0) return { kind: "silence" };
  const id = u16(message, 0);
  const kept = flags & (OPCODE_BITS | FLAGS.RD | FLAGS.CD);
  const refuse = (rcode: Rcode, question?: Question): Decoded => ({
    kind: "refusal",
    refusal: { id, kept, rcode, question },
  });
  if ((flags & OPCODE_BITS) !== OPCODE_QUERY) return refuse("NOTIMP");
  const counts = { answers: u16(message, 6), authorities: u16(message, 8) };
  const additionals = u16(message, 10);
  if (
    u16(message, 4) !== 1 ||
    counts.answers > SECTION_MAX.answers ||
    counts.authorities > SECTION_MAX.authorities ||
    additionals > SECTION_MAX.additionals
  ) {
    return refuse("FORMERR");
  }
  let question: Question | undefined;
  try {
    const { name, next } = readName(message, QUESTION_OFFSET);
    if (next + 4 > message.length) return refuse("FORMERR");
    question = { name, type: u16(message, next), class: u16(message, next + 2) };
    const others = counts.answers + counts.authorities;
    const edns = readEdns(message, next + 4, others, additionals);
    return { kind: "query", query: { id, kept, question, edns } };
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    return refuse("FORMERR", question);
  }
}

/**
 * The OPT record among what follows the question. Counts that promise more than there is are forgiven where
 * the message ends cleanly, as Consul does.
 */
function readEdns(
  message: Uint8Array,
  offset: number,
  others: number,
  additionals: number,
): Edns | undefined {
  let at = offset;
  let edns: Edns | undefined;
  for (let i = 0; i < others + additionals && at < message.length; i++) {
    const { next } = readName(message, at);
    if (next + 10 > message.length) throw malformed("record header is cut off");
    const dataAt = next + 10;
    const end = dataAt + u16(message, next + 8);
    if (end > message.length) throw malformed("record data is cut off");
    if (i >= others && u16(message, next) === QUERY_TYPES.OPT) {
      const clientSubnet = readClientSubnet(message.subarray(dataAt, end));
      edns ??= { udpSizeBytes: u16(message, next + 2), clientSubnet };
    }
    at = end;
  }
  return edns;
}

const OPTION_CLIENT_SUBNET = 8;
/** RFC 7871 §6, by address family: IPv4 and IPv6. */
const SUBNET_BITS_MAX = new Map([
  [1, 32],
  [2, 128],
]);

function readClientSubnet(options: Uint8Array): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  for (let at = 0; at < options.length;) {
    if (at + 4 > options.length) throw malformed("option header is cut off");
    const end = at + 4 + u16(options, at + 2);
    if (end > options.length) throw malformed("option data is cut off");
    if (u16(options, at) === OPTION_CLIENT_SUBNET)
      found ??= checkedSubnet(options.slice(at + 4, end));
    at = end;
  }
  return found;
}

function checkedSubnet(data: Uint8Array): Uint8Array {
  const bitsMax = data.length < 4 ? undefined : SUBNET_BITS_MAX.get(u16(data, 0));
  const sourceBits = data[2] ?? 0;
  if (bitsMax === undefined || sourceBits > bitsMax || (data[3] ?? 0) > bitsMax) {
    throw malformed("client subnet of an unknown family or length");
  }
  if (data.length - 4 > bitsMax / 8) throw malformed("client subnet is too long");
  return data;
}

export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function malformed(detail: string): RollcallError {
  return new RollcallError("wire/malformed", `dns: ${detail}`);
}
