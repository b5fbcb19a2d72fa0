// Package cloudevents publishes what becomes of orchestrations as CloudEvents 1.0, in structured JSON, on subjects of core
// NATS:
//
//	durable-events.<hub>.<type>.<id>
//
// The type is started, completed, failed, terminated, canceled, continued or parked; the id is that of the instance, every
// byte but letters, digits, '-' and '_' written =HH. So a subscriber chooses by subject:
//
//	nats sub 'durable-events.default.failed.>'
//
//	events := cloudevents.New(cloudevents.Config{Hub: "default", Publish: nc.Publish})
//	worker := durable.NewWorker(hub, &code, events.Worker(durable.WorkerConfig{}))
//
// An event is sent at most once to whoever listens, right after what it tells of is stored; after a crash it may be missing
// or come twice, with the same id. Who must not miss an end waits for the instance, or reads the projection. Events hold
// no payloads and no texts of errors.
package cloudevents

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Config configures New. Publish is required.
type Config struct {
	Hub string // of the worker; "": default
	// Publish sends a message at most once, as Publish of a nats.Conn does. It is called in the middle of a worker's work
	// and must not block.
	Publish func(subject string, data []byte) error
	Logger  *slog.Logger // told, as a warning, of events that Publish did not take; nil discards
}

// Events publishes. It may be used by many workers at once.
type Events struct{ cfg Config }

// New makes events. It panics without Publish.
func New(cfg Config) *Events {
	if cfg.Publish == nil {
		panic("cloudevents: Config.Publish is nil: give it the Publish of a nats.Conn")
	}
	if cfg.Hub == "" {
		cfg.Hub = "default"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Events{cfg}
}

// Worker gives a config whose worker publishes events.
func (e *Events) Worker(cfg durable.WorkerConfig) durable.WorkerConfig {
	cfg.Hooks = observe.Join(cfg.Hooks, observe.Hooks{
		Started: func(s observe.Start) {
			if s.Number == 0 {
				e.publish("started", s.Execution, s.Began, Data{})
			}
		},
		Ended: func(end observe.End) {
			kind, status := strings.ToLower(end.Status), end.Status
			if kind == "continuedasnew" {
				kind, status = "continued", ""
			}
			e.publish(kind, end.Execution, end.Ended, Data{Status: status, FailureKind: end.Kind})
		},
		Parked: func(p observe.Park) {
			e.publish("parked", observe.Execution{Group: p.Group, Instance: p.Instance, Orchestrator: p.Orchestrator}, time.Now(), Data{})
		},
	})
	return cfg
}

// Event is a CloudEvent as JSON.
type Event struct {
	SpecVersion     string    `json:"specversion"` // 1.0
	ID              string    `json:"id"`          // unique within Source: <id>/<run>/<execution>/<type>
	Source          string    `json:"source"`      // /durable/<hub>/<group>, escaped as a path
	Type            string    `json:"type"`        // io.durablegen.orchestration.<type>
	Subject         string    `json:"subject"`     // id of the instance
	Time            time.Time `json:"time"`        // by the log's clock; of parked: by the worker's
	DataContentType string    `json:"datacontenttype"`
	TraceParent     string    `json:"traceparent,omitempty"` // that the run was started with
	TraceState      string    `json:"tracestate,omitempty"`
	Data            Data      `json:"data"`
}

// Data is what an event tells beside what happened to whom.
type Data struct {
	Orchestrator string `json:"orchestrator"` // wire name; "" of a parked instance whose start could not be read
	Version      string `json:"version,omitempty"`
	Run          uint32 `json:"run,omitempty"`       // from 1; 0 of a parked instance
	Execution    uint32 `json:"execution,omitempty"` // of the run, from 0
	Parent       string `json:"parent,omitempty"`    // id of the parent instance
	Status       string `json:"status,omitempty"`    // of an end: Completed, ...
	FailureKind  string `json:"failureKind,omitempty"`
}

func (e *Events) publish(kind string, x observe.Execution, at time.Time, d Data) {
	d.Orchestrator, d.Version, d.Run, d.Execution, d.Parent = x.Orchestrator, x.Version, x.Run, x.Number, x.Parent
	event := Event{
		SpecVersion: "1.0", ID: fmt.Sprintf("%s/%d/%d/%s", x.Instance, x.Run, x.Number, kind),
		Source: "/durable/" + url.PathEscape(e.cfg.Hub) + "/" + url.PathEscape(x.Group),
		Type:   "io.durablegen.orchestration." + kind, Subject: x.Instance, Time: at.UTC(),
		DataContentType: "application/json", TraceParent: x.TraceParent, TraceState: x.TraceState, Data: d,
	}
	data, err := json.Marshal(event)
	if err == nil {
		err = e.cfg.Publish("durable-events."+e.cfg.Hub+"."+kind+"."+history.EncodeID(x.Instance), data)
	}
	if err != nil {
		e.cfg.Logger.Warn("durable: a lifecycle event was not sent", observe.KeyHub, e.cfg.Hub, observe.KeyInstance, x.Instance, "event", kind, observe.KeyError, err)
	}
}
