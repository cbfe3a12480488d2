// SPDX-License-Identifier: MIT

//! The sleep-based workloads in Tokio, on the runtime of one thread; with "--form multi", on the
//! one of many.

mod echo;
mod measure;
mod primitives;

use measure::{cpu_ns, draw_duration, Memory, Options};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until, timeout};

const HOUR: Duration = Duration::from_secs(3600);

async fn measure_sleep(options: &Options) {
    let n = options.tasks;
    let duration = Duration::from_secs_f64(options.seconds);

    let mut memory = Memory::begin();
    let (start, cpu) = (Instant::now(), cpu_ns());

    let tasks: Vec<_> = (0..n).map(|_| tokio::spawn(sleep(duration))).collect();
    sleep(duration / 2).await;
    memory.sample();
    for task in tasks {
        task.await.unwrap();
    }

    options.report(n, "wall_beyond", start.elapsed().as_secs_f64() - options.seconds, "s");
    options.report(n, "cpu_per_task", (cpu_ns() - cpu - memory.cpu_ns) as f64 / n as f64, "ns");
    memory.report(options);
}

/// Sleeps as often as asked; returns how much longer, in nanoseconds, each sleep was.
async fn sleep_repeatedly(seed: u64, max_ms: u64, rounds: usize) -> Vec<i64> {
    let mut late = Vec::with_capacity(rounds);
    let mut state = seed;
    for _ in 0..rounds {
        let duration = draw_duration(&mut state, max_ms);
        let begin = Instant::now();
        sleep(duration).await;
        late.push(begin.elapsed().as_nanos() as i64 - duration.as_nanos() as i64);
    }
    late
}

async fn collect(tasks: Vec<JoinHandle<Vec<i64>>>) -> Vec<i64> {
    let mut late = Vec::new();
    for task in tasks {
        late.extend(task.await.unwrap());
    }
    late
}

async fn measure_storm(options: &Options) {
    let n = options.tasks;

    let cpu = cpu_ns();
    let tasks = (0..n as u64)
        .map(|i| tokio::spawn(sleep_repeatedly(options.seed + i, 10, options.rounds)))
        .collect();
    let late = collect(tasks).await;

    options.report(n, "fires_per_cpu_s", late.len() as f64 / ((cpu_ns() - cpu) as f64 / 1e9), "1/s");
    options.report_lateness(late);
}

async fn measure_stagger(options: &Options) {
    let n = options.tasks;

    let cpu = cpu_ns();
    let start = tokio::time::Instant::now();
    let mut tasks = Vec::with_capacity(n);
    for i in 0..n as u64 {
        sleep_until(start + Duration::from_millis(i)).await;
        tasks.push(tokio::spawn(sleep_repeatedly(options.seed + i, 100, 1)));
    }
    let late = collect(tasks).await;

    options.report(n, "cpu_per_task", (cpu_ns() - cpu) as f64 / n as f64, "ns");
    options.report_lateness(late);
}

async fn measure_waits(n: usize, duration: Duration, complete: bool) -> f64 {
    let cpu = cpu_ns();
    let mut senders = Vec::with_capacity(n);
    let mut tasks = Vec::with_capacity(n);
    for _ in 0..n {
        let (sender, receiver) = oneshot::channel();
        senders.push(sender);
        tasks.push(tokio::spawn(timeout(duration, receiver)));
    }
    tokio::task::yield_now().await;
    if complete {
        for sender in senders.drain(..) {
            sender.send(1).unwrap();
        }
    }
    for task in tasks {
        assert_eq!(task.await.unwrap().is_ok(), complete);
    }
    (cpu_ns() - cpu) as f64 / n as f64
}

async fn measure_timeouts(options: &Options) {
    let n = options.tasks;
    options.report(n, "never_ns", measure_waits(n, Duration::from_secs(60), true).await, "ns");
    options.report(n, "always_ns", measure_waits(n, Duration::from_millis(10), false).await, "ns");
}

async fn measure_cancel(options: &Options) {
    let n = options.tasks;
    let tasks: Vec<_> = (0..n).map(|_| tokio::spawn(sleep(HOUR))).collect();
    sleep(Duration::from_millis(10)).await; // all have started

    let cpu = cpu_ns();
    for task in &tasks {
        task.abort();
    }
    for task in tasks {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    options.report(n, "cancel_ns", (cpu_ns() - cpu) as f64 / n as f64, "ns");
}

async fn measure(options: &Options) {
    match options.workload.as_str() {
        "sleep" => measure_sleep(options).await,
        "storm" => measure_storm(options).await,
        "stagger" => measure_stagger(options).await,
        "timeouts" => measure_timeouts(options).await,
        "cancel" => measure_cancel(options).await,
        "primitives" => primitives::measure_all(options).await,
        "echo" => echo::serve(options).await,
        _ => measure::usage(),
    }
}

fn main() {
    let options = Options::parse();
    let mut builder = match options.form.as_str() {
        "" => tokio::runtime::Builder::new_current_thread(),
        "multi" => tokio::runtime::Builder::new_multi_thread(),
        _ => measure::usage(),
    };
    builder.enable_all().build().unwrap().block_on(measure(&options));
}
