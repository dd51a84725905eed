// The ways in which a file comes to the page: the button, dropped on the room, pasted.

import { $ } from './dom.js';

/** @param {(files: File[]) => void} onFiles */
export function takeFiles(onFiles) {
  const input = /** @type {HTMLInputElement} */ ($('.file-input'));
  const room = $('.room');
  $('.attach').addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    onFiles([...(input.files ?? [])]);
    input.value = ''; // The same file may be chosen again.
  });

  $('.composer textarea').addEventListener('paste', (event) => {
    const { clipboardData } = /** @type {ClipboardEvent} */ (event);
    // Office programs put a picture beside the text that was copied.
    if (!clipboardData?.files.length || clipboardData.types.includes('text/plain')) return;
    event.preventDefault();
    onFiles([...clipboardData.files]);
  });

  let depth = 0; // Each element on the way tells of enter and leave.
  const over = (/** @type {number} */ change) => {
    depth = Math.max(0, depth + change);
    room.classList.toggle('dropping', depth > 0);
  };
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files') ?? false;
  room.addEventListener('dragenter', (event) => hasFiles(event) && over(1));
  room.addEventListener('dragleave', (event) => hasFiles(event) && over(-1));
  room.addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault());
  room.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    over(-depth);
    onFiles([...(event.dataTransfer?.files ?? [])]);
  });
}
