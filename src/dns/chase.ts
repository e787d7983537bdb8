/**
 * Where a node or a service has a name in place of an address, that name is looked up as well when it lies in
 * our own domain, so that a client gets an address in one exchange. Names outside stay as they are.
 */
import type { Name } from "./names.ts";
import type { ResourceRecord } from "./records.ts";

/** Records that `name` leads to; none when it is not ours, does not exist, or the chain is too long. */
export type Chase = (name: Name) => Promise<readonly ResourceRecord[]>;

/** Links followed for one question. Two services may name each other, so there must be an end. */
export const CHASE_DEPTH_MAX = 3;
