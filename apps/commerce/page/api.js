// The shop's HTTP interface, its server-sent events and its WebSocket, as the page uses them.

/** Who asks, and what the shop says of itself. */
export const session = {
  development: true,
  operatorToken: false,
  get user() {
    return this.development ? localStorage.getItem("user") || "demo" : subjectOf(this.token);
  },
  set user(name) {
    localStorage.setItem("user", name);
  },
  get token() {
    return sessionStorage.getItem("token") || "";
  },
  set token(token) {
    sessionStorage.setItem("token", token);
  },
  /** Whether the shop knows who asks, or believes it. */
  get known() {
    return this.development || this.token !== "";
  },
  /** The operators' token, as far as the shop has one. */
  get operator() {
    return sessionStorage.getItem("operator") || "";
  },
  set operator(token) {
    sessionStorage.setItem("operator", token);
  },
};

/** Whom a token speaks for; the shop checks it, the page only has to know the name. */
function subjectOf(token) {
  try {
    const claims = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(claims), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)).sub ?? "";
  } catch {
    return "";
  }
}

/** An answer that is none of 2xx: application/problem+json. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code;
  }
}

function headersOfUser() {
  if (session.development) return { "X-User": session.user };
  return session.token ? { Authorization: `Bearer ${session.token}` } : {};
}

const headersOfOperator = () =>
  session.operator ? { Authorization: `Bearer ${session.operator}` } : {};

async function request(path, options) {
  const answer = await fetch(path, { cache: "no-store", ...options });
  const text = await answer.text();
  let body = {};
  try {
    if (text) body = JSON.parse(text);
  } catch {
    body = { detail: text.slice(0, 200) };
  }
  if (!answer.ok) throw new Problem(answer.status, body);
  return body;
}

/** What everybody may know, and the operators. */
export const get = (path) =>
  request(path, { headers: headersOfOperator(), signal: AbortSignal.timeout(10_000) });
/** What only the user may know. */
export const getOwn = (path) =>
  request(path, { headers: headersOfUser(), signal: AbortSignal.timeout(10_000) });

/** Commands may be sent again: the key makes a second one do nothing. */
export function send(method, path, body, headers = headersOfUser()) {
  return request(path, {
    method,
    headers: {
      "Content-Type": "application/json",
      "Idempotency-Key": crypto.randomUUID(),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

/** What operators do; while they have no token, everybody who is known does. */
export const sendAsOperator = (method, path, body) =>
  send(method, path, body, session.operatorToken ? headersOfOperator() : headersOfUser());

/**
 * Calls `work` now and then every `period` milliseconds, one at a time, and only while somebody
 * looks at the page. `failed` hears of errors; those of `work` end no series.
 */
export function every(period, work, failed) {
  let timer = 0;
  let busy = false;
  const run = async () => {
    clearTimeout(timer);
    if (document.hidden || busy) return;
    busy = true;
    const began = performance.now();
    try {
      await work();
    } catch (error) {
      failed?.(error);
    }
    busy = false;
    timer = setTimeout(run, Math.max(period / 4, period - (performance.now() - began)));
  };
  document.addEventListener("visibilitychange", run);
  run();
  return { now: run };
}

/** Opens when somebody looks, closes when nobody does: browsers give a host six connections. */
function whileVisible(open) {
  let close = null;
  const follow = () => {
    if (document.hidden) {
      close?.();
      close = null;
    } else {
      close ??= open();
    }
  };
  document.addEventListener("visibilitychange", follow);
  follow();
  return () => {
    document.removeEventListener("visibilitychange", follow);
    close?.();
    close = null;
  };
}

/**
 * Follows a store: every row as it is, then what changes, the newest of each key only. Returns what
 * ends it.
 */
export function changes(store, parameters, onRow) {
  let last = "";
  return whileVisible(() => {
    let source = null;
    let timer = 0;
    const open = () => {
      const query = new URLSearchParams(parameters);
      if (last) query.set("lastEventId", last);
      if (session.operator) query.set("access_token", session.operator);
      source = new EventSource(`/v1/stores/${store}/changes?${query}`);
      source.onmessage = (event) => {
        last = event.lastEventId || last;
        onRow(JSON.parse(event.data));
      };
      source.onerror = () => {
        // A connection that breaks comes back by itself; an answer other than 200 does not: the
        // store is not restored yet, or our place is none any more.
        if (source.readyState !== EventSource.CLOSED) return;
        last = "";
        timer = setTimeout(open, 2000);
      };
    };
    open();
    return () => {
      clearTimeout(timer);
      source.close();
    };
  });
}

/** Follows what the user is told, over the WebSocket; comes back when the connection breaks. */
export function notices(onNotice) {
  const seen = new Set();
  return whileVisible(() => {
    let socket = null;
    let timer = 0;
    let over = false;
    const open = () => {
      const who = session.development
        ? `userId=${encodeURIComponent(session.user)}`
        : `access_token=${encodeURIComponent(session.token)}`;
      const scheme = location.protocol === "https:" ? "wss:" : "ws:";
      socket = new WebSocket(`${scheme}//${location.host}/ws?${who}`);
      socket.onopen = () =>
        socket.send(JSON.stringify({ op: "subscribe", destination: "/queue/notifications" }));
      socket.onmessage = (event) => {
        const message = JSON.parse(event.data);
        if (!message.body || seen.has(message.id)) return;
        seen.add(message.id);
        onNotice(message.id, message.body);
      };
      socket.onclose = () => {
        if (!over) timer = setTimeout(open, 2000);
      };
    };
    open();
    return () => {
      over = true;
      clearTimeout(timer);
      socket.close();
    };
  });
}
