/**
 * A part of a key whose parts are joined with NUL. Names may hold NUL too, and then it is written as something else:
 * an instance of "web\0x" must not stand among those of "web", nor two questions be taken for one.
 */
export function keyPart(text: string): string {
  if (!text.includes("\0") && !text.includes("\x01")) return text;
  return text.replaceAll("\x01", "\x01\x02").replaceAll("\0", "\x01\x01");
}
