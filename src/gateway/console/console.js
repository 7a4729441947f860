'use strict';

// The address of the status page, and after how many seconds it is read.
const address = new URL(
  document.querySelector('meta[name="ktp-status"]').content, location.href);
const every = 10;

// The last hour is kept in this browser: a point every 30 seconds at most.
const hour = 3600;
const step = 30;
const key = 'ktp-console 1 ' + address.pathname; // 1: form of the points

const states = ['closed', 'half-open', 'open'];
const useful = ['ok'];
const why = { precheck: 'stopped by the precheck', first: 'read locally' };
const refused = ['rejected', 'unauthorized', 'quota'];

let points = [];
let data = {};
let paused = false;
let timer;

address.searchParams.set('format', 'json');


// -- numbers

const format = new Intl.NumberFormat();
const count = (n) => format.format(Math.round(n));
const calls = (n) => count(n) + (Math.round(n) === 1 ? ' call' : ' calls');

function money(amount, currency) {
  return new Intl.NumberFormat(undefined, {
    style: 'currency', currency, currencyDisplay: 'code',
    minimumFractionDigits: 0, maximumFractionDigits: amount < 100 ? 2 : 0,
  }).format(amount).replace('\u00a0', ' ');
}

function sums(costs) {
  const texts = Object.entries(costs).map(([c, amount]) => money(amount, c));

  return texts.length ? texts.join(' + ') : '';
}

function seconds(s) {
  return s === null ? '–'
    : s === Infinity ? '> 60 s'
    : s < 1 ? count(s * 1000) + ' ms'
    : s.toLocaleString(undefined, { maximumFractionDigits: 1 }) + ' s';
}

function bytes(n) {
  return n < 1048576 ? count(n / 1024) + ' KB'
    : (n / 1048576).toLocaleString(undefined, { maximumSignificantDigits: 3 })
      + ' MB';
}


// -- samples of the status page

const family = (name) => data[name] || [];

function sum(name, where) {
  return family(name).reduce(
    (n, sample) => n + (!where || where(sample) ? sample.value : 0), 0);
}

function by(name, label, where) {
  const out = Object.create(null); // a client may be named "constructor"

  for (const sample of family(name)) {
    if (!where || where(sample)) {
      out[sample[label]] = (out[sample[label]] || 0) + sample.value;
    }
  }

  return out;
}

// Counts of a histogram by bucket, not cumulative, and the bounds.
function histogram(name) {
  const buckets = family(name).filter((s) => s.sample === 'bucket');

  return {
    bounds: buckets.map((s) => s.le === '+Inf' ? Infinity : Number(s.le)),
    counts: buckets.map(
      (s, i) => s.value - (i ? buckets[i - 1].value : 0)),
  };
}

// Interpolated within the bucket; null if there is nothing.
function quantile(bounds, counts, q) {
  let rank = q * counts.reduce((a, b) => a + b, 0);

  if (rank <= 0) {
    return null;
  }

  for (let i = 0; i < counts.length; i++) {
    if (rank <= counts[i]) {
      const low = i ? bounds[i - 1] : 0;

      return bounds[i] === Infinity ? Infinity
        : low + (bounds[i] - low) * rank / counts[i];
    }

    rank -= counts[i];
  }

  return Infinity;
}


// -- the last hour

// What is kept of a reading: totals, without names of clients.
function point(now) {
  const paid = sum('ktp_billed_calls_total');
  const used = sum('ktp_billed_calls_total', (s) => useful.includes(s.outcome));

  return {
    t: now,
    start: sum('ktp_start_time_seconds'),
    calls: [used, paid - used,
            sum('ktp_billable_calls_total', (s) => s.billed === 'unknown'),
            sum('ktp_saved_calls_total')],
    cost: by('ktp_cost_total', 'currency'),
    refused: sum('ktp_requests_total', (s) => refused.includes(s.outcome)),
    errors: by('ktp_errors_total', 'reason'),
    upstream: histogram('ktp_upstream_duration_seconds').counts,
    request: histogram('ktp_request_duration_seconds').counts,
  };
}

// Counters were zero at the start.
function zero(last) {
  return {
    ...last, t: last.start, calls: last.calls.map(() => 0), cost: {},
    refused: 0, errors: {}, upstream: last.upstream.map(() => 0),
    request: last.request.map(() => 0),
  };
}

// During an upgrade, points of two processes alternate.
function recent() {
  const last = points[points.length - 1];
  const same = points.filter((p) => p.start === last.start);

  return last.t - last.start < hour ? [zero(last), ...same] : same;
}

function keep(now) {
  const before = points[points.length - 2];
  const last = points[points.length - 1];

  if (before && last.t - before.t < step && before.start === last.start) {
    points.pop();
  }

  points = [...points, point(now)].filter((p) => p.t > now - hour);

  try {
    localStorage.setItem(key, JSON.stringify(points));
  } catch (error) {
    // without storage, the hour is that of this page
  }
}

function restore() {
  try {
    const kept = JSON.parse(localStorage.getItem(key));

    points = Array.isArray(kept) ? kept : [];
  } catch (error) {
    points = [];
  }
}

const minus = (a, b) => a.map((n, i) => Math.max(0, n - (b[i] || 0)));

function difference(now, before) {
  const out = {};

  for (const name of Object.keys(now)) {
    out[name] = Math.max(0, now[name] - (before[name] || 0));
  }

  return out;
}

const total = (object) => Object.values(object).reduce((a, b) => a + b, 0);

// What was added in each of the last 60 minutes; over a gap, spread evenly.
function minutes(pick) {
  const list = recent();
  const from = list[list.length - 1].t - hour;
  const out = Array.from({ length: 60 }, () => pick(list[0]).map(() => 0));

  for (let i = 1; i < list.length; i++) {
    const added = minus(pick(list[i]), pick(list[i - 1]));
    const end = Math.min(59, Math.floor((list[i].t - from) / 60));
    const begin = Math.max(
      0, Math.min(end, Math.floor((list[i - 1].t - from) / 60) + 1));

    for (let m = begin; m <= end; m++) {
      added.forEach((n, k) => { out[m][k] += n / (end - begin + 1); });
    }
  }

  return out;
}


// -- elements

function el(name, properties, ...children) {
  const node = document.createElement(name);

  for (const [property, value] of Object.entries(properties || {})) {
    if (property in node) {
      node[property] = value;
    } else {
      node.setAttribute(property, value);
    }
  }

  node.append(...children.filter((child) => child !== null));

  return node;
}

// A long name breaks after a sign, not within a word.
function breakable(name) {
  return el('span', {}, ...name.split(/(?<=[_./:-])/)
    .flatMap((part, i) => i ? [el('wbr'), part] : [part]));
}

function show(id, ...children) {
  document.getElementById(id).replaceChildren(...children);
}

// Columns whose name begins with "#" are numbers; the first is a heading.
function table(caption, columns, rows, none) {
  const cell = (name, i, value, tag) => el(
    tag, { className: name[0] === '#' ? 'n' : '',
           ...(tag === 'th' ? { scope: i < 0 ? 'col' : 'row' } : {}) },
    ...(Array.isArray(value) ? value : [value]));

  if (!rows.length) {
    return el('p', {}, none);
  }

  return el('table', {},
    el('caption', {}, caption),
    el('thead', {}, el('tr', {}, ...columns.map(
      (name) => cell(name, -1, name.replace('#', ''), 'th')))),
    el('tbody', {}, ...rows.map((row) => el('tr', {}, ...row.map(
      (value, i) => cell(columns[i], i, value, i ? 'td' : 'th'))))));
}

function card(kind, title, value, ...lines) {
  return el('div', { className: 'card ' + kind },
    el('h3', {}, title), el('b', {}, value),
    ...lines.filter((line) => line).map((line) => el('p', {}, line)));
}

function facts(id, list) {
  show(id, ...list.map(([name, ...value]) => el(
    'div', {}, el('dt', {}, name), el('dd', {}, ...value))));
}

// Stacked bars, one a minute; "text" says it without the picture.
function chart(id, title, text, keys, values, unit) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  const stacks = values.map((list) => list.reduce((a, b) => a + b, 0));
  const most = Math.max(...stacks);

  const draw = (name, attributes) => {
    const node = document.createElementNS(space, name);

    for (const [attribute, value] of Object.entries(attributes)) {
      node.setAttribute(attribute, value);
    }

    svg.append(node);
  };

  for (const [name, value] of Object.entries({
    viewBox: '0 0 240 40', preserveAspectRatio: 'none', role: 'img',
    'aria-label': title + ', the last hour: ' + text })) {
    svg.setAttribute(name, value);
  }

  values.forEach((list, minute) => {
    let top = 39;

    list.forEach((value, k) => {
      if (value <= 0) {
        return;
      }

      const height = Math.max(0.6, 37 * value / most);

      top -= height;
      draw('rect', { class: keys[k][0], x: minute * 4 + 0.4, y: top,
                     width: 3.2, height });
    });
  });

  draw('path', { class: 'axis', d: 'M0 39.5H240', 'stroke-width': 0.5 });

  show(id,
    el('figcaption', {}, title + (most > 0 ? ', peak ' + unit(most) : ''),
      ...keys.filter((k) => k[1]).map((k) => el('span', { className: 'key' },
        el('i', { className: k[0] }), k[1]))),
    svg,
    el('figcaption', { className: 'span', 'aria-hidden': 'true' },
      el('span', {}, '60 min ago'), el('span', {}, 'now')));
}


// -- sections

function moneySection(last, first, span) {
  const [used, vain, unknown, saved] = last.calls;
  const added = minus(last.calls, first.calls);
  const paid = used + vain;
  const cost = last.cost;
  const reasons = by('ktp_saved_calls_total', 'reason');
  const currencies = Object.keys(cost);
  const price = currencies.length === 1 && paid
    ? cost[currencies[0]] / paid : 0;
  const about = (n) => price && n ? money(price * n, currencies[0]) : '';
  const lately = (n) => span + ': ' + calls(n);

  show('money',
    card('good', 'Paid', sums(cost) || calls(paid),
      sums(cost) ? calls(paid) : 'no ktp_price is set',
      lately(added[0] + added[1])),
    card('warn', 'Paid, and of no use', calls(vain),
      about(vain) && 'about ' + about(vain), lately(added[1])),
    card('info', about(saved) ? 'Saved, about' : 'Saved',
      about(saved) || calls(saved), about(saved) && calls(saved),
      Object.entries(reasons).map(
        ([reason, n]) => count(n) + ' ' + (why[reason] || reason)).join(', '),
      lately(added[3])),
    card(unknown ? 'bad' : '', 'Unknown until the invoice', calls(unknown),
      about(unknown) && 'up to about ' + about(unknown), lately(added[2])),
    card('', 'Refused before a call', count(last.refused),
      'cost nothing', span + ': ' + count(last.refused - first.refused)));

  chart('chart-calls', 'Calls a minute', calls(added[0]) + ' of use, '
    + calls(added[1]) + ' paid in vain, ' + calls(added[2]) + ' unknown, '
    + calls(added[3]) + ' saved',
    [['good', 'of use'], ['warn', 'in vain'], ['bad', 'unknown'],
     ['info', 'saved']], minutes((p) => p.calls), calls);
}

function quotas(client) {
  const of = (name) => by(name, 'period', (s) => s.client === client);
  const limits = of('ktp_client_quota_limit_calls');
  const used = of('ktp_client_quota_used_calls');
  const made = of('ktp_client_calls');
  const held = of('ktp_client_lease_held_calls');
  const periods = { day: 'day', month: 'month', total: 'in total' };

  if (!Object.keys(limits).length) {
    return 'month' in made
      ? [el('small', {}, 'no quota, ' + calls(made.month) + ' this month')]
      : [];
  }

  return Object.entries(limits).map(([period, limit]) => {
    const text = periods[period] + ': ' + count(used[period]) + ' of '
      + count(limit)
      + (period in held ? ' of the fleet, ' + count(held[period])
         + ' leased' : '');

    return el('div', { className: 'quota' },
      el('small', {}, text),
      el('meter', { min: 0, max: limit || 1, value: used[period],
                    low: 0.8 * limit, high: 0.95 * limit, optimum: 0,
                    'aria-label': client + ', ' + text }));
  });
}

function clientSection() {
  const requests = by('ktp_requests_total', 'client');
  const paid = by('ktp_billed_calls_total', 'client');
  const unknown = by('ktp_billable_calls_total', 'client',
    (s) => s.billed === 'unknown');
  const names = [...new Set([
    ...Object.keys(requests),
    ...family('ktp_client_quota_limit_calls').map((s) => s.client)])];
  const title = (name) => name === '-' ? '(no client)'
    : name === '*' ? '(others)' : name;

  names.sort((a, b) => (paid[b] || 0) - (paid[a] || 0)
    || (requests[b] || 0) - (requests[a] || 0) || (a < b ? -1 : 1));

  show('clients', table('Since the start of the gateway; quotas in their period',
    ['Client and quota', '#Requests', '#Paid'],
    names.map((name) => [
      [breakable(title(name)), ...quotas(name)],
      count(requests[name] || 0),
      [count(paid[name] || 0),
       el('small', {}, sums(by('ktp_cost_total', 'currency',
         (s) => s.client === name && s.value > 0))),
       unknown[name]
         ? el('small', {}, count(unknown[name]) + ' unknown') : null],
    ]), 'No client has sent a request.'));
}

function upstreamSection(last, first, span) {
  const kinds = ['good', 'warn', 'bad'];
  const opened = by('ktp_breaker_opened_total', 'upstream');
  const { bounds } = histogram('ktp_upstream_duration_seconds');
  const since = (name) => minus(last[name], first[name]);
  const row = (title, counts) => [
    title, ...[0.5, 0.95, 0.99].map((q) => seconds(quantile(bounds, counts, q)))];

  show('breakers', table('Breakers', ['Upstream', 'State', '#Opened'],
    family('ktp_breaker_state').map((s) => [breakable(s.upstream),
      el('span', { className: 'state ' + kinds[s.value] }, states[s.value]),
      count(opened[s.upstream] || 0)]), 'ktp_breaker is not used.'));

  show('times', table('Percentiles',
    ['Time', '#50 %', '#95 %', '#99 %'], [
      row('Upstream, ' + span, since('upstream')),
      row('Upstream, since the start', last.upstream),
      row('Request, ' + span, since('request')),
      row('Request, since the start', last.request)], ''));

  const slow = minutes((p) => p.upstream)
    .map((counts) => [Math.min(90, quantile(bounds, counts, 0.95) || 0)]);

  chart('chart-times', '95th percentile of upstream calls, by minute',
    seconds(quantile(bounds, since('upstream'), 0.95)) + ' over it',
    [['info', '']], slow, seconds);

  facts('gauges', [
    ['Calls in progress', count(sum('ktp_calls_in_flight'))],
    ['Waiting for another’s call', count(sum('ktp_waiting_requests'))],
    ['Connections', count(sum('ktp_upstream_connections'))],
    ['Retries', count(sum('ktp_upstream_retries_total'))],
    ['Workers', count(sum('ktp_workers'))],
    ...family('ktp_fleet_up').map((s) => ['Fleet', s.value ? 'up' : 'down']),
  ]);
}

function errorSection(last, first, span) {
  const lately = difference(last.errors, first.errors);
  const rows = [...family('ktp_errors_total')];

  rows.sort((a, b) => lately[b.reason] - lately[a.reason] || b.value - a.value);

  chart('chart-errors', 'Errors a minute', count(total(lately)),
    [['bad', '']], minutes((p) => [total(p.errors)]), count);

  show('errors', table('By reason', ['Reason', '#' + span, '#Since start'],
    rows.map((s) => [[breakable(s.reason),
                      el('small', {}, breakable(s.error_code))],
                     count(lately[s.reason]), count(s.value)]),
    'No error.'));
}

function answerSection() {
  const size = sum('ktp_answer_zone_size_bytes');
  const used = size - sum('ktp_answer_zone_free_bytes');

  document.getElementById('answers').hidden = !size;

  facts('stored', [
    ['Answers', count(sum('ktp_stored_answers'))],
    ['Idempotency keys', count(sum('ktp_idempotency_keys'))],
    ['Memory', bytes(used) + ' of ' + bytes(size),
      el('meter', { max: size || 1, value: used, 'aria-label':
        'Memory of stored answers' })],
    ['Removed early', count(sum('ktp_answers_evicted_total'))],
    ['Without room', count(sum('ktp_answer_zone_full_total'))],
  ]);
}

// What an operator should look at, the worst first.
function notes(last, first, span) {
  const list = [];
  const limits = family('ktp_client_quota_limit_calls');

  for (const s of family('ktp_breaker_state')) {
    if (s.value) {
      list.push([s.value === 2 ? 'bad' : '', 'The breaker of ' + s.upstream
        + ' is ' + states[s.value] + '.']);
    }
  }

  if (family('ktp_fleet_up').some((s) => !s.value)) {
    list.push(['bad', 'Redis of the fleet cannot be reached: quotas are spent '
      + 'up to what is leased, then calls are rejected.']);
  }

  if (sum('ktp_state_failing')) {
    list.push(['bad', 'The state file cannot be written: after a restart, '
      + 'quotas would be counted from an older state.']);
  }

  const unknown = last.calls[2] - first.calls[2];

  if (unknown > 0) {
    list.push(['', calls(unknown) + ' may be on the invoice without an answer ('
      + span + ').']);
  }

  for (const { client, period, value } of limits) {
    const used = sum('ktp_client_quota_used_calls',
      (s) => s.client === client && s.period === period);

    if (value && used >= 0.95 * value) {
      list.push(['', client + ' has used ' + count(used) + ' of '
        + count(value) + ' calls (' + period + ').']);
    }
  }

  return list;
}

// The live region is changed only if its text is another one.
function say(list) {
  const box = document.getElementById('notes');

  if (box.textContent !== list.map((note) => note[1]).join('')) {
    box.replaceChildren(...list.map(([kind, text]) => el(
      'p', { className: 'note ' + kind }, text)));
  }
}

function render() {
  const list = recent();
  const last = list[list.length - 1];
  const first = list[0];
  const age = Math.max(1, Math.round((last.t - first.t) / 60));
  const span = 'last ' + age + ' min';

  moneySection(last, first, span);
  clientSection();
  upstreamSection(last, first, span);
  errorSection(last, first, span);
  answerSection();
  say(notes(last, first, span));

  document.getElementById('main').hidden = false;
  document.getElementById('updated').textContent = 'Read at '
    + new Date(last.t * 1000).toLocaleTimeString() + ', counters since '
    + new Date(last.start * 1000).toLocaleString();
}

async function read() {
  clearTimeout(timer);

  try {
    const response = await fetch(address, {
      cache: 'no-store', signal: AbortSignal.timeout(every * 1000) });

    if (!response.ok) {
      throw new Error('status ' + response.status);
    }

    data = await response.json();
    // the clock is that of the gateway, as of the start of its counters
    keep((Date.parse(response.headers.get('Date')) || Date.now()) / 1000);
    render();

  } catch (error) {
    say([['bad', 'The counters cannot be read from ' + address.pathname + ': '
      + error.message]]);
  }

  if (!paused) {
    timer = setTimeout(read, every * 1000);
  }
}

document.getElementById('pause').addEventListener('click', (event) => {
  paused = !paused;
  event.target.textContent = paused ? 'Resume' : 'Pause';
  clearTimeout(timer);

  if (!paused) {
    read();
  }
});

restore();
read();
