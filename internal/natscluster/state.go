package natscluster

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// String tells what the servers know of the streams and consumers.
func (c *Cluster) String() string {
	var b strings.Builder
	for n, s := range c.running() {
		if s == nil {
			fmt.Fprintf(&b, "s%d is stopped\n", n)
			continue
		}
		fmt.Fprintf(&b, "s%d: %d routes, %d clients, leads the cluster: %t\n", n, s.NumRoutes(), s.NumClients(), s.JetStreamIsLeader())
		info, err := s.Jsz(&server.JSzOptions{Accounts: true, Streams: true, Consumer: true})
		if err != nil {
			fmt.Fprintf(&b, "  its streams: %v\n", err)
			continue
		}
		for _, a := range info.AccountDetails {
			for _, st := range a.Streams {
				fmt.Fprintf(&b, "  %s: messages %d to %d%s\n", st.Name, st.State.FirstSeq, st.State.LastSeq, led(s, st.Cluster))
				for _, co := range st.Consumer {
					fmt.Fprintf(&b, "    %s: delivered %d, acknowledged to %d, unacknowledged %d, again %d, waiting pulls %d, to come %d%s\n", co.Name,
						co.Delivered.Stream, co.AckFloor.Stream, co.NumAckPending, co.NumRedelivered, co.NumWaiting, co.NumPending, led(s, co.Cluster))
				}
			}
		}
	}
	return b.String()
}

// led tells who leads a group, and what its leader knows of the others.
func led(s *server.Server, g *server.ClusterInfo) string {
	switch {
	case g == nil:
		return ""
	case g.Leader == "":
		return ", no leader"
	case g.Leader != s.Name():
		return ", led by " + g.Leader
	}
	text := ", leads"
	for _, r := range g.Replicas {
		text += fmt.Sprintf("; %s current %t, offline %t, lag %d, seen before %v", r.Name, r.Current, r.Offline, r.Lag, r.Active.Round(time.Millisecond))
	}
	return text
}

// most lines of the servers that are kept.
const most = 2000

// log keeps what the servers write.
type log struct {
	begun time.Time

	mu    sync.Mutex
	lines []string
}

func newLog() *log { return &log{begun: time.Now()} }

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "")
}

func (l *log) add(who, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == most {
		l.lines = slices.Delete(l.lines, 0, most/10)
	}
	l.lines = append(l.lines, fmt.Sprintf("%8.3f %s %s\n", time.Since(l.begun).Seconds(), who, strings.TrimSuffix(text, "\n")))
}

// Note says in the log of the servers what the test does.
func (c *Cluster) Note(format string, v ...any) { c.log.add("test", fmt.Sprintf(format, v...)) }

// Logger writes what a client of the cluster has to say into the log of the servers. It may be used concurrently.
func (c *Cluster) Logger(client string) *slog.Logger {
	return slog.New(slog.NewTextHandler(&writer{c.log, client}, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// writer is the log of a client.
type writer struct {
	log  *log
	name string
}

func (w *writer) Write(line []byte) (int, error) {
	w.log.add(w.name, string(line))
	return len(line), nil
}

// logger is the log of a server. It implements server.Logger.
type logger struct {
	log  *log
	name string
}

func (l *logger) add(level, format string, v []any) {
	text := fmt.Sprintf(format, v...)
	banner := text == "" || text[0] == ' ' || text[0] == '-'
	// A server that looks for another one, which is stopped, makes a connection after the other.
	route := strings.HasSuffix(text, "Route connection created") || strings.Contains(text, "Router connection closed") && !strings.Contains(text, " - Remote: ")
	if !banner && !route {
		l.log.add(l.name, level+" "+text)
	}
}

func (l *logger) Noticef(format string, v ...any) { l.add("notice", format, v) }
func (l *logger) Warnf(format string, v ...any)   { l.add("warning", format, v) }
func (l *logger) Errorf(format string, v ...any)  { l.add("error", format, v) }
func (l *logger) Fatalf(format string, v ...any)  { l.add("fatal", format, v) }
func (l *logger) Debugf(format string, v ...any)  { l.add("debug", format, v) }
func (l *logger) Tracef(format string, v ...any)  { l.add("trace", format, v) }
