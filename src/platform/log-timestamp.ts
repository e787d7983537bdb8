/**
 * Instants as log lines show them, in local time: computed from the numbers, as a clock of the language would
 * bring in the machine's own time and zone.
 */

const DAY_MS = 86_400_000;
const DAYS_IN_400_YEARS = 146_097;
/** Days from 0000-03-01 to 1970-01-01. Years start in March here, so that a leap day is their last. */
const EPOCH_DAYS = 719_468;

interface LocalTime {
  /** `2026-11-23T13:22:48` */
  readonly seconds: string;
  readonly milliseconds: string;
}

/** `2026-11-23T13:22:48Z` */
export function secondsTimestamp(wallMs: number): string {
  return `${localTime(wallMs, 0).seconds}Z`;
}

/** `2026-11-23T13:22:48.123+0100`, or `…Z` where local time is UTC. */
export function textTimestamp(wallMs: number, zoneOffsetMinutes: number): string {
  const { seconds, milliseconds } = localTime(wallMs, zoneOffsetMinutes);
  return `${seconds}.${milliseconds}${zone(zoneOffsetMinutes, "")}`;
}

/** `2026-11-23T13:22:48.123000+01:00`: as many digits as programs that read Consul's JSON lines expect. */
export function jsonTimestamp(wallMs: number, zoneOffsetMinutes: number): string {
  const { seconds, milliseconds } = localTime(wallMs, zoneOffsetMinutes);
  return `${seconds}.${milliseconds}000${zone(zoneOffsetMinutes, ":")}`;
}

function localTime(wallMs: number, zoneOffsetMinutes: number): LocalTime {
  const localMs = Math.floor(wallMs) + zoneOffsetMinutes * 60_000;
  const day = Math.floor(localMs / DAY_MS);
  const ofDayMs = localMs - day * DAY_MS;
  const hour = digits(Math.floor(ofDayMs / 3_600_000));
  const minute = digits(Math.floor(ofDayMs / 60_000) % 60);
  const second = digits(Math.floor(ofDayMs / 1000) % 60);
  return {
    seconds: `${dateOf(day)}T${hour}:${minute}:${second}`,
    milliseconds: digits(ofDayMs % 1000, 3),
  };
}

/** The Gregorian date so many days after 1970-01-01. */
function dateOf(day: number): string {
  const days = day + EPOCH_DAYS;
  const era = Math.floor(days / DAYS_IN_400_YEARS);
  const ofEra = days - era * DAYS_IN_400_YEARS;
  const leapDays =
    Math.floor(ofEra / 1460) - Math.floor(ofEra / 36_524) + Math.floor(ofEra / 146_096);
  const yearOfEra = Math.floor((ofEra - leapDays) / 365);
  const ofYear =
    ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const dayOfMonth = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0);
  return `${digits(year, 4)}-${digits(month)}-${digits(dayOfMonth)}`;
}

function zone(offsetMinutes: number, separator: string): string {
  if (offsetMinutes === 0) return "Z";
  const minutes = Math.abs(offsetMinutes);
  const sign = offsetMinutes < 0 ? "-" : "+";
  return `${sign}${digits(Math.floor(minutes / 60))}${separator}${digits(minutes % 60)}`;
}

function digits(value: number, count = 2): string {
  return String(value).padStart(count, "0");
}
