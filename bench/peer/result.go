package peer

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"
)

// row is a variant with the medians of its rounds.
type row struct {
	variant
	rounds int
	loads  map[string]Measurement
}

// medians gives a row for each variant that was measured, and each of its figures is the median of its own.
func medians(vs []variant, all []Measurement) (rows []row) {
	for _, v := range vs {
		r := row{variant: v, loads: map[string]Measurement{}}
		for _, l := range loads {
			ms := slices.DeleteFunc(slices.Clone(all), func(m Measurement) bool { return m.Variant != v.String() || m.Workload != l.name })
			if len(ms) == 0 {
				continue
			}
			r.rounds = len(ms)
			m := ms[0]
			for field, of := range map[*float64]func(Measurement) float64{
				&m.PerSecond: func(m Measurement) float64 { return m.PerSecond },
				&m.P50:       func(m Measurement) float64 { return m.P50 },
				&m.P99:       func(m Measurement) float64 { return m.P99 },
				&m.CPUMicros: func(m Measurement) float64 { return m.CPUMicros },
				&m.Bytes:     func(m Measurement) float64 { return m.Bytes },
				&m.MemoryMB:  func(m Measurement) float64 { return m.MemoryMB },
				&m.Load1:     func(m Measurement) float64 { return m.Load1 },
			} {
				*field = medianBy(ms, of)
			}
			m.N = int(medianBy(ms, func(m Measurement) float64 { return float64(m.N) }))
			r.loads[l.name] = m
		}
		if r.rounds > 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

func medianBy(ms []Measurement, of func(Measurement) float64) float64 {
	var values []float64
	for _, m := range ms {
		values = append(values, of(m))
	}
	return medianOf(values)
}

// medianOf gives the median of at least one value; of an even number the lower of the two.
func medianOf[T cmp.Ordered](values []T) T {
	return slices.Sorted(slices.Values(values))[(len(values)-1)/2]
}

// column is a figure of a variant. Its name ends in its unit, in parentheses, as bench/plot wants it.
type column struct {
	name string
	of   func(loads map[string]Measurement) float64
}

var columns = []column{
	{"hello (orchestrations/s)", func(ms map[string]Measurement) float64 { return ms["hello"].PerSecond }},
	{"CPU (µs per hello)", func(ms map[string]Measurement) float64 { return ms["hello"].CPUMicros }},
	{"kept (B per hello)", func(ms map[string]Measurement) float64 { return ms["hello"].Bytes }},
	{"memory (MB)", func(ms map[string]Measurement) float64 { return ms["hello"].MemoryMB }},
	{"hello p50 (ms)", func(ms map[string]Measurement) float64 { return ms["hello"].P50 }},
	{"hello p99 (ms)", func(ms map[string]Measurement) float64 { return ms["hello"].P99 }},
	{"one at a time p50 (ms)", func(ms map[string]Measurement) float64 { return ms["latency"].P50 }},
	{"one at a time p99 (ms)", func(ms map[string]Measurement) float64 { return ms["latency"].P99 }},
	{"fan-out of 100 p50 (ms)", func(ms map[string]Measurement) float64 { return ms["fanout"].P50 }},
	{"chain (µs per activity)", func(ms map[string]Measurement) float64 { return perActivity(ms["chain"]) }},
	{"load average", func(ms map[string]Measurement) float64 { return ms["hello"].Load1 }},
}

// perActivity gives the microseconds that each activity of an orchestration took, by the median.
func perActivity(m Measurement) float64 { return m.P50 * 1000 / float64(max(1, m.Activities)) }

// writeCSV writes a line for each variant.
func writeCSV(path string, rows []row) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("compare: -csv: %w", err)
	}
	w := csv.NewWriter(f)
	fields := []string{"variant"}
	for _, c := range columns {
		fields = append(fields, c.name)
	}
	err = w.Write(fields)
	for _, r := range rows {
		fields = []string{r.String()}
		for _, c := range columns {
			fields = append(fields, strconv.FormatFloat(c.of(r.loads), 'f', 2, 64))
		}
		err = errors.Join(err, w.Write(fields))
	}
	w.Flush()
	if err := errors.Join(err, w.Error(), f.Close()); err != nil {
		return fmt.Errorf("compare: -csv: %w", err)
	}
	return nil
}

// conditions is what a reader has to know of a run beside its figures.
type conditions struct {
	cfg   config
	fsync time.Duration
}

// writeReport prints a table for each mode, and how every system was set.
func writeReport(w io.Writer, rows []row, c conditions) error {
	low, high := 0.0, 0.0
	for i, r := range rows {
		for _, m := range r.loads {
			if i == 0 && low == 0 {
				low = m.Load1
			}
			low, high = min(low, m.Load1), max(high, m.Load1)
		}
	}
	p := printer{w: w}
	p.line("%d cores, %s/%s, %s; a write of 4 KiB with fsync takes %v; medians of %d rounds at scale %v, hello with %d in flight; load average before the runs %.1f to %.1f.\n",
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), c.fsync.Round(10*time.Microsecond), c.cfg.rounds, c.cfg.scale, c.cfg.hellos, low, high)
	for _, mode := range []Mode{Queued, Local} {
		if of := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.mode != mode }); len(of) > 0 {
			p.table(mode, of)
		}
	}
	var vs []variant
	for _, r := range rows {
		vs = append(vs, r.variant)
	}
	return errors.Join(p.err, writeSettings(w, vs))
}

func (p *printer) table(mode Mode, rows []row) {
	p.line("Activities %s:\n", map[Mode]string{
		Queued: "through a queue, from which any worker may take them",
		Local:  "in the process of their orchestration",
	}[mode])
	p.line("| system | store | durability | hello/s | CPU each | p50 | p99 | kept each | memory | one at a time: p50 | p99 | fan-out of 100 | chain, an activity |")
	p.line("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, r := range rows {
		hello, latency, fan, chain := r.loads["hello"], r.loads["latency"], r.loads["fanout"], r.loads["chain"]
		p.line("| %s | %s | %s | %s | %s | %s | %s | %s | %.0f MB | %s | %s | %s | %s |", r.Name, r.Store, r.durability,
			digits(hello.PerSecond), micros(hello.CPUMicros), millis(hello.P50), millis(hello.P99), digits(hello.Bytes/1000)+" kB", hello.MemoryMB,
			millis(latency.P50), millis(latency.P99), millis(fan.P50), micros(perActivity(chain)))
	}
	p.line("")
}

// writeSettings prints how each system is set.
func writeSettings(w io.Writer, vs []variant) error {
	p := printer{w: w}
	told := map[string]bool{}
	for _, v := range vs {
		if !told[v.ID] {
			told[v.ID] = true
			p.line("- %s (%s), %s. Relaxed: %s. Strict: %s. %s.", v.Name, version(v.Module), v.Store, v.Relaxed, v.Strict, v.Settings)
		}
	}
	return p.err
}

// version gives the version of a module that is linked into this program.
func version(module string) string {
	if module == "" {
		return "this tree"
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == module {
				return m.Version
			}
		}
	}
	return "version unknown"
}

// printer prints lines until one fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// digits prints a figure with about three digits that count.
func digits(f float64) string {
	switch {
	case f >= 100:
		return strconv.FormatFloat(f, 'f', 0, 64)
	case f >= 10:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', 2, 64)
}

func millis(f float64) string { return digits(f) + " ms" }

func micros(f float64) string {
	if f >= 1000 {
		return millis(f / 1000)
	}
	return digits(f) + " µs"
}
