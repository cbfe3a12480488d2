// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"runtime"
	"sync"
	"time"
)

const repeats = 100000

func nsSince(start time.Time, n int) float64 {
	return float64(time.Since(start)) / float64(n)
}

func measureYield(n int) float64 {
	rounds := 10 * repeats / n
	var all sync.WaitGroup
	all.Add(n)
	start := time.Now()
	for i := 0; i < n; i++ {
		go func() {
			for r := 0; r < rounds; r++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
	return nsSince(start, n*rounds)
}

func measureCreateAwait(int) float64 {
	result := make(chan int)
	start := time.Now()
	for i := 0; i < repeats; i++ {
		go func() { result <- 1 }()
		<-result
	}
	return nsSince(start, repeats)
}

// Two goroutines wake each other: half of there and back.
func measureSetWake(int) float64 {
	there, back := make(chan int), make(chan int)
	go func() {
		for i := 0; i < repeats; i++ {
			back <- <-there
		}
	}()
	start := time.Now()
	for i := 0; i < repeats; i++ {
		there <- i
		<-back
	}
	return nsSince(start, 2*repeats)
}

func measureGather(n int) float64 {
	results := make([]int, n)
	start := time.Now()
	var all sync.WaitGroup
	all.Add(n)
	for i := range results {
		go func(i int) {
			results[i] = 1
			all.Done()
		}(i)
	}
	all.Wait()
	return nsSince(start, n)
}

func measureSleepCancel(n int) float64 {
	start := time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	startSleepers(ctx, n, &ended)
	cancel()
	ended.Wait()
	return nsSince(start, n)
}

func measureLock(int) float64 {
	var lock sync.Mutex
	start := time.Now()
	for i := 0; i < repeats; i++ {
		lock.Lock()
		lock.Unlock()
	}
	return nsSince(start, repeats)
}

func measureQueue(int) float64 {
	queue := make(chan int, 1)
	start := time.Now()
	go func() {
		for i := 0; i < repeats; i++ {
			queue <- i
		}
	}()
	for i := 0; i < repeats; i++ {
		<-queue
	}
	return nsSince(start, repeats)
}

func measurePrimitives(o *options) {
	o.reportPrimitive("yield_ns", 2, measureYield)
	o.reportPrimitive("yield_ns", 1000, measureYield)
	o.reportPrimitive("create_await_ns", 1, measureCreateAwait)
	o.reportPrimitive("set_wake_ns", 1, measureSetWake)
	o.reportPrimitive("gather_ns", 1000, measureGather)
	o.reportPrimitive("sleep_cancel_ns", 1000, measureSleepCancel)
	o.reportPrimitive("lock_ns", 1, measureLock)
	o.reportPrimitive("queue_ns", 1, measureQueue)
}
