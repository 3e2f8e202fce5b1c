const greeting = document.getElementById("greeting");
const socket = new WebSocket(new URL("/ws", location.href.replace(/^http/, "ws")));
let heard = false;
socket.onmessage = (event) => {
  heard = true;
  greeting.textContent = event.data;
};
socket.onclose = () => {
  if (!heard) greeting.textContent = "The connection was lost. Reload the page to try again.";
};
