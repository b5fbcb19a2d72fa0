package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// logger hands the server's own log to slog. The server ends the process after Fatalf only if its logger does, so the
// text is kept for the error of Start instead.
type logger struct {
	to *slog.Logger

	mu  sync.Mutex
	why string
}

func (l *logger) say(level slog.Level, format string, v ...any) {
	if l.to != nil {
		l.to.Log(context.Background(), level, fmt.Sprintf(format, v...), "from", "nats-server")
	}
}

func (l *logger) fatal() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

func (l *logger) Noticef(format string, v ...any) { l.say(slog.LevelDebug, format, v...) }
func (l *logger) Warnf(format string, v ...any)   { l.say(slog.LevelWarn, format, v...) }
func (l *logger) Errorf(format string, v ...any)  { l.say(slog.LevelError, format, v...) }
func (l *logger) Debugf(format string, v ...any)  { l.say(slog.LevelDebug, format, v...) }
func (l *logger) Tracef(format string, v ...any)  { l.say(slog.LevelDebug, format, v...) }

func (l *logger) Fatalf(format string, v ...any) {
	l.mu.Lock()
	l.why = fmt.Sprintf(format, v...)
	l.mu.Unlock()
	l.say(slog.LevelError, format, v...)
}
