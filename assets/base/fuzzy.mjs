// Finds what somebody means who types a few letters of it.

const START = 8;
const NEXT = 5;
const LATE = 0.2;

/**
 * How well `query` is found in `text`: `{score, places}` with the indices of the letters found, or null. All of its letters must
 * occur in this order; at the starts of words and one after the other they count more. Blanks in the query count for nothing.
 */
export function match(query, text) {
  const wanted = fold(query).replace(/\s+/g, "");
  if (!wanted) return { score: 0, places: [] };
  const letters = fold(text);
  // A part of the text as it is beats letters picked from here and there.
  const whole = letters.indexOf(fold(query).trim());
  if (whole >= 0) {
    const places = Array.from({ length: query.trim().length }, (_, step) => whole + step);
    return { score: wanted.length * (NEXT + 1) + (startsWord(letters, whole) ? START : 0) + NEXT - whole * LATE, places };
  }
  let best = null;
  for (let first = letters.indexOf(wanted[0]); first >= 0; first = letters.indexOf(wanted[0], first + 1)) {
    const found = from(first, wanted, letters);
    if (found && (!best || found.score > best.score)) best = found;
  }
  return best;
}

/** The match that begins at `first`: each letter at the next start of a word where it occurs, else where it occurs next. */
function from(first, wanted, letters) {
  const places = [first];
  let score = 1 + (startsWord(letters, first) ? START : 0) - first * LATE;
  for (let step = 1; step < wanted.length; step += 1) {
    const last = places.at(-1);
    let place = letters.indexOf(wanted[step], last + 1);
    if (place < 0) return null;
    if (place !== last + 1) {
      for (let later = place; later >= 0; later = letters.indexOf(wanted[step], later + 1)) {
        if (!startsWord(letters, later) || !follows(wanted, step + 1, letters, later + 1)) continue;
        place = later;
        break;
      }
    }
    score += 1 + (place === last + 1 ? NEXT : startsWord(letters, place) ? START / 2 : -LATE * (place - last));
    places.push(place);
  }
  return { score, places };
}

/** Whether the letters of `wanted` from `step` on occur in this order from `place` on. */
function follows(wanted, step, letters, place) {
  let at = place - 1;
  for (let one = step; one < wanted.length; one += 1) {
    at = letters.indexOf(wanted[one], at + 1);
    if (at < 0) return false;
  }
  return true;
}

function startsWord(letters, place) {
  return place === 0 || !/[\p{L}\p{N}]/u.test(letters[place - 1]);
}

/** Small letters, as many as there were: `ß` and `İ` stay one. */
function fold(text) {
  return Array.from(text, (letter) => {
    const small = letter.toLowerCase();
    return small.length === letter.length ? small : letter;
  }).join("");
}
