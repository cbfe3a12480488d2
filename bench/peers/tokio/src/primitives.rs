// SPDX-License-Identifier: MIT

//! What Tokio's primitives cost.

use crate::measure::Options;
use crate::HOUR;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot, Mutex};
use tokio::task::{yield_now, JoinSet};
use tokio::time::sleep;

const REPEATS: usize = 100_000;
const BATCH: usize = 1000; // of what there is one for each time

fn ns_since(start: Instant, n: usize) -> f64 {
    start.elapsed().as_nanos() as f64 / n as f64
}

async fn measure_yield(n: usize) -> f64 {
    let rounds = 10 * REPEATS / n;
    let start = Instant::now();
    let tasks: Vec<_> = (0..n)
        .map(|_| {
            tokio::spawn(async move {
                for _ in 0..rounds {
                    yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    ns_since(start, n * rounds)
}

async fn measure_create_await(_n: usize) -> f64 {
    let start = Instant::now();
    for _ in 0..REPEATS {
        tokio::spawn(async { 1 }).await.unwrap();
    }
    ns_since(start, REPEATS)
}

/// Two tasks wake each other: half of there and back.
async fn measure_set_wake(_n: usize) -> f64 {
    let mut sum = 0.0;
    for _ in 0..REPEATS / BATCH {
        let (send_there, receive_there): (Vec<_>, Vec<_>) = (0..BATCH).map(|_| oneshot::channel()).unzip();
        let (send_back, receive_back): (Vec<_>, Vec<_>) = (0..BATCH).map(|_| oneshot::channel()).unzip();
        let task = tokio::spawn(async move {
            for (awaited, other) in receive_there.into_iter().zip(send_back) {
                let value: i32 = awaited.await.unwrap();
                other.send(value).unwrap();
            }
        });
        yield_now().await;
        let start = Instant::now();
        for (other, awaited) in send_there.into_iter().zip(receive_back) {
            other.send(1).unwrap();
            let _: i32 = awaited.await.unwrap();
        }
        sum += ns_since(start, 2 * REPEATS);
        task.await.unwrap();
    }
    sum
}

async fn measure_gather(n: usize) -> f64 {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..n {
        tasks.spawn(async { 1 });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    ns_since(start, n)
}

async fn measure_sleep_cancel(n: usize) -> f64 {
    let start = Instant::now();
    let tasks: Vec<_> = (0..n).map(|_| tokio::spawn(sleep(HOUR))).collect();
    yield_now().await;
    for task in &tasks {
        task.abort();
    }
    for task in tasks {
        task.await.unwrap_err();
    }
    ns_since(start, n)
}

async fn measure_lock(_n: usize) -> f64 {
    let lock = Mutex::new(());
    let start = Instant::now();
    for _ in 0..REPEATS {
        drop(lock.lock().await);
    }
    ns_since(start, REPEATS)
}

async fn measure_queue(_n: usize) -> f64 {
    let (sender, mut receiver) = mpsc::channel(1);
    let start = Instant::now();
    let producer = tokio::spawn(async move {
        for i in 0..REPEATS {
            sender.send(i).await.unwrap();
        }
    });
    while receiver.recv().await.is_some() {}
    let ns = ns_since(start, REPEATS);
    producer.await.unwrap();
    ns
}

pub async fn measure_all(options: &Options) {
    options.report_primitive("yield_ns", 2, measure_yield).await;
    options.report_primitive("yield_ns", 1000, measure_yield).await;
    options.report_primitive("create_await_ns", 1, measure_create_await).await;
    options.report_primitive("set_wake_ns", 1, measure_set_wake).await;
    options.report_primitive("gather_ns", 1000, measure_gather).await;
    options.report_primitive("sleep_cancel_ns", 1000, measure_sleep_cancel).await;
    options.report_primitive("lock_ns", 1, measure_lock).await;
    options.report_primitive("queue_ns", 1, measure_queue).await;
}
