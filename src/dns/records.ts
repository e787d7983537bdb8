/**
 * The record types that Rollcall answers with, one row each: its number and how its data is written. Adding a
 * type is adding a row: the TypeScript types of records follow from the table.
 *
 * Data is written once, into a block that knows the question's name and nothing else of the message it will
 * be part of. Names are therefore shortened only by pointers into the question, which stands at a fixed
 * place (RFC 1035 §4.1.4), and a block can be copied to anywhere in any answer to that question.
 */
import { sharedSuffix, type Name } from "./names.ts";

/** The question's name begins right after the header. */
export const QUESTION_OFFSET = 12;
export const CLASS_IN = 1;

/** RFC 1035 §3.3, RFC 3596 (AAAA), RFC 2782 (SRV: its target is never compressed). */
export const RECORD_TYPES = {
  A: { code: 1, write: (to: DataWriter, address: Uint8Array) => to.bytes(address) },
  NS: { code: 2, write: (to: DataWriter, host: Name) => to.name(host) },
  CNAME: { code: 5, write: (to: DataWriter, canonical: Name) => to.name(canonical) },
  SOA: {
    code: 6,
    write: (to: DataWriter, soa: StartOfAuthority) => {
      to.name(soa.primary);
      to.name(soa.mailbox);
      to.u32(soa.serial);
      to.u32(soa.refreshS);
      to.u32(soa.retryS);
      to.u32(soa.expireS);
      to.u32(soa.minTtlS);
    },
  },
  PTR: { code: 12, write: (to: DataWriter, host: Name) => to.name(host) },
  TXT: {
    code: 16,
    write: (to: DataWriter, text: string) => {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at === 0 || at < bytes.length; at += TXT_STRING_MAX_BYTES) {
        const part = bytes.subarray(at, at + TXT_STRING_MAX_BYTES);
        to.u8(part.length);
        to.bytes(part);
      }
    },
  },
  AAAA: { code: 28, write: (to: DataWriter, address: Uint8Array) => to.bytes(address) },
  SRV: {
    code: 33,
    write: (to: DataWriter, service: ServiceLocation) => {
      to.u16(service.priority);
      to.u16(service.weight);
      to.u16(service.port);
      to.bytes(service.target);
    },
  },
} as const;

/** Types that appear in questions only. */
export const QUERY_TYPES = { OPT: 41, AXFR: 252, ANY: 255 } as const;

export type RecordTypeName = keyof typeof RECORD_TYPES;
export type RecordData<T extends RecordTypeName> = Parameters<(typeof RECORD_TYPES)[T]["write"]>[1];
export type RecordOf<T extends RecordTypeName> = Readonly<{
  name: Name;
  type: T;
  ttlS: number;
  data: RecordData<T>;
}>;
export type ResourceRecord = { [T in RecordTypeName]: RecordOf<T> }[RecordTypeName];

export interface StartOfAuthority {
  readonly primary: Name;
  readonly mailbox: Name;
  readonly serial: number;
  readonly refreshS: number;
  readonly retryS: number;
  readonly expireS: number;
  readonly minTtlS: number;
}
export interface ServiceLocation {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: Name;
}

const TXT_STRING_MAX_BYTES = 255;
const TTL_MAX_S = 0x7fffffff; // RFC 2181 §8

/** A record's bytes, and how many they would be without compression. */
export interface WrittenRecord {
  readonly bytes: Uint8Array;
  readonly plainSizeBytes: number;
}

/** @param compressTo the question's name, or undefined to write every name in full */
export function writeRecord(record: ResourceRecord, compressTo: Name | undefined): WrittenRecord {
  const to = new DataWriter(compressTo);
  to.name(record.name);
  writeAfterName(to, record);
  return to.finish();
}

/** A name as it is written anywhere in a message whose question is `compressTo`. */
export function writeName(name: Name, compressTo: Name | undefined): Uint8Array {
  const to = new DataWriter(compressTo);
  to.name(name);
  return to.finish().bytes;
}

/** The record with two zero bytes where its name belongs: room for a pointer. */
export function writeNameless(record: ResourceRecord, compressTo: Name | undefined): WrittenRecord {
  const to = new DataWriter(compressTo);
  to.u16(0);
  writeAfterName(to, record);
  const { bytes, plainSizeBytes } = to.finish();
  return { bytes, plainSizeBytes: plainSizeBytes - 2 + record.name.length };
}

function writeAfterName(to: DataWriter, record: ResourceRecord): void {
  const { code, write } = RECORD_TYPES[record.type];
  to.u16(code);
  to.u16(CLASS_IN);
  to.u32(Math.min(Math.max(Math.trunc(record.ttlS), 0), TTL_MAX_S));
  const lengthAt = to.reserveU16();
  (write as (to: DataWriter, data: ResourceRecord["data"]) => void)(to, record.data);
  to.fillU16(lengthAt);
}

class DataWriter {
  readonly #compressTo: Name | undefined;
  readonly #bytes: number[] = [];
  #savedBytes = 0;

  constructor(compressTo: Name | undefined) {
    this.#compressTo = compressTo;
  }

  u8(value: number): void {
    this.#bytes.push(value & 0xff);
  }
  u16(value: number): void {
    this.#bytes.push((value >>> 8) & 0xff, value & 0xff);
  }
  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value);
  }
  bytes(value: Uint8Array): void {
    for (const byte of value) this.#bytes.push(byte);
  }
  name(name: Name): void {
    const shared =
      this.#compressTo === undefined ? undefined : sharedSuffix(name, this.#compressTo);
    if (shared === undefined) {
      this.bytes(name);
      return;
    }
    this.bytes(name.subarray(0, shared.keep));
    this.u16(0xc000 | (QUESTION_OFFSET + shared.at));
    this.#savedBytes += name.length - shared.keep - 2;
  }
  /** Holds the place of a length that is filled in once what it measures has been written. */
  reserveU16(): number {
    this.u16(0);
    return this.#bytes.length;
  }
  fillU16(at: number): void {
    const length = this.#bytes.length - at;
    this.#bytes[at - 2] = length >>> 8;
    this.#bytes[at - 1] = length & 0xff;
  }
  finish(): WrittenRecord {
    const bytes = Uint8Array.from(this.#bytes);
    return { bytes, plainSizeBytes: bytes.length + this.#savedBytes };
  }
}
