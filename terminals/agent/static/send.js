// What the card signed goes on by itself; without scripts the button does it.
document.querySelector("form[data-send]")?.submit();
