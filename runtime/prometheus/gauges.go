package durableprom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/durablegen/durablegen/runtime/observe"
)

// gauge makes the description of what is read when Prometheus asks.
func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	connected  = gauge("durable_nats_connected", "1 while all connections of the worker to NATS are up.", "worker")
	reconnects = gauge("durable_nats_reconnects_total", "Times that a connection was made again.", "worker")
	unanswered = gauge("durable_nats_unanswered_requests", "Writes and reads that wait for an answer of NATS.", "worker")
	partitions = gauge("durable_partitions_owned", "Partitions that the worker owns.", "worker", "group")
	all        = gauge("durable_partitions", "Partitions of a group, owned or not.", "worker", "group")
	instances  = gauge("durable_instances_cached", "Instances in the worker's memory.", "worker", "group")
	resigned   = gauge("durable_worker_resigned", "1 while the worker owns nothing because the server does not permit it to.", "worker", "group")
	loopRan    = gauge("durable_loop_last_run_timestamp_seconds", "When a loop of the worker has run last.", "worker", "group", "loop")
	loopEvery  = gauge("durable_loop_interval_seconds", "Pause between two rounds of a loop.", "worker", "group", "loop")
	slots      = gauge("durable_activity_slots", "Attempts of an activity's tasks that the worker runs at once at most.", "worker", "activity")
	running    = gauge("durable_activity_running", "Attempts under way.", "worker", "activity")
)

func (m *Metrics) vectors() []prometheus.Collector {
	return []prometheus.Collector{
		m.started, m.ended, m.parked, m.delivered, m.redelivered, m.cacheMisses, m.attempts, m.retaken,
		m.duration, m.queued, m.turn, m.load, m.replayed, m.lag, m.ran, m.waited,
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, v := range m.vectors() {
		v.Describe(to)
	}
	for _, d := range []*prometheus.Desc{connected, reconnects, unanswered, partitions, all, instances, resigned, loopRan, loopEvery, slots, running} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	for _, v := range m.vectors() {
		v.Collect(to)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, w := range m.workers {
		collect(to, name, w.Status())
	}
}

func collect(to chan<- prometheus.Metric, worker string, s observe.Status) {
	send := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{worker}, labels...)...)
	}
	send(connected, truth(s.Store.Connected))
	to <- prometheus.MustNewConstMetric(reconnects, prometheus.CounterValue, float64(s.Store.Reconnects), worker)
	send(unanswered, float64(s.Store.Unanswered))
	for _, g := range s.Groups {
		send(partitions, float64(g.Partitions), g.Group)
		send(all, float64(s.Partitions), g.Group)
		send(instances, float64(g.Instances), g.Group)
		send(resigned, truth(g.Resigned), g.Group)
		for _, l := range g.Loops {
			send(loopRan, float64(l.Ran.UnixNano())/1e9, g.Group, l.Name)
			send(loopEvery, l.Every.Seconds(), g.Group, l.Name)
		}
	}
	for _, a := range s.Activities {
		send(slots, float64(a.Slots), a.Activity)
		send(running, float64(a.Running), a.Activity)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
