// Deterministic CBOR (RFC 8949 4.2.1), as crypto/cbor.py: one encoding per value, every other encoding is refused.
// Integers within 2^53 are numbers, others BigInt; bytes are Uint8Array; maps are Map with integers or texts as keys.

export class Refused extends Error {
  // `code` is one of the codes of crypto/errors.py: malformed, unknown_version, invalid_signature, invalid_proof.
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export const malformed = (message) => new Refused("malformed", message);

const TEXT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const UTF8 = new TextEncoder();

export function decode(data, depthMax = 16) {
  const reader = { data, at: 0 };
  const value = read(reader, depthMax);
  if (reader.at !== data.length) throw malformed("The message has leftovers behind its end.");
  return value;
}

function read(reader, depthLeft) {
  const [major, argument, small] = head(reader);
  switch (major) {
    case 0:
      return argument;
    case 1:
      return typeof argument === "bigint" || argument === Number.MAX_SAFE_INTEGER ? -1n - BigInt(argument) : -1 - argument;
    case 2:
      return take(reader, argument).slice();
    case 3:
      try {
        return TEXT.decode(take(reader, argument));
      } catch (error) {
        throw error instanceof Refused ? error : malformed("The message holds a text that is not UTF-8.");
      }
    case 4:
    case 5:
      return many(reader, major, argument, depthLeft);
    case 7:
      if (small === 20) return false;
      if (small === 21) return true;
      if (small === 22) return null;
  }
  throw malformed("The message holds a tag, a float or another value that is not allowed.");
}

function many(reader, major, count, depthLeft) {
  // every item takes a byte at least, so a count beyond the end is refused before anything is made
  if (depthLeft === 0 || count > reader.data.length - reader.at) {
    throw malformed("The message is nested too deeply or ends too soon.");
  }
  if (major === 4) return Array.from({ length: Number(count) }, () => read(reader, depthLeft - 1));
  const map = new Map();
  let before = null;
  for (let number = 0; number < count; number += 1) {
    const start = reader.at;
    const key = read(reader, 0);
    if (typeof key !== "string" && typeof key !== "number" && typeof key !== "bigint") {
      throw malformed("A map in the message has a key that is neither an integer nor a text.");
    }
    const encoded = reader.data.subarray(start, reader.at);
    if (before !== null && compare(before, encoded) >= 0) throw malformed("A map's keys are out of order or double.");
    before = encoded;
    map.set(key, read(reader, depthLeft - 1));
  }
  return map;
}

// The major type, the argument in its shortest form, and the five low bits.
function head(reader) {
  const first = take(reader, 1)[0];
  const [major, small] = [first >> 5, first & 31];
  if (small < 24) return [major, small, small];
  if (small > 27 || major === 7) throw malformed("The message is of indefinite length or holds a float.");
  const bytes = take(reader, 1 << (small - 24));
  let argument = 0n;
  for (const byte of bytes) argument = (argument << 8n) | BigInt(byte);
  const least = [24n, 0x100n, 0x10000n, 0x100000000n][small - 24];
  if (argument < least) throw malformed("A number in the message is longer than it must be.");
  return [major, argument <= Number.MAX_SAFE_INTEGER ? Number(argument) : argument, small];
}

function take(reader, count) {
  if (count > reader.data.length - reader.at) throw malformed("The message ends too soon.");
  reader.at += Number(count);
  return reader.data.subarray(reader.at - Number(count), reader.at);
}

function compare(left, right) {
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    if (left[at] !== right[at]) return left[at] - right[at];
  }
  return left.length - right.length;
}

export function encode(value) {
  if (value === null) return Uint8Array.of(0xf6);
  if (typeof value === "boolean") return Uint8Array.of(value ? 0xf5 : 0xf4);
  if (typeof value === "number" || typeof value === "bigint") {
    return value >= 0 ? lead(0, value) : lead(1, -1n - BigInt(value));
  }
  if (typeof value === "string") {
    const bytes = UTF8.encode(value);
    return concat(lead(3, bytes.length), bytes);
  }
  if (value instanceof Uint8Array) return concat(lead(2, value.length), value);
  if (Array.isArray(value)) return concat(lead(4, value.length), ...value.map(encode));
  const entries = [...value].map(([key, item]) => [encode(key), encode(item)]);
  entries.sort(([left], [right]) => compare(left, right));
  return concat(lead(5, entries.length), ...entries.flat());
}

function lead(major, argument) {
  const value = BigInt(argument);
  if (value < 24n) return Uint8Array.of((major << 5) | Number(value));
  const size = value < 0x100n ? 0 : value < 0x10000n ? 1 : value < 0x100000000n ? 2 : 3;
  const bytes = new Uint8Array(1 + (1 << size));
  bytes[0] = (major << 5) | (24 + size);
  for (let at = bytes.length - 1, rest = value; at > 0; at -= 1, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
  return bytes;
}

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equal(left, right) {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
