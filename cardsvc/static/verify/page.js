// The page that checks a receipt. Nothing is sent anywhere: what is read stays in this browser.
import { Refused } from "./cbor.js";
import { readKeys, readText, verifyReceipt } from "./receipt.js";

const words = JSON.parse(document.getElementById("verify-words").textContent);
const made = JSON.parse(document.getElementById("verify-keys").textContent);
const find = (id) => document.getElementById(`verify-${id}`);
const LOOK_EVERY_MS = 250;
let camera = null;

let keys;
try {
  keys = await readKeys(made.keys);
} catch {
  keys = null; // a browser without Ed25519, or a page without TLS
}

find("form").hidden = keys === null;
find("old").hidden = keys !== null;
if (keys !== null) {
  find("form").addEventListener("submit", (event) => {
    event.preventDefault();
    check(find("text").value);
  });
  await offerPictures();
  globalThis.addEventListener("hashchange", checkAddress);
  checkAddress();
}
keepForOffline();

function checkAddress() {
  if (location.hash.length > 1) check(location.hash);
}

async function check(text) {
  stopCamera();
  if (text.trim() === "") return fail("empty");
  try {
    show(await verifyReceipt(await readText(text), keys));
  } catch (error) {
    fail(error instanceof Refused ? error.code : "malformed");
  }
  return undefined;
}

function show(receipt) {
  const accepted = receipt.outcome === "accepted";
  const rows = [
    [words.what, words.kinds[receipt.kind] ?? words.otherKind],
    [words.amount, receipt.amountCents === null ? null : money(receipt.amountCents, receipt.currency)],
    [words.recorded, when(receipt.recordedAtMs)],
    [words.official, receipt.officialNumber],
    [words.reason, receipt.reason?.replaceAll("_", " ") ?? null],
    [words.record, uuid(receipt.recordId)],
    [words.log, `${receipt.log}, ${receipt.leafIndex} / ${receipt.treeSize}`],
    [words.key, receipt.keyId],
  ];
  find("rows").replaceChildren(...rows.filter(([, value]) => value !== null).map(row));
  find("verdict").textContent = accepted ? words.genuine : words.genuineRefused;
  find("said").textContent = accepted ? words.genuineMore : words.genuineRefusedMore;
  answer(accepted ? "good" : "refused");
}

function fail(code) {
  find("rows").replaceChildren();
  find("verdict").textContent = code === "empty" ? words.nothing : words.bad;
  find("said").textContent = words.codes[code] ?? words.codes.malformed;
  answer("bad", code);
}

function answer(state, code = "") {
  const panel = find("answer");
  panel.hidden = false;
  panel.dataset.state = state;
  panel.dataset.code = code;
  panel.focus();
}

function row([name, value]) {
  const line = document.createElement("div");
  const [term, said] = [document.createElement("dt"), document.createElement("dd")];
  line.className = "govuk-summary-list__row";
  term.className = "govuk-summary-list__key";
  said.className = "govuk-summary-list__value";
  term.textContent = name;
  said.textContent = value;
  line.append(term, said);
  return line;
}

// Whole centavos; no fraction is ever computed.
function money(cents, currency) {
  const [whole, rest] = [Math.floor(cents / 100), String(cents % 100).padStart(2, "0")];
  return `${currency} ${whole.toLocaleString("en-PH")}.${rest}`;
}

function when(ms) {
  const style = { dateStyle: "long", timeStyle: "medium", timeZone: "Asia/Manila" };
  return new Intl.DateTimeFormat(document.documentElement.lang, style).format(new Date(ms));
}

function uuid(bytes) {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// ------------------------------------------------------------------------------------------------- pictures and camera

async function offerPictures() {
  const formats = "BarcodeDetector" in globalThis ? await BarcodeDetector.getSupportedFormats() : [];
  const readable = formats.includes("qr_code");
  find("pictures").hidden = !readable;
  find("no-pictures").hidden = readable;
  if (!readable) return;
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  find("file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) await checkPicture(detector, await createImageBitmap(file).catch(() => null));
  });
  find("camera").hidden = navigator.mediaDevices === undefined;
  find("camera").addEventListener("click", () => startCamera(detector));
}

async function checkPicture(detector, picture) {
  const [found] = picture === null ? [] : await detector.detect(picture).catch(() => []);
  if (found) await check(found.rawValue);
  else fail("picture");
}

async function startCamera(detector) {
  const video = find("video");
  try {
    camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    fail("camera");
    return;
  }
  video.srcObject = camera;
  video.hidden = false;
  await video.play();
  while (camera !== null) {
    const [found] = await detector.detect(video).catch(() => []);
    if (found) await check(found.rawValue);
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
}

function stopCamera() {
  for (const track of camera?.getTracks() ?? []) track.stop();
  camera = null;
  find("video").hidden = true;
}

// -------------------------------------------------------------------------------------------------------- no network

async function keepForOffline() {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("/verify/worker.js", { scope: "/verify" });
    await navigator.serviceWorker.ready;
    find("offline").hidden = false;
  } catch {
    // the page works as long as it is open; only reloading it needs the network
  }
}
