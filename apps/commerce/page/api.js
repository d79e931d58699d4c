// The shop's HTTP interface, its server-sent events and its WebSocket, as the page uses them.

/** Who asks, and what the shop says of itself. */
export const session = {
  development: true,
  operatorToken: false,
  get user() {
    return localStorage.getItem("user") || "demo";
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
  get operator() {
    return sessionStorage.getItem("operator") || "";
  },
  set operator(token) {
    sessionStorage.setItem("operator", token);
  },
};

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

/** What everybody may know. */
export const get = (path) => request(path, { signal: AbortSignal.timeout(10_000) });
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

/** What operators do. */
export const sendAsOperator = (method, path) =>
  send(
    method,
    path,
    undefined,
    session.operator ? { Authorization: `Bearer ${session.operator}` } : {},
  );

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
