/**
 * Where a node or a service has a name in place of an address, that name is looked up as well, so that a client
 * gets an address in one exchange: in the catalog when it lies in our own domain, else through recursors.
 */
import type { Name } from "./names.ts";
import type { ResourceRecord } from "./records.ts";

/** Records that `name` leads to; none when it does not exist, nobody answers, or the chain is too long. */
export type Chase = (name: Name) => Promise<readonly ResourceRecord[]>;

/** Links followed for one question. Two services may name each other, so there must be an end. */
export const CHASE_DEPTH_MAX = 3;

/** Records taken for a service's address that is a name, when the client sent no EDNS. */
export const CHASED_RECORDS_PLAIN_MAX = 5;
