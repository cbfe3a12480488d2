// SPDX-License-Identifier: MIT

/**
 * The sleep-based workloads in Node: a task is a call of an async function, a sleep is setTimeout
 * of node:timers/promises, which drops fractions of a millisecond.
 *
 * Random durations are drawn before the clocks start: 64-bit arithmetic costs JavaScript more than
 * it should count for in a sleep.
 */
'use strict';

const assert = require('node:assert/strict');
const { setTimeout: sleep, setImmediate: yieldToLoop } = require('node:timers/promises');
const {
  parseOptions, reportLine, reportLateness, nowNs, cpuNs, Memory, drawDurations,
} = require('./measure.js');
const { serveEcho } = require('./echo.js');
const { measurePrimitives } = require('./primitives.js');

const HOUR_MS = 3600000;

async function measureSleep(options) {
  const { tasks: n, seconds } = options;

  const memory = new Memory();
  const start = nowNs();
  const cpu = cpuNs();

  const tasks = Array.from({ length: n }, () => sleep(seconds * 1e3));
  await sleep((seconds * 1e3) / 2);
  memory.sample();
  await Promise.all(tasks);

  reportLine(options, n, 'wall_beyond', (nowNs() - start) / 1e9 - seconds, 's');
  reportLine(options, n, 'cpu_per_task', (cpuNs() - cpu - memory.cpuNs) / n, 'ns');
  memory.report(options);
}

/** Sleeps for each of the durations, and puts in its place how much longer it was. */
async function sleepRepeatedly(durations) {
  for (let i = 0; i < durations.length; i++) {
    const due = nowNs() + durations[i];
    await sleep(durations[i] / 1e6);
    durations[i] = nowNs() - due;
  }
}

async function measureStorm(options) {
  const { tasks: n, rounds, seed } = options;
  const all = new Float64Array(n * rounds);
  for (let i = 0; i < n; i++) all.set(drawDurations(seed + i, rounds, 10), i * rounds);

  const cpu = cpuNs();
  await Promise.all(Array.from({ length: n }, (_, i) => (
    sleepRepeatedly(all.subarray(i * rounds, (i + 1) * rounds)))));

  reportLine(options, n, 'fires_per_cpu_s', all.length / ((cpuNs() - cpu) / 1e9), '1/s');
  reportLateness(options, all);
}

async function measureStagger(options) {
  const { tasks: n, seed } = options;
  const all = new Float64Array(n);
  for (let i = 0; i < n; i++) all.set(drawDurations(seed + i, 1, 100), i);

  const cpu = cpuNs();
  const start = nowNs();
  const tasks = [];
  for (let i = 0; i < n; i++) {
    const wait = start / 1e6 + i - performance.now();
    if (wait > 0) await sleep(wait);
    tasks.push(sleepRepeatedly(all.subarray(i, i + 1)));
  }
  await Promise.all(tasks);

  reportLine(options, n, 'cpu_per_task', (cpuNs() - cpu) / n, 'ns');
  reportLateness(options, all);
}

async function withTimeout(promise, ms) {
  let timer;
  const expired = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error('timed out')), ms);
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

async function measureWaits(n, ms, complete) {
  const cpu = cpuNs();
  const resolves = [];
  const tasks = [];
  for (let i = 0; i < n; i++) {
    tasks.push(withTimeout(new Promise((resolve) => { resolves.push(resolve); }), ms));
  }
  if (complete) for (const resolve of resolves) resolve(1);
  const results = await Promise.allSettled(tasks);
  const ns = (cpuNs() - cpu) / n;

  assert(results.every(({ status }) => status === (complete ? 'fulfilled' : 'rejected')));
  return ns;
}

async function measureTimeouts(options) {
  const { tasks: n } = options;
  reportLine(options, n, 'never_ns', await measureWaits(n, 60000, true), 'ns');
  reportLine(options, n, 'always_ns', await measureWaits(n, 10, false), 'ns');
}

async function measureCancel(options) {
  const { tasks: n } = options;
  const controllers = Array.from({ length: n }, () => new AbortController());
  const tasks = controllers.map(({ signal }) => sleep(HOUR_MS, undefined, { signal }));
  const settled = Promise.allSettled(tasks);
  await yieldToLoop();

  const cpu = cpuNs();
  for (const controller of controllers) controller.abort();
  const results = await settled;
  reportLine(options, n, 'cancel_ns', (cpuNs() - cpu) / n, 'ns');
  assert(results.every(({ status }) => status === 'rejected'));
}

const WORKLOADS = {
  sleep: measureSleep,
  storm: measureStorm,
  stagger: measureStagger,
  timeouts: measureTimeouts,
  cancel: measureCancel,
  primitives: measurePrimitives,
  echo: serveEcho,
};

const options = parseOptions(WORKLOADS);
WORKLOADS[options.workload](options);
