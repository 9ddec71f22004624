// Sizes in words.

const UNITS = ["KiB", "MiB", "GiB", "TiB"];

/** `3 bytes`, `471 KiB`, `1.5 MiB`. @param {number} bytes */
export function sizeWords(bytes) {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${Math.round(bytes)} bytes`;
  let size = Math.round((bytes * 10) / 1024) / 10;
  let place = 0;
  while (size >= 1024 && place < UNITS.length - 1) {
    size = Math.round((size * 10) / 1024) / 10;
    place += 1;
  }
  return `${size < 10 && place > 0 ? size.toFixed(1) : Math.round(size)} ${UNITS[place]}`;
}
