// Command membership is the administration of a club, as a showcase of durablegen: people apply on a web page, and what
// follows takes seconds or years, whatever happens to the process meanwhile.
//
//	go run ./examples/membership                 the club, on a NATS server inside the process
//	go run ./examples/membership -demo           200 applicants play themselves; prints how they ended
//	go run ./examples/membership -demo -crash    the same, while the worker process is killed again and again
//	go run ./examples/membership -nats URL       any of these on a NATS server of yours
//	go run ./examples/membership -worker …       a worker only, for a club that runs elsewhere
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program: 0 all went well, 1 it did not, 2 the flags are wrong.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "membership:", err)
		return 2
	}
	s.log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: s.level}))
	switch {
	case s.worker:
		err = runWorker(ctx, s, stdin, stdout)
	case s.demo:
		err = runDemo(ctx, s, stdout, stderr)
	default:
		err = runClub(ctx, s, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "membership:", err)
		return 1
	}
	return 0
}

// settings are the flags.
type settings struct {
	data, addr, apiKey, nats, hub, share, world string
	demo, crash, worker, untilEOF               bool
	seed                                        uint64
	day                                         time.Duration
	level                                       slog.Level
	log                                         *slog.Logger
}

func parse(args []string, stderr io.Writer) (settings, error) {
	s := settings{level: slog.LevelWarn}
	f := flag.NewFlagSet("membership", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.data, "data", "", "`directory` of the data (default membership-data; for -demo a temporary one)")
	f.StringVar(&s.addr, "addr", "127.0.0.1:8080", "`address` of the web page")
	f.StringVar(&s.apiKey, "api-key", "", "`key` of the management API beside the web page; without one there is no API (default $MEMBERSHIP_API_KEY)")
	f.StringVar(&s.nats, "nats", "", "`URL` of a NATS server (default: a server inside the process)")
	f.StringVar(&s.hub, "hub", "", "task hub (default membership; for -demo a fresh one)")
	f.DurationVar(&s.day, "day", 24*time.Hour, "how long a day of the house rules lasts; 1s shows a year in six minutes")
	f.StringVar(&s.share, "share", "", "also offer bank, post and register at this loopback `address`, for workers in other processes")
	f.BoolVar(&s.demo, "demo", false, "play 200 applicants and print how they ended")
	f.BoolVar(&s.crash, "crash", false, "with -demo: kill the worker process on the way, again and again")
	f.Uint64Var(&s.seed, "seed", rand.Uint64N(1e6), "with -crash: seed of the moments")
	f.BoolVar(&s.worker, "worker", false, "be a worker only; needs -nats and -world")
	f.StringVar(&s.world, "world", "", "with -worker: `URL` of what another process offers by -share")
	f.BoolVar(&s.untilEOF, "until-eof", false, "with -worker: stop when the standard input ends")
	f.TextVar(&s.level, "log", s.level, "log `level`: debug, info, warn or error")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	return s.withDefaults(), s.check(f)
}

// check finds flags that do not go together.
func (s settings) check(f *flag.FlagSet) error {
	switch {
	case f.NArg() > 0:
		return fmt.Errorf("unexpected argument %q: everything is said by flags", f.Arg(0))
	case s.crash && !s.demo:
		return errors.New("-crash goes with -demo")
	case s.worker && s.demo:
		return errors.New("-worker and -demo exclude each other")
	case s.worker && (s.nats == "" || s.world == ""):
		return errors.New("-worker needs -nats and -world: start the club with -share, it prints both")
	case s.day < time.Millisecond:
		return fmt.Errorf("-day %v is too short, a millisecond is the least", s.day)
	}
	return nil
}

func (s settings) withDefaults() settings {
	if s.hub == "" {
		s.hub = "membership"
		if s.demo {
			s.hub = fmt.Sprintf("membership-demo-%d-%d", os.Getpid(), time.Now().Unix())
		}
	}
	if s.apiKey == "" {
		s.apiKey = os.Getenv("MEMBERSHIP_API_KEY")
	}
	if s.data == "" && !s.demo {
		s.data = "membership-data"
	}
	return s
}
