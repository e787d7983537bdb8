/**
 * Commands that are too long for one log entry (wire/fsm.md section 2). Key/value commands of more than 512 KiB are cut,
 * each piece is an entry of its own, and the entry's extensions, in protobuf, say which piece it is:
 *
 *     1 varint  operation   drawn at random, the same for all pieces
 *     2 varint  sequence    from 0; left out when 0
 *     3 varint  pieces      how many there are
 *     4 bytes               for a layer that Consul does not have
 *
 * The command is applied with its last piece, at that one's index. A new leader knows nothing of what the old one had
 * begun: when the term changes, what was collected is dropped, and whoever asked for it has to ask again. That bounds
 * what is collected too: one leader writes the pieces of one command after the other.
 */
import { RollcallError } from "../errors/index.ts";
import { bytes, codecOf, struct, uint64, wideUint64 } from "../wire/index.ts";
import type { MsgpackReader, MsgpackWriter, ValueOf } from "../wire/index.ts";

/** The longest command that is not cut, and the length of the pieces. */
export const PIECE_BYTES = 524_288;
const KVS_CODE = 2;
/** No client can send what would need more. */
export const PIECES_MAX = 65_536;

export interface Piece {
  readonly data: Uint8Array;
  /** undefined: the command is whole. */
  readonly extensions: Uint8Array | undefined;
}

/** @param operation 64 random bits */
export function splitCommand(encoded: Uint8Array, operation: bigint): readonly Piece[] {
  if (encoded.length <= PIECE_BYTES || encoded[0] !== KVS_CODE) {
    return [{ data: encoded, extensions: undefined }];
  }
  const pieces = Math.ceil(encoded.length / PIECE_BYTES);
  return Array.from({ length: pieces }, (_, sequence) => ({
    data: encoded.subarray(sequence * PIECE_BYTES, (sequence + 1) * PIECE_BYTES),
    extensions: encodePlace({ operation, sequence, pieces }),
  }));
}

/** Which piece of which command. */
export interface Place {
  readonly operation: bigint;
  readonly sequence: number;
  readonly pieces: number;
}

export function encodePlace({ operation, sequence, pieces }: Place): Uint8Array {
  const out: number[] = [];
  const field = (number: number, value: bigint): void => {
    out.push(number << 3);
    let left = BigInt.asUintN(64, value);
    for (; left > 0x7fn; left >>= 7n) out.push(Number(left & 0x7fn) | 0x80);
    out.push(Number(left));
  };
  field(1, operation);
  if (sequence > 0) field(2, BigInt(sequence));
  field(3, BigInt(pieces));
  return Uint8Array.from(out);
}

/** @throws {RollcallError} `wire/malformed` */
export function decodePlace(extensions: Uint8Array): Place {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = extensions[at];
      if (byte === undefined) throw malformed("it ends early");
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed("a number that does not end");
  };
  const fields: bigint[] = [0n, 0n, 0n, 0n];
  while (at < extensions.length) {
    const tag = varint();
    const [number, kind] = [tag >> 3n, tag & 7n];
    if (kind === 0n) {
      const value = varint();
      if (number >= 1n && number <= 3n) fields[Number(number)] = value;
    } else if (kind === 2n) {
      const length = varint();
      if (length > BigInt(extensions.length - at)) throw malformed("it ends early");
      at += Number(length);
    } else throw malformed("a field of an unknown kind");
  }
  const [, operation = 0n, sequence = 0n, pieces = 0n] = fields;
  if (pieces < 1n || pieces > PIECES_MAX || sequence >= pieces) {
    throw malformed(`piece ${sequence} of ${pieces}`);
  }
  return { operation, sequence: Number(sequence), pieces: Number(pieces) };
}

const malformed = (what: string): RollcallError =>
  new RollcallError("wire/malformed", `the place of a piece: ${what}`);

const CHUNK_INFO = struct({
  OpNum: wideUint64,
  SequenceNum: uint64,
  NumChunks: uint64,
  Term: uint64,
  Data: bytes,
});
const CHUNK_INFO_CODEC = codecOf(CHUNK_INFO);
export type ChunkInfo = ValueOf<typeof CHUNK_INFO>;

/** By operation, then by sequence number: what snapshots carry of commands that are not complete. */
export type ChunkingState = ReadonlyMap<bigint, ReadonlyMap<number, ChunkInfo>>;

export class ChunkCollector {
  #collected = new Map<bigint, Map<number, ChunkInfo>>();
  #term = 0;

  /** It does not change with what is added later. */
  get state(): ChunkingState {
    return new Map([...this.#collected].map(([operation, pieces]) => [operation, new Map(pieces)]));
  }

  /**
   * @returns the whole command with its last piece, undefined before
   * @throws {RollcallError} `wire/malformed`: the piece is none, and was not taken
   */
  add(piece: {
    readonly term: number;
    readonly data: Uint8Array;
    readonly extensions: Uint8Array;
  }): Uint8Array | undefined {
    const { operation, sequence, pieces } = decodePlace(piece.extensions);
    if (piece.term !== this.#term) {
      this.#collected.clear();
      this.#term = piece.term;
    }
    const collected = this.#collected.get(operation) ?? new Map<number, ChunkInfo>();
    this.#collected.set(operation, collected);
    collected.set(sequence, {
      OpNum: operation,
      SequenceNum: sequence,
      NumChunks: pieces,
      Term: piece.term,
      Data: piece.data,
    });
    if (collected.size < pieces) return undefined;
    this.#collected.delete(operation);
    return join(collected);
  }

  restore(state: ChunkingState): void {
    this.#collected = new Map(
      [...state].map(([operation, pieces]) => [operation, new Map(pieces)]),
    );
    const terms = [...state.values()].flatMap((pieces) =>
      [...pieces.values()].map(({ Term }) => Term),
    );
    this.#term = terms.reduce((highest, term) => Math.max(highest, term), 0);
  }
}

function join(pieces: ReadonlyMap<number, ChunkInfo>): Uint8Array {
  const inOrder = [...pieces.values()].sort((a, b) => a.SequenceNum - b.SequenceNum);
  const whole = new Uint8Array(inOrder.reduce((sum, { Data }) => sum + Data.length, 0));
  let at = 0;
  for (const { Data } of inOrder) {
    whole.set(Data, at);
    at += Data.length;
  }
  return whole;
}

/** As a snapshot's last record. Go has a list for each operation, with nil where a piece has not come. */
export function writeChunkingState(into: MsgpackWriter, state: ChunkingState): void {
  into.mapHeader(1);
  into.text("ChunkMap");
  into.mapHeader(state.size);
  for (const [operation, pieces] of state) {
    into.wideInteger(operation);
    const [first] = pieces.values();
    const count = first?.NumChunks ?? 0;
    into.listHeader(count);
    for (let sequence = 0; sequence < count; sequence += 1) {
      const piece = pieces.get(sequence);
      if (piece === undefined) into.nil();
      else CHUNK_INFO_CODEC.write(into, piece);
    }
  }
}

/** @throws {RollcallError} `wire/malformed` */
export function readChunkingState(from: MsgpackReader): ChunkingState {
  const state = new Map<bigint, Map<number, ChunkInfo>>();
  for (let fields = from.mapHeader(); fields > 0; fields -= 1) {
    if (from.text() !== "ChunkMap") from.skip();
    else if (!from.takeNil()) readChunkMap(from, state);
  }
  return state;
}

function readChunkMap(from: MsgpackReader, state: Map<bigint, Map<number, ChunkInfo>>): void {
  for (let left = from.mapHeader(); left > 0; left -= 1) {
    const operation = from.wideInteger();
    const pieces = new Map<number, ChunkInfo>();
    state.set(operation, pieces);
    const count = from.listHeader();
    if (count > PIECES_MAX) throw malformed(`one of ${count}`);
    for (let sequence = 0; sequence < count; sequence += 1) {
      if (from.takeNil()) continue;
      const piece = CHUNK_INFO_CODEC.read(from);
      // Otherwise it would be written elsewhere than it was read, or never be written to its end.
      if (piece.SequenceNum !== sequence || piece.NumChunks !== count) {
        throw malformed(
          `${piece.SequenceNum} of ${piece.NumChunks} stands at ${sequence} of ${count}`,
        );
      }
      pieces.set(sequence, piece);
    }
  }
}
