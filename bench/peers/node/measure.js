// SPDX-License-Identifier: MIT
'use strict';

const { readFileSync } = require('node:fs');
const { parseArgs } = require('node:util');

const DEFAULTS = { tasks: 1000, seconds: 1, rounds: 10, seed: 1, runs: 9, port: 0 };
const COUNTS = ['tasks', 'rounds', 'runs'];

function isIn(name, number) {
  if (name === 'seconds') return number >= 0 && number < 1e9;
  return Number.isSafeInteger(number) && number >= (COUNTS.includes(name) ? 1 : 0);
}

function parseOptions(workloads) {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, { type: 'string' }])),
    });
    const options = { ...DEFAULTS, workload: positionals[0] };
    for (const [name, text] of Object.entries(values)) {
      options[name] = Number(text);
      if (text === '' || !isIn(name, options[name])) throw new Error(`no --${name}: ${text}`);
    }
    if (positionals.length !== 1 || !Object.hasOwn(workloads, options.workload)) {
      throw new Error(`one workload, of ${Object.keys(workloads).join(', ')}`);
    }
    return options;
  } catch (error) {
    console.error(`node: ${error.message}`);
    process.exit(2);
  }
}

function reportLine({ workload }, n, metric, value, unit) {
  console.log(JSON.stringify({ workload, peer: 'node', form: '', n, metric, value, unit }));
}

/** late: a Float64Array of nanoseconds. */
function reportLateness(options, late) {
  const n = options.tasks;
  late.sort();
  reportLine(options, n, 'lateness_p50_us', late[Math.floor(late.length / 2)] / 1e3, 'us');
  reportLine(options, n, 'lateness_p99_us', late[Math.floor((late.length * 99) / 100)] / 1e3, 'us');
  reportLine(options, n, 'lateness_max_us', late[late.length - 1] / 1e3, 'us');
  reportLine(options, n, 'early', late.filter((ns) => ns < 0).length, 'fires');
}

/** The median of what measure(n) resolves to, nanoseconds each, after as many to get warm. */
async function reportPrimitive(options, metric, n, measure) {
  for (let i = 0; i < options.runs; i++) await measure(n);
  const results = [];
  for (let i = 0; i < options.runs; i++) results.push(await measure(n));
  results.sort((a, b) => a - b);
  reportLine(options, n, metric, results[Math.floor(results.length / 2)], 'ns');
}

function nowNs() {
  return performance.now() * 1e6;
}

/** User and system time of the whole process. */
function cpuNs() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1e3;
}

/** A line of /proc/self/status in bytes. */
function statusBytes(field) {
  const status = readFileSync('/proc/self/status', 'latin1');
  return Number(status.match(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm'))[1]) * 1024;
}

/** What there was before the first task; page tables have no peak to read, and are sampled. */
class Memory {
  constructor() {
    this.resident = statusBytes('VmRSS');
    this.pagetable = this.pagetablePeak = statusBytes('VmPTE');
    this.cpuNs = 0; // that looking has taken while tasks were there
  }

  sample() {
    const cpu = cpuNs();
    this.pagetablePeak = Math.max(this.pagetablePeak, statusBytes('VmPTE'));
    this.cpuNs += cpuNs() - cpu;
  }

  report(options) {
    this.sample();
    const n = options.tasks;
    const peak = statusBytes('VmHWM') + this.pagetablePeak;
    reportLine(options, n, 'memory_per_task', (peak - this.resident - this.pagetable) / n, 'bytes');
    reportLine(options, n, 'memory_per_task_total', peak / n, 'bytes');
  }
}

/** count random nanoseconds, uniform from 1 ms to maxMs, by splitmix64 as in all peers. */
function drawDurations(seed, count, maxMs) {
  const drawn = new Float64Array(count);
  const range = BigInt(maxMs - 1) * 1000000n + 1n;
  let state = BigInt(seed);
  for (let i = 0; i < count; i++) {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    drawn[i] = 1e6 + Number((z ^ (z >> 31n)) % range);
  }
  return drawn;
}

module.exports = {
  parseOptions, reportLine, reportLateness, reportPrimitive, nowNs, cpuNs, Memory, drawDurations,
};
