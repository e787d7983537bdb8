/**
 * Replies as blocks of bytes. Encoding is done once for a catalog result; a query then only chooses blocks,
 * copies them behind its header, and points the additional records at the targets they belong to.
 *
 * Blocks carry no position of their own: names are shortened by pointers into the question only, and an
 * additional record that is named like its answer's SRV target starts with a hole for a pointer.
 */
import type { AnswerGroup, Reply } from "./reply.ts";
import { sameName, textOf, type Name } from "./names.ts";
import {
  writeName,
  writeNameless,
  writeRecord,
  type ResourceRecord,
  type WrittenRecord,
} from "./records.ts";

export interface Block extends WrittenRecord {
  /** Present when `bytes` starts with a hole: what to write there if the target is out of a pointer's reach. */
  readonly owner: Uint8Array | undefined;
}
export interface Blocks {
  readonly list: readonly Block[];
  /** With pointers in the holes. */
  readonly sizeBytes: number;
  /** With names in the holes. */
  readonly farSizeBytes: number;
  /** Without any compression. */
  readonly plainSizeBytes: number;
}

export interface AnswerBlock extends WrittenRecord {
  /** Where in `bytes` the SRV target stands; 0 when there is none. */
  readonly targetAt: number;
  /** Equal for answers with equal targets; -1 when there is none. */
  readonly targetId: number;
  readonly full: Blocks;
  /** The first record for the target, and for the name it may stand for: all that is kept once space is short. */
  readonly brief: Blocks;
}

export interface CompiledReply extends Pick<
  Reply,
  "rcode" | "authoritative" | "recursionAvailable" | "answerMax" | "countLimited"
> {
  readonly answers: readonly AnswerBlock[];
  /** The bytes of all answers, one after the other, and where each begins; the end comes last. */
  readonly packed: Uint8Array;
  readonly starts: Uint32Array;
  readonly authority: Blocks;
  readonly additional: Blocks;
  /** All answers with all their additional records. */
  readonly total: Omit<Blocks, "list">;
  /** Do any additional records belong to an answer? */
  readonly hasAttached: boolean;
  readonly targetCount: number;
  /** A permutation of the answers that drawing reorders in place; undefined when their order is fixed. */
  readonly order: Uint32Array | undefined;
  /** Room for one mark per target, reused by every query. */
  readonly marks: Uint32Array;
}

/** @param compressTo the question's name, or undefined for answers without compression */
export function compileReply(reply: Reply, compressTo: Name | undefined): CompiledReply {
  const targetIds = new Map<string, number>();
  const answers = reply.answers.map((group) => compileGroup(group, compressTo, targetIds));
  const total = { sizeBytes: 0, farSizeBytes: 0, plainSizeBytes: 0 };
  const packed = new Uint8Array(answers.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const starts = new Uint32Array(answers.length + 1);
  for (const [i, answer] of answers.entries()) {
    const start = starts[i] ?? 0;
    packed.set(answer.bytes, start);
    starts[i + 1] = start + answer.bytes.length;
    total.sizeBytes += answer.bytes.length + answer.full.sizeBytes;
    total.farSizeBytes += answer.bytes.length + answer.full.farSizeBytes;
    total.plainSizeBytes += answer.plainSizeBytes + answer.full.plainSizeBytes;
  }
  return {
    rcode: reply.rcode,
    authoritative: reply.authoritative,
    recursionAvailable: reply.recursionAvailable,
    answerMax: reply.answerMax,
    countLimited: reply.countLimited,
    answers,
    packed,
    starts,
    authority: compileAll(reply.authority, compressTo),
    additional: compileAll(reply.additional, compressTo),
    total,
    hasAttached: total.sizeBytes > packed.length,
    targetCount: targetIds.size,
    order: reply.order === "any" ? Uint32Array.from(answers.keys()) : undefined,
    marks: new Uint32Array(targetIds.size),
  };
}

function compileGroup(
  { record, additional }: AnswerGroup,
  compressTo: Name | undefined,
  targetIds: Map<string, number>,
): AnswerBlock {
  const written = writeRecord(record, compressTo);
  if (record.type !== "SRV") {
    const full = compileAll(additional, compressTo);
    return { ...written, targetAt: 0, targetId: -1, full, brief: full };
  }
  const { target } = record.data;
  const key = textOf(target);
  const targetId = targetIds.get(key) ?? targetIds.size;
  targetIds.set(key, targetId);
  const targetAt = written.bytes.length - target.length;
  const full = compileAll(additional, compressTo, target);
  const kept = new Set(firstOf(target, additional));
  const brief = sumOf(full.list.filter((_, i) => kept.has(i)));
  return { ...written, targetAt, targetId, full, brief };
}

/** Positions of the first record named `target` and, while it is a CNAME, the first one it leads to. */
function firstOf(target: Name, records: readonly ResourceRecord[]): number[] {
  const found: number[] = [];
  for (let name: Name | undefined = target; name !== undefined;) {
    const wanted: Name = name;
    const at = records.findIndex((record) => sameName(record.name, wanted));
    if (at < 0 || found.includes(at)) break;
    found.push(at);
    const record = records[at];
    name = record?.type === "CNAME" ? record.data : undefined;
  }
  return found;
}

function compileAll(
  records: readonly ResourceRecord[],
  compressTo: Name | undefined,
  target?: Name,
): Blocks {
  return sumOf(
    records.map((record): Block => {
      const pointed =
        target !== undefined && compressTo !== undefined && sameName(record.name, target);
      return pointed
        ? { ...writeNameless(record, compressTo), owner: writeName(target, compressTo) }
        : { ...writeRecord(record, compressTo), owner: undefined };
    }),
  );
}

function sumOf(list: readonly Block[]): Blocks {
  let sizeBytes = 0;
  let farSizeBytes = 0;
  let plainSizeBytes = 0;
  for (const { bytes, owner, plainSizeBytes: plain } of list) {
    sizeBytes += bytes.length;
    farSizeBytes += bytes.length + (owner === undefined ? 0 : owner.length - 2);
    plainSizeBytes += plain;
  }
  return { list, sizeBytes, farSizeBytes, plainSizeBytes };
}
