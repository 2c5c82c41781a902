// How the page writes numbers.

/** As kanji_tui/system/numbers.py does. @param {number} share 0-1 */
export function percent(share) {
  const text = (100 * share).toFixed(1);
  return share > 0 && text === "0.0" ? "< 0.1 %" : `${text} %`; // little is not nothing
}

/** @param {string} text */
export function codePoints(text) {
  return Array.from(text, (each) => `U+${(each.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`).join(" ");
}
