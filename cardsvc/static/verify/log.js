// The log: signed notes and checkpoints (C2SP signed-note, tlog-checkpoint) and inclusion proofs (RFC 9162 2.1.3.2),
// as crypto/tlog.
import { Refused, concat, equal, malformed } from "./cbor.js";

const UTF8 = new TextEncoder();
const MARK = "\u2014 ";
const HASH_BYTES = 32;
const NOTE_MAX = 128 * 1024;
const SIGNATURES_MAX = 100;
const ED25519 = 1; // C2SP signed-note, "Signature types"

export const sha256 = async (...parts) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));

export function fromBase64(text) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw malformed("A base64 text cannot be read.");
  try {
    const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    if (toBase64(data) === text) return data;
  } catch {
    // said below
  }
  throw malformed("A base64 text is not in its one encoding.");
}

export const toBase64 = (data) => btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""));

// The name of a key: no spaces, no plus sign, no control characters.
const isName = (name) => name !== "" && !/[+\s\p{Z}\u0000-\u001f\u0085\ud800-\udfff]/u.test(name);

// A verifier key, `name+hash+key`.
export async function readVerifier(text) {
  const [name, hash, ...rest] = text.split("+");
  const data = fromBase64(rest.join("+"));
  if (!isName(name) || data.length !== 1 + HASH_BYTES || data[0] !== ED25519) {
    throw malformed("The verifier key is not an Ed25519 key.");
  }
  const keyHash = (await sha256(UTF8.encode(`${name}\n`), data)).slice(0, 4);
  if (toHex(keyHash) !== hash) throw malformed("The verifier key's hash does not belong to it.");
  const key = await crypto.subtle.importKey("raw", data.slice(1), "Ed25519", false, ["verify"]);
  return { name, keyHash, key };
}

export const toHex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");

// The checkpoint that a key of the log signed. A wrong signature of a key that is known spoils the note.
export async function openCheckpoint(note, verifiers) {
  const [text, signatures] = splitNote(note);
  let found = null;
  for (const verifier of verifiers) {
    for (const { name, data } of signatures) {
      if (name !== verifier.name || !equal(data.slice(0, 4), verifier.keyHash)) continue;
      if (!(await crypto.subtle.verify("Ed25519", verifier.key, data.slice(4), UTF8.encode(text)))) {
        throw new Refused("invalid_signature", "The checkpoint's signature is not the log's.");
      }
      found = found ?? verifier;
    }
  }
  if (found === null) throw new Refused("invalid_signature", "The checkpoint is not signed by any key of this page.");
  const head = readCheckpoint(text);
  if (head.origin !== found.name) throw malformed("The checkpoint is of another log than the key that signed it.");
  return head;
}

export function splitNote(note) {
  if (note.length > NOTE_MAX) throw malformed("The note is too long.");
  const at = note.lastIndexOf("\n\n");
  const [text, block] = [note.slice(0, at + 1), note.slice(at + 2)];
  if (at < 0 || !block.endsWith("\n") || /[\u0000-\u0009\u000b-\u001f\ud800-\udfff]/u.test(text)) {
    throw malformed("The note has no signature lines, or control characters.");
  }
  const lines = block.slice(0, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) throw malformed("The note has too many signatures.");
  return [text, lines.map(readSignature)];
}

function readSignature(line) {
  const [name, ...rest] = line.slice(MARK.length).split(" ");
  if (!line.startsWith(MARK) || !isName(name)) throw malformed("The note has a line that is no signature.");
  const data = fromBase64(rest.join(" "));
  if (data.length <= 4) throw malformed("A signature of the note is too short.");
  return { name, data };
}

export function readCheckpoint(text) {
  const lines = text.split("\n");
  if (lines.length <= 3 || lines.pop() !== "" || lines.some((line) => line === "")) {
    throw malformed("A checkpoint has an origin, a size and a root, one on a line.");
  }
  const [origin, size, root] = lines;
  if (!/^(0|[1-9][0-9]{0,18})$/.test(size)) throw malformed("The checkpoint's size is not a decimal number.");
  const data = fromBase64(root);
  if (data.length !== HASH_BYTES) throw malformed("The checkpoint's root is not a SHA-256.");
  return { origin, size: BigInt(size), root: data };
}

export const leafHash = (data) => sha256(Uint8Array.of(0), data);

// The root that the proof leads to (RFC 9162 2.1.3.2).
export async function rootFromInclusion(leaf, leafIndex, treeSize, proof) {
  let [node, last, value] = [BigInt(leafIndex), BigInt(treeSize) - 1n, leaf];
  if (node > last) throw new Refused("invalid_proof", "The leaf's number is not below the size of the log.");
  for (const sibling of proof) {
    if (last === 0n) throw new Refused("invalid_proof", "The proof is too long.");
    if (node & 1n || node === last) {
      value = await sha256(Uint8Array.of(1), sibling, value);
      while (node !== 0n && !(node & 1n)) [node, last] = [node >> 1n, last >> 1n];
    } else {
      value = await sha256(Uint8Array.of(1), value, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  if (last !== 0n) throw new Refused("invalid_proof", "The proof is too short.");
  return value;
}
