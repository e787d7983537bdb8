/**
 * URLs as Go's client writes them: error messages quote them, and an agent's access log should look the same
 * whichever command line asked.
 */

/** Escapes a path. A slash stays one, and so does "$&+,:;=@". */
export function escapePath(path: string): string {
  return escape(path, PLAIN_IN_PATH);
}

/** `a=1&b=`, keys sorted, values in the order given. "" if there is nothing to ask. */
export function escapeQuery(pairs: Query): string {
  return pairs
    .toSorted(([a], [b]) => (a === b ? 0 : a < b ? -1 : 1))
    .map(([key, value]) => `${queryPart(key)}=${queryPart(value)}`)
    .join("&");
}
export type Query = readonly (readonly [key: string, value: string])[];

/** A host name that is a socket's path. */
export function escapeHost(path: string): string {
  return escape(path, PLAIN_ANYWHERE);
}

const PLAIN_ANYWHERE = /[A-Za-z0-9\-_.~]/;
const PLAIN_IN_PATH = /[A-Za-z0-9\-_.~$&+,/:;=@]/;

const queryPart = (text: string): string => escape(text, PLAIN_ANYWHERE).replaceAll("%20", "+");

function escape(text: string, plain: RegExp): string {
  let escaped = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const character = String.fromCharCode(byte);
    escaped += plain.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}
