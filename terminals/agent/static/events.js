// What happens at the reader, told by the agent (SSE). Without JavaScript the pages refresh themselves.
const status = document.getElementById("status");
const source = new EventSource(document.getElementById("events").dataset.events);

source.addEventListener("screen", (event) => {
  const { path, screen } = JSON.parse(event.data);
  // Already there: a reload would only wipe what somebody is typing. replace() keeps the history empty.
  if (document.querySelector("[data-screen]")?.dataset.screen !== screen) location.replace(path);
});

source.addEventListener("status", (event) => {
  const { text, mood } = JSON.parse(event.data);
  if (!status) return;
  status.textContent = text;
  status.classList.toggle("city-status--wrong", mood === "wrong");
});

source.addEventListener("step", (event) => {
  const { name, state, text } = JSON.parse(event.data);
  const line = document.querySelector(`[data-step="${CSS.escape(name)}"]`);
  if (!line) return;
  line.dataset.state = state;
  line.querySelector(".city-progress__state").textContent = text;
});

// A page that is left must not hold one of the agent's threads.
addEventListener("pagehide", () => source.close());
