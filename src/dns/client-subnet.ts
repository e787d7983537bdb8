/**
 * The EDNS option with which a resolver says for whom it asks (RFC 7871 §6):
 *
 *     | family, u16 | source bits, u8 | scope bits, u8 | the address's first bytes |
 */
const IPV6 = 2;
const IPV6_BYTES = 16;
const IPV4_BYTES = 4;
const ADDRESS_OFFSET = 4;

/** @param option checked by the decoder @returns as Go writes it; bits that were not sent are zero */
export function addressOfSubnet(option: Uint8Array): string {
  const isV6 = option[1] === IPV6;
  const bytes = new Uint8Array(isV6 ? IPV6_BYTES : IPV4_BYTES);
  bytes.set(option.subarray(ADDRESS_OFFSET, ADDRESS_OFFSET + bytes.length));
  return isV6 ? ipv6Text(bytes) : bytes.join(".");
}

/** RFC 5952: the longest run of zero groups, the first of equal ones, and no single one, is written `::`. */
function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: IPV6_BYTES / 2 },
    (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0),
  );
  let run = { start: 0, length: 1 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end += 1;
    if (end - start > run.length) run = { start, length: end - start };
  }
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  if (run.length < 2) return text(0, groups.length);
  return `${text(0, run.start)}::${text(run.start + run.length, groups.length)}`;
}
