// On-screen digits for the PIN, and the question whether somebody is still there. Every screen works without this file.

for (const pad of document.querySelectorAll("[data-pinpad]")) {
  const keys = pad.querySelector(".pinpad__keys");
  const boxes = [...pad.querySelectorAll("input.pinpad__box")];
  let box = boxes[0];
  for (const each of boxes) {
    each.addEventListener("focus", () => { box = each; });
    each.inputMode = "none"; // the digits below are the keyboard
  }
  keys.hidden = false;
  keys.addEventListener("click", (event) => {
    const key = event.target.closest("button");
    if (!key) return;
    if (key.dataset.digit && box.value.length < box.maxLength) box.value += key.dataset.digit;
    else if ("erase" in key.dataset) box.value = box.value.slice(0, -1);
    else if ("clear" in key.dataset) box.value = "";
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
  // If we stop here: the browser forgets the digits with the page; nothing of them is kept.
  addEventListener("pagehide", () => boxes.forEach((each) => { each.value = ""; }));
}

const main = document.querySelector("[data-idle]");
const still = document.getElementById("still");
const idleSeconds = Number(main?.dataset.idle ?? 0);

if (still && idleSeconds > 0) {
  const WARNING_SECONDS = 30; // WCAG 2.2.1 asks for 20 at least
  const left = document.getElementById("still-seconds");
  let quiet = 0;

  const beep = () => {
    try {
      const audio = new AudioContext();
      const tone = audio.createOscillator();
      tone.frequency.value = 660;
      tone.connect(audio.destination);
      tone.start();
      tone.stop(audio.currentTime + 0.15);
    } catch { /* no sound here: the words are on the screen */ }
  };
  const stay = () => {
    quiet = 0;
    if (still.open) still.close();
  };

  for (const kind of ["pointerdown", "keydown", "input"]) {
    addEventListener(kind, () => { if (!still.open) quiet = 0; });
  }
  document.getElementById("still-yes").addEventListener("click", stay);
  still.addEventListener("cancel", stay);
  setInterval(() => {
    quiet += 1;
    if (quiet === idleSeconds) {
      still.showModal();
      beep();
    }
    if (quiet >= idleSeconds) {
      left.textContent = String(Math.max(0, idleSeconds + WARNING_SECONDS - quiet));
      if (quiet === idleSeconds + WARNING_SECONDS) still.querySelector("form").requestSubmit();
    }
  }, 1000);
}
