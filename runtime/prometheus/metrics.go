package durableprom

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Config configures New. The zero value is ready.
type Config struct {
	// Buckets of all histograms of time, in seconds; nil: from 1 ms to about 9 h, each four times the one before. Nil with
	// Native: no classic buckets at all.
	Buckets []float64
	Native  bool // native histograms too, which Prometheus scrapes if it is told to
}

// Metrics is a collector. It may be used by many workers of a process, and by many goroutines at once.
type Metrics struct {
	started, ended, parked *prometheus.CounterVec
	delivered, redelivered *prometheus.CounterVec
	cacheMisses            *prometheus.CounterVec
	attempts, retaken      *prometheus.CounterVec
	duration, queued       *prometheus.HistogramVec
	turn, load, replayed   *prometheus.HistogramVec
	lag                    *prometheus.HistogramVec
	ran, waited            *prometheus.HistogramVec

	mu      sync.Mutex
	workers map[string]*durable.Worker
}

var _ prometheus.Collector = (*Metrics)(nil)

// New makes the metrics; register them once.
func New(cfg Config) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	of := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		opts := prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}
		if cfg.Native {
			opts.NativeHistogramBucketFactor = 1.1
			opts.NativeHistogramMaxBucketNumber = 160
		}
		return prometheus.NewHistogramVec(opts, labels)
	}
	times := cfg.Buckets
	if times == nil && !cfg.Native {
		times = prometheus.ExponentialBuckets(0.001, 4, 13)
	}
	seconds := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return of(name, help, times, labels...)
	}
	var counts []float64
	if !cfg.Native {
		counts = prometheus.ExponentialBuckets(1, 4, 9)
	}
	return &Metrics{
		workers: map[string]*durable.Worker{},

		started:  counter("durable_orchestrations_started_total", "Runs of orchestrations that have begun.", "group", "orchestrator"),
		ended:    counter("durable_orchestrations_ended_total", "Executions that have ended; a run that goes on as new has several.", "group", "orchestrator", "outcome"),
		duration: seconds("durable_orchestration_duration_seconds", "From the start of an execution to its end, by the log's clock.", "group", "orchestrator", "outcome"),
		queued:   seconds("durable_orchestration_queue_seconds", "From when a start was stored to when its owner had it.", "group", "orchestrator"),
		parked:   counter("durable_orchestrations_parked_total", "Times that an instance was found that no code here can run.", "group", "orchestrator"),

		turn:     seconds("durable_turn_duration_seconds", "Time that an orchestrator's code has run until it waited.", "group", "orchestrator"),
		load:     seconds("durable_replay_duration_seconds", "Time to read and replay an instance that was not in memory.", "group", "orchestrator"),
		replayed: of("durable_replay_messages", "Messages of an instance that was read and replayed.", counts, "group", "orchestrator"),

		delivered:   counter("durable_messages_total", "Messages that have come to the owner of their instance.", "group"),
		redelivered: counter("durable_message_redeliveries_total", "Of them those that had been delivered before.", "group"),
		cacheMisses: counter("durable_cache_misses_total", "Of them those whose instance was not in memory, new instances included.", "group"),
		lag:         seconds("durable_timer_lag_seconds", "How late a timer has fired, by the log's clock.", "group"),

		attempts: counter("durable_activity_attempts_total", "Attempts of activities, by what became of them.", "activity", "outcome"),
		retaken:  counter("durable_activity_redeliveries_total", "Attempts of tasks that had been delivered before: a worker died or was too slow.", "activity"),
		ran:      seconds("durable_activity_duration_seconds", "Time that an attempt has taken.", "activity", "outcome"),
		waited:   seconds("durable_activity_queue_seconds", "From when a task was stored to when its attempt began, by the clocks of log and worker.", "activity"),
	}
}

// Worker gives a config whose worker is counted.
func (m *Metrics) Worker(cfg durable.WorkerConfig) durable.WorkerConfig {
	cfg.Hooks = observe.Join(cfg.Hooks, m.hooks())
	return cfg
}

// Watch shows the gauges of a worker: what it owns and holds, its slots, its loops, its connection. name is their label
// "worker", for processes that have several; "" is a good name for the only one. A worker watched under a name takes the place
// of the one before.
func (m *Metrics) Watch(name string, w *durable.Worker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.workers[name] = w
}

func (m *Metrics) hooks() observe.Hooks {
	return observe.Hooks{
		Started: func(s observe.Start) {
			if s.Number == 0 {
				m.started.WithLabelValues(s.Group, s.Orchestrator).Inc()
				m.queued.WithLabelValues(s.Group, s.Orchestrator).Observe(s.Queued.Seconds())
			}
		},
		Ended: func(e observe.End) {
			if e.Again {
				return // whoever stored it has counted it
			}
			outcome := outcomeOf(e.Status)
			m.ended.WithLabelValues(e.Group, e.Orchestrator, outcome).Inc()
			m.duration.WithLabelValues(e.Group, e.Orchestrator, outcome).Observe(max(e.Ended.Sub(e.Began).Seconds(), 0))
		},
		Parked:    func(p observe.Park) { m.parked.WithLabelValues(p.Group, p.Orchestrator).Inc() },
		Delivered: m.message,
		Turned:    func(t observe.Turn) { m.turn.WithLabelValues(t.Group, t.Orchestrator).Observe(t.Took.Seconds()) },
		Loaded: func(l observe.Load) {
			m.load.WithLabelValues(l.Group, l.Orchestrator).Observe(l.Took.Seconds())
			m.replayed.WithLabelValues(l.Group, l.Orchestrator).Observe(float64(l.Messages))
		},
		AttemptStarted: func(a observe.Attempt) {
			m.waited.WithLabelValues(a.Activity).Observe(a.Queued.Seconds())
			if a.Delivery > 1 {
				m.retaken.WithLabelValues(a.Activity).Inc()
			}
		},
		AttemptEnded: func(e observe.AttemptEnd) {
			m.attempts.WithLabelValues(e.Activity, string(e.Outcome)).Inc()
			m.ran.WithLabelValues(e.Activity, string(e.Outcome)).Observe(e.Took.Seconds())
		},
	}
}

func (m *Metrics) message(d observe.Delivery) {
	m.delivered.WithLabelValues(d.Group).Inc()
	if d.Again {
		m.redelivered.WithLabelValues(d.Group).Inc()
	}
	if !d.Cached {
		m.cacheMisses.WithLabelValues(d.Group).Inc()
	}
	if d.Timer && !d.Again {
		m.lag.WithLabelValues(d.Group).Observe(d.Lag.Seconds())
	}
}

// outcomes are the label values of the ways in which an execution ends.
var outcomes = map[string]string{
	string(durable.Completed): "completed", string(durable.Failed): "failed", string(durable.Terminated): "terminated",
	string(durable.Canceled): "canceled", "ContinuedAsNew": "continued_as_new",
}

func outcomeOf(status string) string {
	if o, ok := outcomes[status]; ok {
		return o
	}
	return "other"
}
