/**
 * The script of the page, as the text of one ES module.
 *
 * It renders nothing. An event says that there is something new; the script then fetches the page
 * again and moves only what differs into place, so that focus, selection, scrolling and open
 * details stay. Without events it polls. When nothing answers it says so, with the age of what is
 * shown: a frozen page that looks alive is worse than none.
 */
export const SCRIPT: string = `
const POLL_MS = 5000;
const STALE_MS = 10000;
const connection = document.getElementById('connection');
let shownAt = performance.now();
let isFetching = false;
let isWanted = false;
let mode = 'polling';

function sync(from, to) {
  if (from.nodeType === Node.TEXT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE || from.hasAttribute('data-own')) return;
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value && name !== 'open') from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && name !== 'open') from.removeAttribute(name);
  }
  syncChildren(from, to);
}

function syncChildren(from, to) {
  const keyed = new Map([...from.children].filter(({ id }) => id).map((child) => [child.id, child]));
  let cursor = from.firstChild;
  for (const next of [...to.childNodes]) {
    const isSame = cursor !== null && cursor.nodeName === next.nodeName && !cursor.id && !next.id;
    const match = next.id ? keyed.get(next.id) : isSame ? cursor : undefined;
    if (match === undefined || match.nodeName !== next.nodeName) {
      from.insertBefore(document.importNode(next, true), cursor);
      continue;
    }
    if (match === cursor) cursor = cursor.nextSibling;
    else from.insertBefore(match, cursor);
    sync(match, next);
  }
  while (cursor !== null) {
    const gone = cursor;
    cursor = cursor.nextSibling;
    gone.remove();
  }
}

async function refresh() {
  if (isFetching) {
    isWanted = true;
    return;
  }
  isFetching = true;
  isWanted = false;
  try {
    const response = await fetch('/', { headers: { accept: 'text/html' }, cache: 'no-store' });
    if (!response.ok) throw new Error(String(response.status));
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    document.title = page.title;
    sync(document.body, page.body);
    shownAt = performance.now();
    localise();
  } catch {
    // The age in the banner tells; the next event or poll tries again.
  } finally {
    isFetching = false;
    tell();
    if (isWanted) refresh();
  }
}

function localise() {
  for (const time of document.querySelectorAll('time[datetime]')) {
    time.title = time.dateTime + ' · ' + new Date(time.dateTime).toLocaleString() + ' here';
  }
}

function tell() {
  const ageMs = performance.now() - shownAt;
  const state = ageMs > STALE_MS ? 'lost' : mode;
  const texts = { live: 'Live', polling: 'Polling', lost: 'No answer: data is ' + Math.round(ageMs / 1000) + ' s old' };
  document.documentElement.dataset.connection = state;
  if (connection.textContent !== texts[state]) connection.textContent = texts[state];
}

const events = new EventSource('/v1/events');
events.addEventListener('status', () => {
  mode = 'live';
  if (!document.hidden) refresh();
});
events.addEventListener('error', () => {
  mode = 'polling';
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) refresh();
});
setInterval(() => {
  if (!document.hidden && performance.now() - shownAt >= POLL_MS) refresh();
  tell();
}, 1000);
localise();
tell();
`;
