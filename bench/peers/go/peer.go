// SPDX-License-Identifier: MIT

// The sleep-based workloads in Go: a task is a goroutine, a sleep is time.Sleep.
//
// With "--form single" everything runs on one processor (GOMAXPROCS 1) instead of Go's default.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

type options struct {
	workload string
	form     string
	tasks    int
	seconds  float64
	rounds   int
	seed     uint64
	runs     int
	port     uint
}

func measureSleep(o *options) {
	n := o.tasks
	d := time.Duration(o.seconds * 1e9)

	memory := beginMemory()
	start, cpu := time.Now(), cpuTime()

	var all sync.WaitGroup
	all.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			time.Sleep(d)
			all.Done()
		}()
	}
	time.Sleep(d / 2)
	memory.sample()
	all.Wait()

	o.report(n, "wall_beyond", (time.Since(start) - d).Seconds(), "s")
	o.report(n, "cpu_per_task", float64(cpuTime()-cpu-memory.cpu)/float64(n), "ns")
	memory.report(o)
}

// Sleeps for as long as each element of late says after a draw, and writes there how much longer it was.
func sleepRepeatedly(random generator, maxMs uint64, late []time.Duration) {
	for i := range late {
		d := random.duration(maxMs)
		begin := time.Now()
		time.Sleep(d)
		late[i] = time.Since(begin) - d
	}
}

func measureStorm(o *options) {
	n, rounds := o.tasks, o.rounds
	late := make([]time.Duration, n*rounds)

	cpu := cpuTime()
	var all sync.WaitGroup
	all.Add(n)
	for i := 0; i < n; i++ {
		go func(i int) {
			defer all.Done()
			sleepRepeatedly(generator(o.seed+uint64(i)), 10, late[i*rounds:(i+1)*rounds])
		}(i)
	}
	all.Wait()

	o.report(n, "fires_per_cpu_s", float64(len(late))/(cpuTime()-cpu).Seconds(), "1/s")
	o.reportLateness(late)
}

func measureStagger(o *options) {
	n := o.tasks
	late := make([]time.Duration, n)

	cpu := cpuTime()
	start := time.Now()
	var all sync.WaitGroup
	all.Add(n)
	for i := 0; i < n; i++ {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Millisecond)))
		go func(i int) {
			defer all.Done()
			sleepRepeatedly(generator(o.seed+uint64(i)), 100, late[i:i+1])
		}(i)
	}
	all.Wait()

	o.report(n, "cpu_per_task", float64(cpuTime()-cpu)/float64(n), "ns")
	o.reportLateness(late)
}

// Says whether the value came before the time was over.
func waitWithTimeout(values <-chan int, timeout time.Duration) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-values:
		return true
	case <-timer.C:
		return false
	}
}

func measureWaits(n int, timeout time.Duration, complete bool) float64 {
	cpu := cpuTime()
	channels := make([]chan int, n)
	var all sync.WaitGroup
	all.Add(n)
	for i := range channels {
		channels[i] = make(chan int)
		go func(values <-chan int) {
			defer all.Done()
			if waitWithTimeout(values, timeout) != complete {
				fail("a wait has not ended as it should")
			}
		}(channels[i])
	}
	if complete {
		for _, values := range channels {
			values <- 1
		}
	}
	all.Wait()
	return float64(cpuTime()-cpu) / float64(n)
}

func measureTimeouts(o *options) {
	o.report(o.tasks, "never_ns", measureWaits(o.tasks, 60*time.Second, true), "ns")
	o.report(o.tasks, "always_ns", measureWaits(o.tasks, 10*time.Millisecond, false), "ns")
}

// time.Sleep, but for a context that ends before.
func sleepContext(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func startSleepers(ctx context.Context, n int, ended *sync.WaitGroup) {
	var started sync.WaitGroup
	started.Add(n)
	ended.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			defer ended.Done()
			started.Done()
			if sleepContext(ctx, time.Hour) == nil {
				fail("an hour has passed")
			}
		}()
	}
	started.Wait()
}

func measureCancel(o *options) {
	n := o.tasks
	ctx, cancel := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	startSleepers(ctx, n, &ended)
	time.Sleep(10 * time.Millisecond) // the last of them falls asleep

	cpu := cpuTime()
	cancel()
	ended.Wait()
	o.report(n, "cancel_ns", float64(cpuTime()-cpu)/float64(n), "ns")
}

func fail(what string) {
	fmt.Fprintln(os.Stderr, "go:", what)
	os.Exit(1)
}

func main() {
	workloads := map[string]func(*options){
		"sleep":      measureSleep,
		"storm":      measureStorm,
		"stagger":    measureStagger,
		"timeouts":   measureTimeouts,
		"cancel":     measureCancel,
		"primitives": measurePrimitives,
		"echo":       serveEcho,
	}
	usage := func() {
		fmt.Fprintln(os.Stderr, "usage: go sleep|storm|stagger|timeouts|cancel|primitives|echo [OPTION...]")
	}

	var o options
	flags := flag.NewFlagSet("go", flag.ExitOnError)
	flags.StringVar(&o.form, "form", "", `"single" for one processor`)
	flags.IntVar(&o.tasks, "tasks", 1000, "how many tasks")
	flags.Float64Var(&o.seconds, "seconds", 1, "how long each sleeps")
	flags.IntVar(&o.rounds, "rounds", 10, "how often each sleeps")
	flags.Uint64Var(&o.seed, "seed", 1, "of the random durations")
	flags.IntVar(&o.runs, "runs", 9, "of each primitive; the median counts")
	flags.UintVar(&o.port, "port", 0, "to listen on; 0 for a free one")
	if len(os.Args) < 2 || workloads[os.Args[1]] == nil {
		usage()
		os.Exit(2)
	}
	o.workload = os.Args[1]
	flags.Parse(os.Args[2:])
	if o.form == "single" {
		runtime.GOMAXPROCS(1)
	}
	if o.form != "single" && o.form != "" || o.tasks < 1 || o.rounds < 1 || o.runs < 1 ||
		!(o.seconds >= 0 && o.seconds < 1e9) {
		usage()
		os.Exit(2)
	}
	workloads[o.workload](&o)
}
