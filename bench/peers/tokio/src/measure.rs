// SPDX-License-Identifier: MIT

//! What the workloads share: options, memory, random durations, lateness, and the lines of JSON.

use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

pub struct Options {
    pub workload: String,
    pub form: String,
    pub tasks: usize,
    pub seconds: f64,
    pub rounds: usize,
    pub seed: u64,
    pub runs: usize,
    pub port: u16,
}

pub fn usage() -> ! {
    eprintln!(
        "usage: tokio sleep --tasks N --seconds D | storm --tasks N --rounds R --seed S |\n       \
         stagger --tasks N --seed S | timeouts --tasks N | cancel --tasks N |\n       \
         primitives --runs N | echo --port P; each also with --form multi"
    );
    std::process::exit(2);
}

fn number<T: FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| usage())
}

impl Options {
    pub fn parse() -> Options {
        let mut arguments = std::env::args().skip(1);
        let mut options = Options {
            workload: arguments.next().unwrap_or_else(|| usage()),
            form: String::new(),
            tasks: 1000,
            seconds: 1.0,
            rounds: 10,
            seed: 1,
            runs: 9,
            port: 0,
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_else(|| usage());
            match name.as_str() {
                "--form" => options.form = value,
                "--tasks" => options.tasks = number(&value),
                "--seconds" => options.seconds = number(&value),
                "--rounds" => options.rounds = number(&value),
                "--seed" => options.seed = number(&value),
                "--runs" => options.runs = number(&value),
                "--port" => options.port = number(&value),
                _ => usage(),
            }
        }
        let has_seconds = (0.0..1e9).contains(&options.seconds);
        if options.tasks == 0 || options.rounds == 0 || options.runs == 0 || !has_seconds {
            usage();
        }
        options
    }

    pub fn report(&self, n: usize, metric: &str, value: f64, unit: &str) {
        println!(
            "{{\"workload\":\"{}\",\"peer\":\"tokio\",\"form\":\"{}\",\"n\":{},\"metric\":\"{}\",\
             \"value\":{},\"unit\":\"{}\"}}",
            self.workload, self.form, n, metric, value, unit
        );
    }

    pub fn report_lateness(&self, mut late: Vec<i64>) {
        late.sort_unstable();
        let count = late.len();
        let early = late.iter().filter(|&&ns| ns < 0).count();
        self.report(self.tasks, "lateness_p50_us", late[count / 2] as f64 / 1e3, "us");
        self.report(self.tasks, "lateness_p99_us", late[count * 99 / 100] as f64 / 1e3, "us");
        self.report(self.tasks, "lateness_max_us", late[count - 1] as f64 / 1e3, "us");
        self.report(self.tasks, "early", early as f64, "fires");
    }

    /// The median of what the measurements return, nanoseconds each, after as many to get warm.
    pub async fn report_primitive<F, R>(&self, metric: &str, n: usize, measure: F)
    where
        F: Fn(usize) -> R,
        R: Future<Output = f64>,
    {
        for _ in 0..self.runs {
            measure(n).await;
        }
        let mut results = Vec::with_capacity(self.runs);
        for _ in 0..self.runs {
            results.push(measure(n).await);
        }
        results.sort_by(f64::total_cmp);
        self.report(n, metric, results[self.runs / 2], "ns");
    }
}

/// User and system time of the whole process.
pub fn cpu_ns() -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes to a timespec that is ours.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut now) };
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// A line of /proc/self/status in bytes.
fn status_bytes(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.split(':').next() == Some(field)).unwrap();
    let kib = line.split_whitespace().nth(1).unwrap();
    kib.parse::<f64>().unwrap() * 1024.0
}

/// What there was before the first task; page tables have no peak to read, and are sampled.
pub struct Memory {
    resident: f64,
    pagetable: f64,
    pagetable_peak: f64,
    /// That looking has taken while tasks were there.
    pub cpu_ns: i64,
}

impl Memory {
    pub fn begin() -> Memory {
        let pagetable = status_bytes("VmPTE");
        Memory { resident: status_bytes("VmRSS"), pagetable, pagetable_peak: pagetable, cpu_ns: 0 }
    }

    pub fn sample(&mut self) {
        let cpu = cpu_ns();
        self.pagetable_peak = self.pagetable_peak.max(status_bytes("VmPTE"));
        self.cpu_ns += cpu_ns() - cpu;
    }

    pub fn report(&mut self, options: &Options) {
        self.sample();
        let n = options.tasks as f64;
        let peak = status_bytes("VmHWM") + self.pagetable_peak;
        let more = peak - self.resident - self.pagetable;
        options.report(options.tasks, "memory_per_task", more / n, "bytes");
        options.report(options.tasks, "memory_per_task_total", peak / n, "bytes");
    }
}

/// Uniform from 1 ms to max_ms, by splitmix64: a state for each task, as in all peers.
pub fn draw_duration(state: &mut u64, max_ms: u64) -> Duration {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    Duration::from_nanos(1_000_000 + z % ((max_ms - 1) * 1_000_000 + 1))
}
