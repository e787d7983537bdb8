/**
 * Tags of a member: what memberlist carries as a node's Meta (serf: encodeTags). The byte ff and a msgpack map
 * of texts. Meta of protocol 2 and older has no such byte, and is as a whole the value of the tag `role`.
 */
import { RollcallError } from "../errors/index.ts";
import { decodeGoText } from "./go-text.ts";
import { codecOf } from "./msgpack-codec.ts";
import { MsgpackReader } from "./msgpack-reader.ts";
import { map, text } from "./msgpack-schema.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";

export type Tags = Readonly<Record<string, string>>;

/** Memberlist's limit for Meta. */
const META_BYTES_MAX = 512;
const TAG_BYTE = 0xff;
const TAGS = codecOf(map(text));

/** @throws {RollcallError} `request/refused`, in serf's words, when there are too many of them */
export function encodeTags(tags: Tags): Uint8Array {
  const into = new MsgpackWriter();
  into.byte(TAG_BYTE);
  TAGS.write(into, tags);
  if (into.lengthBytes > META_BYTES_MAX) {
    const text = `Encoded length of tags exceeds limit of ${META_BYTES_MAX} bytes`;
    throw new RollcallError("request/refused", text);
  }
  return into.finish();
}

/** @throws {RollcallError} `wire/malformed` */
export function decodeTags(meta: Uint8Array): Tags {
  if (meta[0] === TAG_BYTE) return TAGS.read(new MsgpackReader(meta, 1));
  return { role: decodeGoText(meta, 0, meta.length) };
}
