// What a particle looks at: the attention that it pays each point of the input, computed from its
// queries and the input's keys when somebody asks, and for what is shown alone.

// Of particle n at a place in the run, as (points,) that sum to one: by one head, or, of null, the
// mean over all. Null where the run does not tell.
export function attentionOf(run, { a, b, u }, n, head = null) {
  if (!run.looked) return null;
  const paid = attentionAt(run, a, n, head);
  if (u > 0) {
    const next = attentionAt(run, b, n, head);
    for (let m = 0; m < paid.length; m++) paid[m] += u * (next[m] - paid[m]);
  }
  return paid;
}

// The same at one frame.
function attentionAt(run, frame, n, head) {
  const { heads, tokens, shares } = run.looked;
  const paid = new Float64Array(tokens);
  const asked = head === null ? [...Array(heads).keys()] : [head];
  for (const h of asked) {
    softmax(scoresOf(run, frame, n, h)).forEach((p, c) => (paid[c] += p / asked.length));
  }
  return shares ? shared(paid, shares) : paid;
}

function scoresOf(run, frame, n, head) {
  const { tokens, width, keys } = run.looked;
  const { chunk, index } = run.find(frame);
  const { data, width: all, offset, scale } = chunk.fields.queries;
  const from = index * all + (head * run.count + n) * width;
  const query = offset.map((low, k) => low + data[from + k] * scale[k]);
  return Float64Array.from({ length: tokens }, (_, c) => {
    const key = (head * tokens + c) * width;
    return query.reduce((sum, q, k) => sum + q * keys[key + k], 0);
  });
}

function softmax(scores) {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

// Of tokens, among the points they are made of.
function shared(paid, shares) {
  const points = shares.length / paid.length;
  const out = new Float64Array(points);
  paid.forEach((p, c) => {
    for (let m = 0; m < points; m++) out[m] += p * shares[c * points + m];
  });
  return out;
}

// How many points hold half of the attention: few where a particle looks at one place.
export function halfOf(paid) {
  let [sum, count] = [0, 0];
  for (const p of [...paid].sort((a, b) => b - a)) {
    if (sum >= 0.5) break;
    sum += p;
    count += 1;
  }
  return count;
}
