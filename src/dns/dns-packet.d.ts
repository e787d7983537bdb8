/** The part of the npm package dns-packet that tests use as an independent parser; it ships no types. */
declare module "dns-packet" {
  export interface DecodedQuestion {
    readonly name: string;
    readonly type: string;
    readonly class: string;
  }
  export interface DecodedSrv {
    readonly priority: number;
    readonly weight: number;
    readonly port: number;
    readonly target: string;
  }
  export interface DecodedSoa {
    readonly mname: string;
    readonly rname: string;
    readonly serial: number;
    readonly refresh: number;
    readonly retry: number;
    readonly expire: number;
    readonly minimum: number;
  }
  export interface DecodedOption {
    readonly code: number;
    readonly data: Buffer;
  }
  interface RecordBase<T extends string, D> {
    readonly name: string;
    readonly type: T;
    readonly ttl: number;
    readonly class: string;
    readonly data: D;
  }
  export interface DecodedOpt {
    readonly name: string;
    readonly type: "OPT";
    readonly udpPayloadSize: number;
    readonly ednsVersion: number;
    readonly extendedRcode: number;
    readonly flags: number;
    readonly options: readonly DecodedOption[];
  }
  export type DecodedRecord =
    | RecordBase<"A" | "AAAA" | "NS" | "CNAME" | "PTR", string>
    | RecordBase<"TXT", readonly Buffer[]>
    | RecordBase<"SRV", DecodedSrv>
    | RecordBase<"SOA", DecodedSoa>
    | DecodedOpt;
  export interface DecodedMessage {
    readonly id: number;
    readonly type: "query" | "response";
    readonly opcode: string;
    readonly rcode: string;
    readonly flag_aa: boolean;
    readonly flag_tc: boolean;
    readonly flag_rd: boolean;
    readonly flag_ra: boolean;
    readonly flag_z: boolean;
    readonly flag_ad: boolean;
    readonly flag_cd: boolean;
    readonly questions: readonly DecodedQuestion[];
    readonly answers: readonly DecodedRecord[];
    readonly authorities: readonly DecodedRecord[];
    readonly additionals: readonly DecodedRecord[];
  }
  export interface MessageToEncode {
    readonly type: "query";
    readonly id: number;
    readonly flags: number;
    readonly questions: readonly DecodedQuestion[];
    readonly additionals: readonly unknown[];
  }
  export function decode(bytes: Uint8Array): DecodedMessage;
  export function encode(message: MessageToEncode): Buffer;
}
