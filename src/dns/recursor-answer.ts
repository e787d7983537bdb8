/**
 * What comes back from a recursor: is it the answer to what was asked, and which addresses does it hold?
 *
 * Nothing of it is trusted before its id and its question, spelled as it was sent (the "0x20" of
 * draft-vixie-dnsext-dns0x20), are those of the query, and all of its records lie within the message.
 */
import { RollcallError } from "../errors/index.ts";
import { FLAGS, OPCODE_BITS, RCODES, u16 } from "./message-decode.ts";
import { readName } from "./names.ts";
import { CLASS_IN, QUESTION_OFFSET, RECORD_TYPES, type ResourceRecord } from "./records.ts";

/** A record of an answer, where it lies in the message. */
export interface RecordSpan {
  readonly at: number;
  readonly type: number;
  readonly class: number;
  readonly ttlS: number;
  readonly dataAt: number;
  readonly end: number;
}
export interface RecursorAnswer {
  readonly bytes: Uint8Array;
  readonly rcode: number;
  readonly answers: readonly RecordSpan[];
}

/** What is relayed; with any other rcode the next recursor is asked. */
export function isUsable({ rcode }: RecursorAnswer): boolean {
  return rcode === RCODES.NOERROR || rcode === RCODES.NXDOMAIN;
}

/**
 * @param query as it was sent, its question `questionBytes` long
 * @throws {RollcallError} `wire/malformed`: somebody else's answer, or none at all
 */
export function readAnswer(
  bytes: Uint8Array,
  query: Uint8Array,
  questionBytes: number,
): RecursorAnswer {
  if (bytes.length < QUESTION_OFFSET) throw malformed("answer is cut off");
  if (u16(bytes, 0) !== u16(query, 0)) throw malformed("answer has another id");
  const flags = u16(bytes, 2);
  if ((flags & FLAGS.QR) === 0 || (flags & OPCODE_BITS) !== 0) throw malformed("not an answer");
  const rcode = flags & RCODE_BITS;
  // Some leave out the question where they could not read it; that is a refusal, and usable for nothing else.
  if (u16(bytes, 4) === 0 && rcode !== RCODES.NOERROR && rcode !== RCODES.NXDOMAIN) {
    return { bytes, rcode, answers: [] };
  }
  if (u16(bytes, 4) !== 1) throw malformed("answer does not repeat the question");
  const questionEnd = QUESTION_OFFSET + questionBytes;
  for (let at = QUESTION_OFFSET; at < questionEnd; at++) {
    if (bytes[at] !== query[at]) throw malformed("answer is to another question");
  }
  const answerCount = u16(bytes, 6);
  const recordCount = answerCount + u16(bytes, 8) + u16(bytes, 10);
  const answers: RecordSpan[] = [];
  let at = questionEnd;
  for (let i = 0; i < recordCount; i++) {
    const span = readRecord(bytes, at);
    if (i < answerCount) answers.push(span);
    at = span.end;
  }
  return { bytes, rcode, answers };
}

function readRecord(bytes: Uint8Array, at: number): RecordSpan {
  const { next } = readName(bytes, at);
  if (next + 10 > bytes.length) throw malformed("record header is cut off");
  const dataAt = next + 10;
  const end = dataAt + u16(bytes, next + 8);
  if (end > bytes.length) throw malformed("record data is cut off");
  return {
    at,
    type: u16(bytes, next),
    class: u16(bytes, next + 2),
    ttlS: u16(bytes, next + 4) * 0x10000 + u16(bytes, next + 6),
    dataAt,
    end,
  };
}

/** The addresses and aliases among the answers. @throws {RollcallError} `wire/malformed` */
export function addressRecords({ bytes, answers }: RecursorAnswer): ResourceRecord[] {
  return answers.flatMap((span): ResourceRecord[] => {
    if (span.class !== CLASS_IN) return [];
    const { name } = readName(bytes, span.at);
    const { ttlS, dataAt, end } = span;
    switch (span.type) {
      case RECORD_TYPES.A.code:
        return [{ name, type: "A", ttlS, data: ofSize(bytes.slice(dataAt, end), 4) }];
      case RECORD_TYPES.AAAA.code:
        return [{ name, type: "AAAA", ttlS, data: ofSize(bytes.slice(dataAt, end), 16) }];
      case RECORD_TYPES.CNAME.code: {
        const { name: data, next } = readName(bytes, dataAt);
        if (next !== end) throw malformed("alias does not fill its record");
        return [{ name, type: "CNAME", ttlS, data }];
      }
      default:
        return [];
    }
  });
}

function ofSize(address: Uint8Array, sizeBytes: number): Uint8Array {
  if (address.length !== sizeBytes) throw malformed("address of a wrong length");
  return address;
}

const RCODE_BITS = 0x000f;

function malformed(detail: string): RollcallError {
  return new RollcallError("wire/malformed", `dns: ${detail}`);
}
