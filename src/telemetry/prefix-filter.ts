/**
 * Which names are measured: `telemetry.prefix_filter` and `telemetry.filter_default` (Consul docs: "Telemetry").
 *
 * @param rules `+prefix` or `-prefix`; of those that a name begins with the longest decides, and of equal ones "-".
 *   Anything else was warned of when the configuration was read, and is passed over.
 */
export function prefixFilter(
  rules: readonly string[],
  filterDefault: boolean,
): (name: string) => boolean {
  const sorted = rules
    .filter((rule) => /^[+-]./.test(rule))
    .map((rule) => ({ prefix: rule.slice(1), allows: rule.startsWith("+") }))
    .toSorted((a, b) => b.prefix.length - a.prefix.length || Number(a.allows) - Number(b.allows));
  return (name) => sorted.find(({ prefix }) => name.startsWith(prefix))?.allows ?? filterDefault;
}
