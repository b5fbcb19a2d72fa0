package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Result is what one workload came to. Fields that do not apply are left out of the JSON.
type Result struct {
	Workload    string  `json:"workload"`
	N           int     `json:"n"`
	Concurrency int     `json:"concurrency"`
	Durability  string  `json:"durability"` // as asked for, or server: what the server by URL is configured for
	Seconds     float64 `json:"seconds"`
	PerSecond   float64 `json:"orch_per_s"`
	Activities  float64 `json:"activities_per_s"`
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	Max         float64 `json:"max_ms"`
	CPUMicros   float64 `json:"cpu_us_per_orch"`     // user and system, of this process (the embedded server in it) and its children
	DiskBytes   float64 `json:"disk_bytes_per_orch"` // growth of the embedded server's store, before retention
	PeakRSS     float64 `json:"peak_rss_mb"`
	Allocs      float64 `json:"allocs_per_orch"`      // objects allocated on the heap by this process, the embedded server included
	AllocBytes  float64 `json:"alloc_bytes_per_orch"` // and their bytes
	Load1       float64 `json:"load1"`                // load average of the machine before the run; 0 where it is unknown

	LastByFirst      float64 `json:"last100_by_first100,omitempty"` // chain
	BytesPerInstance int     `json:"bytes_per_instance,omitempty"`  // idle: heap and stacks of this process for a waiting instance
}

// take fills in what follows from the time and the tally of a run.
func (r *Result) take(w load, t tally, elapsed time.Duration) {
	slices.Sort(t.latencies)
	r.Seconds = elapsed.Seconds()
	r.PerSecond = float64(r.N) / r.Seconds
	r.Activities = r.PerSecond * float64(w.activities)
	r.P50 = milliseconds(percentile(t.latencies, 50))
	r.P99 = milliseconds(percentile(t.latencies, 99))
	r.Max = milliseconds(percentile(t.latencies, 100))
	r.LastByFirst = t.ratio
	r.BytesPerInstance = t.bytes
}

const (
	headFormat = "%-14s%8s%6s  %-13s%9s%11s%9s%9s%9s%10s%9s%8s%7s  %s\n"
	rowFormat  = "%-14s%8d%6d  %-13s%9.0f%11.0f%9.2f%9.2f%9.1f%10.0f%9.0f%8.0f%7.2f  %s\n"
)

func (r Result) writeRow(w io.Writer, head bool) error {
	if head {
		if _, err := fmt.Fprintf(w, headFormat, "workload", "n", "c", "durability", "orch/s", "act/s", "p50 ms", "p99 ms", "max ms", "CPU µs", "disk B", "RSS MB", "load", ""); err != nil {
			return err
		}
	}
	note := ""
	if r.LastByFirst > 0 {
		note = fmt.Sprintf("last 100 / first 100: %.2f", r.LastByFirst)
	}
	if r.BytesPerInstance > 0 {
		note = fmt.Sprintf("%d B a waiting instance", r.BytesPerInstance)
	}
	_, err := fmt.Fprintf(w, rowFormat, r.Workload, r.N, r.Concurrency, r.Durability, r.PerSecond, r.Activities, r.P50, r.P99, r.Max, r.CPUMicros, r.DiskBytes, r.PeakRSS, r.Load1, note)
	return err
}

// percentile gives the smallest value that p percent of the sorted values do not exceed; 0 of none.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
