// A receipt and its printed form, verified as crypto/wire/receipt.py and crypto/wire/printed.py do, with nothing but
// the city's public keys: the COSE signature, the log's signed checkpoint, and that the log contains this outcome.
import { Refused, concat, decode, encode, equal, malformed } from "./cbor.js";
import {
  fromBase64, leafHash, openCheckpoint, readCheckpoint, readVerifier, rootFromInclusion, sha256, toBase64, toHex,
} from "./log.js";

const UTF8 = new TextEncoder();
const BYTES_MAX = 16 * 1024;
const AAD = UTF8.encode("city.receipt.v1");
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n; // of P-256 (SEC 2 2.4.2)
const ES256 = "a10126";
const EDDSA = "a10127";
const INTEGER_MAX = 2n ** 63n - 1n;
const TIME_MS_MAX = 253402300799999;

// The city's key file: those that this page was made with.
export async function readKeys(text) {
  const keys = { receipt: [], logs: [] };
  for (const line of text.split("\n")) {
    const [word, value = ""] = line.trim().split(" ");
    if (word === "receipt") {
      const spki = fromBase64(value);
      const use = { name: "ECDSA", namedCurve: "P-256" };
      const key = await crypto.subtle.importKey("spki", spki, use, false, ["verify"]);
      keys.receipt.push({ id: (await sha256(spki)).slice(0, 16), key });
    } else if (word === "log") {
      keys.logs.push(await readVerifier(value));
    }
  }
  return keys;
}

// What somebody pasted, photographed or followed: an address with the letters, the letters, or base64url of the receipt.
export async function readText(text) {
  const joined = text.replace(/\s+/g, "");
  const letters = joined.slice(joined.lastIndexOf("#") + 1);
  if (letters.length > BYTES_MAX * 2) throw malformed("The text is too long to be a receipt.");
  if (/^[A-Z2-7]+$/.test(letters) && fromBase32(letters)[0] === 0x84) return fromPrinted(letters);
  const plain = letters.replace(/=+$/, "").replace(/-/g, "+").replace(/_/g, "/");
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(letters)) throw malformed("The text is no receipt.");
  return fromBase64(plain + "=".repeat((4 - (plain.length % 4)) % 4));
}

export async function verifyReceipt(data, keys) {
  if (data.length > BYTES_MAX) throw malformed(`A receipt has at most ${BYTES_MAX} bytes.`);
  const message = readSign1(data);
  const signer = keys.receipt.find((one) => equal(one.id, message.kid));
  if (!signer) throw new Refused("invalid_signature", "The receipt is signed by a key that is not on this page.");
  if (message.payload === null) throw malformed("A payload must be enclosed.");
  await checkSignature(message, signer.key);
  const receipt = readReceipt(readHeader(message.payload));
  const head = await openCheckpoint(receipt.checkpoint, keys.logs);
  if (head.size !== BigInt(receipt.treeSize)) throw malformed("The checkpoint is of another size than the proof.");
  const root = await rootFromInclusion(await leafOf(receipt), receipt.leafIndex, receipt.treeSize, receipt.proof);
  if (!equal(root, head.root)) throw new Refused("invalid_proof", "The log does not contain what the receipt says.");
  return { ...receipt, log: head.origin, keyId: toHex(signer.id) };
}

// RFC 9052 4.2: tag 18, then [protected, unprotected, payload, signature].
function readSign1(data) {
  if (data[0] !== 0xd2) throw malformed("The message is not a COSE_Sign1 with its tag 18.");
  const parts = decode(data.subarray(1), 2);
  if (!Array.isArray(parts) || parts.length !== 4) throw malformed("The COSE_Sign1 does not have its four parts.");
  const [header, unprotected, payload, signature] = parts;
  const isSound = header instanceof Uint8Array && unprotected instanceof Map && signature instanceof Uint8Array;
  if (!isSound || !(payload === null || payload instanceof Uint8Array)) throw malformed("The COSE_Sign1 is not sound.");
  if (![ES256, EDDSA].includes(toHex(header))) throw malformed("The protected header is not the algorithm alone.");
  const kid = unprotected.size === 0 ? new Uint8Array() : unprotected.get(4);
  if (!(kid instanceof Uint8Array) || unprotected.size > 1 || kid.length > 64 || (unprotected.size && !kid.length)) {
    throw malformed("The unprotected header holds something else than a key id.");
  }
  if (signature.length !== 64) throw malformed("A signature has 64 bytes.");
  return { header, kid, payload, signature };
}

async function checkSignature({ header, payload, signature }, key) {
  const [r, s] = [0, 32].map((start) => BigInt(`0x${toHex(signature.slice(start, start + 32))}`));
  const inRange = r > 0n && r < ORDER && s > 0n && s <= ORDER / 2n; // the stored form has a low s
  const signed = encode(["Signature1", header, AAD, payload]); // RFC 9052 4.4
  const use = { name: "ECDSA", hash: "SHA-256" };
  if (!inRange || toHex(header) !== ES256 || !(await crypto.subtle.verify(use, key, signature, signed))) {
    throw new Refused("invalid_signature", "The signature does not belong to the city's key and this receipt.");
  }
}

function readHeader(payload) {
  const parts = decode(payload, 3);
  if (!Array.isArray(parts) || parts.length < 2 || parts[0] !== "city.receipt") throw malformed("This is no receipt.");
  if (parts[1] !== 1) throw new Refused("unknown_version", "The receipt is of a version that this page does not know.");
  if (parts.length !== 3) throw malformed("A receipt has one part after its version.");
  return parts[2];
}

// --------------------------------------------------------------------------------------------------------- the fields

const bytes = (size) => (value) => value instanceof Uint8Array && value.length === size;
const integer = (least, most) => (value) =>
  (typeof value === "number" || typeof value === "bigint") && value >= least && value <= most;
const letters = (most) => (value) =>
  typeof value === "string" && value !== "" && [...value].length <= most && !/[^\P{C}]|(?! )\p{Z}/u.test(value);

// tag: [name, check, required]
const FIELDS = new Map([
  [1, ["recordId", bytes(16), true]],
  [2, ["recordHash", bytes(32), true]],
  [3, ["outcome", (value) => value === "accepted" || value === "rejected", true]],
  [4, ["reason", letters(64), false]],
  [5, ["kind", integer(0, 65535), true]],
  [6, ["amountCents", integer(0, 10 ** 15), false]],
  [7, ["currency", (value) => typeof value === "string" && /^[A-Z]{3}$/.test(value), false]],
  [8, ["entryHash", bytes(32), false]],
  [9, ["recordedAtMs", integer(0, TIME_MS_MAX), true]],
  [10, ["officialNumber", letters(64), false]],
  [11, ["salt", bytes(32), true]],
  [12, ["leafIndex", integer(0, INTEGER_MAX), true]],
  [13, ["treeSize", integer(1, INTEGER_MAX), true]],
  [14, ["proof", (value) => Array.isArray(value) && value.length <= 64 && value.every(bytes(32)), true]],
  [15, ["checkpoint", (value) => typeof value === "string" && value !== "" && [...value].length <= 4096, true]],
]);

function readReceipt(map) {
  if (!(map instanceof Map)) throw malformed("A receipt is a map.");
  const receipt = {};
  for (const [tag, [name, check, required]] of FIELDS) {
    receipt[name] = map.has(tag) ? map.get(tag) : null;
    if (map.has(tag) ? !check(map.get(tag)) : required) throw malformed(`The receipt's field ${tag} (${name}) is wrong.`);
  }
  if ([...map.keys()].some((tag) => !FIELDS.has(tag))) throw malformed("The receipt has a field that nobody knows.");
  if ((receipt.outcome === "rejected") !== (receipt.reason !== null)) throw malformed("A reason stands where rejected.");
  if ((receipt.amountCents === null) !== (receipt.currency === null)) throw malformed("An amount has its currency.");
  if (receipt.outcome === "rejected" && receipt.entryHash !== null) throw malformed("A rejected record has no entry.");
  return receipt;
}

async function leafOf(receipt) {
  const { recordId, recordHash, outcome, reason, entryHash, salt } = receipt;
  const commitment = await sha256(salt, encode([recordId, recordHash, outcome, reason, entryHash]));
  return leafHash(encode(["city.leaf", 1, commitment]));
}

// --------------------------------------------------------------------------------------------------- the printed form

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // RFC 4648 6

function fromBase32(text) {
  const data = new Uint8Array(Math.floor((text.length * 5) / 8));
  let [bits, held, at] = [0, 0, 0];
  for (const letter of text) {
    held = ((held << 5) | BASE32.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      data[at] = (held >> bits) & 0xff;
      at += 1;
    }
  }
  if (bits >= 5 || held & ((1 << bits) - 1)) throw malformed("The letters are not in their one encoding.");
  return data;
}

async function fromPrinted(text) {
  const parts = decode(fromBase32(text), 4);
  if (!Array.isArray(parts) || typeof parts[0] !== "number") throw malformed("The text is not a printed receipt.");
  if (parts[0] !== 1) throw new Refused("unknown_version", "The receipt is printed in a way that this page does not know.");
  const [, kid, signature, content] = parts;
  const isSound = kid instanceof Uint8Array && signature instanceof Uint8Array && content instanceof Map;
  if (!isSound || parts.length !== 4 || kid.length > 64 || signature.length !== 64) {
    throw malformed("The text is not a printed receipt.");
  }
  const [joined, packed] = [content.get(14), content.get(15)];
  if (!(joined instanceof Uint8Array) || joined.length % 32 || !Array.isArray(packed) || packed.length !== 2) {
    throw malformed("The printed receipt lacks its proof or its checkpoint.");
  }
  const hashes = Array.from({ length: joined.length / 32 }, (_, at) => joined.slice(at * 32, at * 32 + 32));
  const whole = new Map(content).set(14, hashes).set(15, "-");
  whole.set(15, await noteOf(readReceipt(whole), packed));
  const payload = encode(["city.receipt", 1, whole]);
  const unprotected = new Map(kid.length ? [[4, kid]] : []);
  return concat(Uint8Array.of(0xd2), encode([fromHex(ES256), unprotected, payload, signature]));
}

async function noteOf(receipt, [origin, signatures]) {
  const isSound = typeof origin === "string" && Array.isArray(signatures) && signatures.length >= 1 && signatures.length <= 4;
  if (!isSound || !signatures.every((data) => data instanceof Uint8Array)) throw malformed("The checkpoint is not sound.");
  const root = await rootFromInclusion(await leafOf(receipt), receipt.leafIndex, receipt.treeSize, receipt.proof);
  const text = `${origin}\n${receipt.treeSize}\n${toBase64(root)}\n`;
  if (readCheckpoint(text).origin !== origin) throw malformed("The checkpoint is not that of a log.");
  return `${text}\n${signatures.map((data) => `\u2014 ${origin} ${toBase64(data)}\n`).join("")}`;
}

const fromHex = (text) => Uint8Array.from(text.match(/../g), (pair) => Number.parseInt(pair, 16));
