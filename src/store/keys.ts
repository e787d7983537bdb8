/**
 * Keys of tables. Parts are joined with NUL, which sorts before everything else, so that the instances of "web" stand
 * before those of "web2". Names and ids of the catalog compare without regard to case.
 */
import { keyPart } from "./key-part.ts";

export function join(first: string, second: string, third?: string): string {
  const two = `${keyPart(first)}\0${keyPart(second)}`;
  return third === undefined ? two : `${two}\0${keyPart(third)}`;
}
export const fold = (name: string): string => name.toLowerCase();
