/**
 * How a method travels: under which name, and how its arguments and its reply are told in Consul's structs. Each is
 * described once, for the asking side and for the answering one.
 */
import {
  bool,
  list,
  messageOf,
  struct,
  text,
  type Codec,
  type Static,
  type TSchema,
} from "../model/index.ts";
import type { MsgpackReader, MsgpackWriter } from "../wire/index.ts";
import type { Answer, MethodName, Methods } from "./methods.ts";
import {
  fromMeta,
  fromQuery,
  QUERY_META,
  QUERY_OPTIONS,
  toMeta,
  type WireQuery,
} from "./query-shapes.ts";
import type { CallServer, RemoteMethodName, RemoteMethods } from "./remote-methods.ts";

export type ArgsOf<M extends RemoteMethodName> = RemoteMethods[M]["args"];
export type ReplyOf<M extends RemoteMethodName> = RemoteMethods[M]["reply"];

export type WriteReply = (into: MsgpackWriter) => void;

/** An answering side: reads the arguments, and then answers them. */
export interface Served {
  /** What the arguments and the reply are on the wire. */
  readonly codecs: Codecs;
  /** @throws {RollcallError} `wire/malformed` for what are no such arguments */
  prepare(from: MsgpackReader): Prepared;
}
interface Codecs {
  readonly args: Codec<unknown>;
  readonly reply: Codec<unknown>;
}
export type Prepared = (server: CallServer, signal: AbortSignal) => Promise<WriteReply>;

/** An asking side. */
export interface Asked<A, R> {
  /** On the wire. */
  nameFor(args: A): string;
  /** @param datacenter is the caller's own, for arguments that name none */
  writeArgs(into: MsgpackWriter, args: A, datacenter: string): void;
  /** @throws {RollcallError} `wire/malformed` */
  readReply(from: MsgpackReader, args: A): R;
  /** How to learn the same from a server that does not have the method (`isUnknownMethod`). */
  readonly instead?: Instead<A, R> | undefined;
}
/** One more call to the same server. */
export type Ask = <A, R>(asked: Asked<A, R>, args: A) => Promise<R>;
type Instead<A, R> = (ask: Ask, args: A) => Promise<R>;

export interface Exchange<M extends RemoteMethodName>
  extends Served, Asked<ArgsOf<M>, ReplyOf<M>> {}

/** Names and schemas of the fields of a struct. */
export type Fields = Readonly<Record<string, TSchema>>;
export type Values<F extends Fields> = { readonly [K in keyof F]: Static<F[K]> };

/** A struct without fields: what methods take and give that have nothing to say. */
export const NOTHING: Codec<object> = messageOf(struct("struct{}", {}));
export const TEXT = messageOf(text());
export const BOOL = messageOf(bool());
export const TEXTS = messageOf(list(text()));
/** `Datacenter`, or the caller's own where it names none: servers take no empty name for their own. */
export const inDatacenter = (named: string | undefined, own: string): string =>
  named === undefined || named === "" ? own : named;

interface ServedRow<A, R> {
  readonly args: Codec<A>;
  readonly reply: Codec<R>;
  /** Answers what the wire asked, in the wire's terms. */
  answer(server: CallServer, wire: A, signal: AbortSignal): Promise<R> | R;
}

/** A method that is answered and never asked. */
export function served<A, R>(row: ServedRow<A, R>): Served {
  const { args, reply } = row;
  return {
    codecs: { args, reply },
    prepare: (from) => {
      const wire = args.read(from);
      return async (server, signal) => {
        const answered = await row.answer(server, wire, signal);
        return (into) => reply.write(into, answered);
      };
    },
  };
}

interface PlainRow<M extends RemoteMethodName, A, R> extends ServedRow<A, R> {
  /** A function where Consul has two methods for one of ours. */
  readonly name: string | ((args: ArgsOf<M>) => string);
  fromArgs(args: ArgsOf<M>, datacenter: string): A;
  toReply(wire: R, args: ArgsOf<M>): ReplyOf<M>;
  readonly instead?: Instead<ArgsOf<M>, ReplyOf<M>>;
}

/** A method whose arguments and reply are structs, or scalars, of their own. */
export function plain<M extends RemoteMethodName, A, R>(row: PlainRow<M, A, R>): Exchange<M> {
  const { name, args, reply } = row;
  return {
    ...served(row),
    nameFor: typeof name === "string" ? () => name : name,
    writeArgs: (into, own, datacenter) => args.write(into, row.fromArgs(own, datacenter)),
    readReply: (from, own) => row.toReply(reply.read(from), own),
    instead: row.instead,
  };
}

type ReadName = {
  [M in MethodName]: Methods[M]["reply"] extends Answer<object> ? M : never;
}[MethodName];
type ValueOf<M extends ReadName> = Methods[M]["reply"] extends Answer<infer V> ? V : never;

interface ReadRow<M extends ReadName, A extends Fields, R extends Fields> {
  readonly method: M;
  /** What it is called on the wire, if it is called otherwise there. */
  readonly name?: string;
  /** Which method is meant, where Consul has one for two of ours that take and give the same. */
  meant?(wire: WireQuery & Values<A>): ReadName;
  /** Besides `Datacenter` and the options of every query. */
  readonly args: A;
  /** Besides what is said about every answer. */
  readonly reply: R;
  toArgs(wire: WireQuery & Values<A>): ArgsOf<M>;
  fromArgs(args: ArgsOf<M>, datacenter: string): Values<A>;
  toValue(wire: Values<R>, args: ArgsOf<M>): ValueOf<M>;
  /** @throws {RollcallError} for what Consul's servers answer with an error */
  fromValue(value: ValueOf<M>, wire: WireQuery & Values<A>): Values<R>;
  /** Set where nobody can wait for a change: such answers have no index. */
  readonly index?: "none";
}

/** A method that answers a query. */
export function read<M extends ReadName, A extends Fields, R extends Fields>(
  row: ReadRow<M, A, R>,
): Exchange<M> {
  const args = messageOf(struct(row.method, { ...QUERY_OPTIONS, ...row.args })) as unknown as Codec<
    WireQuery & Values<A>
  >;
  const reply = answerCodec(row.method, row.reply);
  return {
    ...served<WireQuery & Values<A>, WireAnswer<R>>({
      args,
      reply,
      answer: async (server, wire, signal) => {
        const method = (row.meant?.(wire) ?? row.method) as M;
        const answered = await server.call(method, row.toArgs(wire), { signal });
        const { value, meta } = answered as unknown as Answer<ValueOf<M> & object>;
        const shown = row.index === "none" ? { ...meta, Index: 0 } : meta;
        return { ...fromMeta(shown), ...row.fromValue(value, wire) };
      },
    }),
    nameFor: () => row.name ?? row.method,
    writeArgs: (into, own, datacenter) => {
      const query = own as ArgsOf<M> & Parameters<typeof fromQuery>[0];
      args.write(into, { ...fromQuery(query, datacenter), ...row.fromArgs(own, datacenter) });
    },
    readReply: (from, own) => {
      const wire = reply.read(from);
      return { value: row.toValue(wire, own), meta: toMeta(wire) } as unknown as ReplyOf<M>;
    },
  };
}

type WireAnswer<R extends Fields> = ReturnType<typeof fromMeta> & Values<R>;

export function answerCodec<R extends Fields>(name: string, fields: R): Codec<WireAnswer<R>> {
  return messageOf(struct(name, { ...QUERY_META, ...fields }));
}
