// SPDX-License-Identifier: MIT

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"syscall"
	"time"
)

func (o *options) report(n int, metric string, value float64, unit string) {
	line, err := json.Marshal(struct {
		Workload string  `json:"workload"`
		Peer     string  `json:"peer"`
		Form     string  `json:"form"`
		N        int     `json:"n"`
		Metric   string  `json:"metric"`
		Value    float64 `json:"value"`
		Unit     string  `json:"unit"`
	}{o.workload, "go", o.form, n, metric, value, unit})
	if err != nil {
		fail(err.Error())
	}
	fmt.Println(string(line))
}

func (o *options) reportLateness(late []time.Duration) {
	sort.Slice(late, func(i, j int) bool { return late[i] < late[j] })
	early := sort.Search(len(late), func(i int) bool { return late[i] >= 0 })
	us := func(d time.Duration) float64 { return float64(d) / 1e3 }
	o.report(o.tasks, "lateness_p50_us", us(late[len(late)/2]), "us")
	o.report(o.tasks, "lateness_p99_us", us(late[len(late)*99/100]), "us")
	o.report(o.tasks, "lateness_max_us", us(late[len(late)-1]), "us")
	o.report(o.tasks, "early", float64(early), "fires")
}

// The median of what measure returns, nanoseconds each, after as many to get warm.
func (o *options) reportPrimitive(metric string, n int, measure func(n int) float64) {
	results := make([]float64, o.runs)
	for range results {
		measure(n)
	}
	for i := range results {
		results[i] = measure(n)
	}
	sort.Float64s(results)
	o.report(n, metric, results[len(results)/2], "ns")
}

// User and system time of the whole process.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err.Error())
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// A line of /proc/self/status in bytes.
func statusBytes(field string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fail(err.Error())
	}
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, field+":") {
			var kib float64
			if _, err := fmt.Sscan(line[len(field)+1:], &kib); err != nil {
				fail(err.Error())
			}
			return kib * 1024
		}
	}
	fail("no " + field + " in /proc/self/status")
	return 0
}

// What there was before the first task; page tables have no peak to read, and are sampled.
type memory struct {
	resident, pagetable, pagetablePeak float64
	cpu                                time.Duration // that looking has taken while tasks were there
}

func beginMemory() *memory {
	pagetable := statusBytes("VmPTE")
	return &memory{statusBytes("VmRSS"), pagetable, pagetable, 0}
}

func (m *memory) sample() {
	cpu := cpuTime()
	if pagetable := statusBytes("VmPTE"); pagetable > m.pagetablePeak {
		m.pagetablePeak = pagetable
	}
	m.cpu += cpuTime() - cpu
}

func (m *memory) report(o *options) {
	m.sample()
	n := float64(o.tasks)
	peak := statusBytes("VmHWM") + m.pagetablePeak
	o.report(o.tasks, "memory_per_task", (peak-m.resident-m.pagetable)/n, "bytes")
	o.report(o.tasks, "memory_per_task_total", peak/n, "bytes")
}

// splitmix64: one for each task, the same in all peers.
type generator uint64

// Uniform from 1 ms to maxMs.
func (g *generator) duration(maxMs uint64) time.Duration {
	*g += 0x9e3779b97f4a7c15
	z := uint64(*g)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return time.Duration(1e6 + z%((maxMs-1)*1e6+1))
}
