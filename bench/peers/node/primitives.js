// SPDX-License-Identifier: MIT

/**
 * The primitives that JavaScript has. An await of something that is there lets the other async
 * functions run, and is the yield; locks and queues it does not have.
 */
'use strict';

const { setTimeout: sleep } = require('node:timers/promises');
const { reportPrimitive, nowNs } = require('./measure.js');

const REPEATS = 100000;
const BATCH = 1000; // of what there is one for each time
const HOUR_MS = 3600000;

async function yieldRepeatedly(rounds) {
  for (let i = 0; i < rounds; i++) await null;
}

async function measureYield(n) {
  const rounds = REPEATS / n;
  const start = nowNs();
  await Promise.all(Array.from({ length: n }, () => yieldRepeatedly(rounds)));
  return (nowNs() - start) / (n * rounds);
}

async function returnAtOnce() {
  return 1;
}

/** An async function begins when it is called, as an eager task does. */
async function measureEagerAwait() {
  const start = nowNs();
  for (let i = 0; i < REPEATS; i++) await returnAtOnce();
  return (nowNs() - start) / REPEATS;
}

function makePromises() {
  const resolves = [];
  const promises = Array.from({ length: BATCH }, () => (
    new Promise((resolve) => { resolves.push(resolve); })));
  return { promises, resolves };
}

async function waitAndGo(there, back) {
  for (let i = 0; i < BATCH; i++) {
    await there.promises[i];
    back.resolves[i](1);
  }
}

/** Two async functions wake each other: half of there and back. */
async function measureSetWake() {
  let ns = 0;
  for (let batch = 0; batch < REPEATS / BATCH; batch++) {
    const there = makePromises();
    const back = makePromises();
    const other = waitAndGo(there, back);
    const start = nowNs();
    for (let i = 0; i < BATCH; i++) {
      there.resolves[i](1);
      await back.promises[i];
    }
    ns += nowNs() - start;
    await other;
  }
  return ns / REPEATS / 2;
}

async function measureGather(n) {
  const start = nowNs();
  await Promise.all(Array.from({ length: n }, returnAtOnce));
  return (nowNs() - start) / n;
}

async function measureSleepCancel(n) {
  const start = nowNs();
  const controllers = Array.from({ length: n }, () => new AbortController());
  const tasks = controllers.map(({ signal }) => sleep(HOUR_MS, undefined, { signal }));
  for (const controller of controllers) controller.abort();
  await Promise.allSettled(tasks);
  return (nowNs() - start) / n;
}

async function measurePrimitives(options) {
  await reportPrimitive(options, 'yield_ns', 2, measureYield);
  await reportPrimitive(options, 'yield_ns', 1000, measureYield);
  await reportPrimitive(options, 'eager_await_ns', 1, measureEagerAwait);
  await reportPrimitive(options, 'set_wake_ns', 1, measureSetWake);
  await reportPrimitive(options, 'gather_ns', 1000, measureGather);
  await reportPrimitive(options, 'sleep_cancel_ns', 1000, measureSleepCancel);
}

module.exports = { measurePrimitives };
