/** Whether two records say the same, their Raft indexes left aside. Plain values only: no cycles. */
const INDEX_FIELDS = new Set(["CreateIndex", "ModifyIndex"]);

export function sameRecord(a: object, b: object): boolean {
  return sameFields(a, b, INDEX_FIELDS);
}

const NONE: ReadonlySet<string> = new Set();

function sameFields(a: object, b: object, ignored: ReadonlySet<string>): boolean {
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  let more = 0;
  for (const name in left) {
    if (ignored.has(name)) continue;
    if (!Object.hasOwn(right, name) || !sameValue(left[name], right[name])) return false;
    more++;
  }
  for (const name in right) if (!ignored.has(name)) more--;
  return more === 0;
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameBytes(a, b);
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  }
  return sameFields(a, b, NONE);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
