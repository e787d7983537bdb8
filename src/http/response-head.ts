/** The head of an answer as bytes on the wire, for the fast lane; Node writes that of its own lane. */
import { STATUS_CODES } from "node:http";

/** What a header may not hold: above all the line end, with which a value could write headers of its own. */
const NOT_IN_HEADERS = /[^\t -~\x80-\xff]/;

/**
 * @param headers name, value, name, value …
 * @throws {TypeError} for a value that no header can have
 */
export function headText(
  status: number,
  headers: readonly string[],
  date: string,
  closes: boolean,
): string {
  let text = STATUS_LINES.get(status) ?? statusLine(status);
  for (let i = 0; i + 1 < headers.length; i += 2) {
    text += `${headers[i]}: ${requireValue(headers[i + 1] as string)}\r\n`;
  }
  return `${text}Date: ${date}\r\n${closes ? "Connection: close\r\n" : ""}\r\n`;
}

function requireValue(value: string): string {
  if (NOT_IN_HEADERS.test(value)) throw new TypeError("Invalid character in header content");
  return value;
}

const STATUS_LINES = new Map([200, 404].map((status) => [status, statusLine(status)]));

function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n`;
}
