package replaycheck

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/natscontext"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// The exit codes of [Main].
const (
	exitFits    = 0
	exitUnfit   = 1
	exitFailure = 2
)

// Main is a program that checks what the functions register against the hub that its arguments tell of, prints the report,
// and exits: 0 when every history fits, 1 when one does not, 2 when it could not find out. `durablegen check -against` makes
// such programs.
func Main(register ...func(*durable.Registry) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr, register)
	stop()
	os.Exit(code)
}

// Receivers makes the receivers of activities that do not run: every pointer in T points to a zero value.
func Receivers[T any]() (recv T) {
	v := reflect.ValueOf(&recv).Elem()
	for n := range v.NumField() {
		if f := v.Field(n); f.Kind() == reflect.Pointer && f.CanSet() {
			f.Set(reflect.New(f.Type().Elem()))
		}
	}
	return recv
}

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer, register []func(*durable.Registry) error) int {
	a, err := parse(args, getenv, stderr)
	if err != nil {
		return fail(stderr, err)
	}
	var code durable.Registry
	for _, add := range register {
		if err := add(&code); err != nil {
			return fail(stderr, err)
		}
	}
	b, err := a.connect(ctx)
	if err != nil {
		return fail(stderr, err)
	}
	report, err := Check(ctx, b, &code, a.check)
	if err = errors.Join(err, b.Close()); err == nil {
		err = report.Write(stdout, a.format)
	}
	switch {
	case err != nil:
		return fail(stderr, err)
	case !report.Fits():
		return exitUnfit
	}
	return exitFits
}

func fail(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "durablegen: check against a hub: %v\n", err)
	return exitFailure
}

type arguments struct {
	check   Config
	hub     string
	format  string
	timeout time.Duration
	server  natscontext.Settings
}

// parse reads the arguments, and what they leave open from the environment and the context of the nats command, as the durable
// command does.
func parse(args []string, getenv func(string) string, stderr io.Writer) (a arguments, err error) {
	set := flag.NewFlagSet("check", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&a.server.URL, "against", "", "")
	set.StringVar(&a.hub, "hub", cmp.Or(getenv("DURABLE_HUB"), "default"), "")
	set.StringVar(&a.check.Name, "name", "", "")
	set.IntVar(&a.check.Sample, "sample", 0, "")
	set.IntVar(&a.check.Parallel, "parallel", 0, "")
	set.StringVar(&a.check.Dir, "export", "", "")
	set.BoolVar(&a.check.Redact, "redact", false, "")
	set.StringVar(&a.format, "format", "text", "")
	set.StringVar(&a.server.InboxPrefix, "inbox-prefix", "", "")
	set.DurationVar(&a.timeout, "timeout", 5*time.Second, "")
	if err := set.Parse(args); err != nil {
		return a, err
	}
	for env, to := range map[string]*string{
		"NATS_USER": &a.server.User, "NATS_PASSWORD": &a.server.Password, "NATS_CREDS": &a.server.Creds, "NATS_NKEY": &a.server.NKey,
		"NATS_CERT": &a.server.Cert, "NATS_KEY": &a.server.Key, "NATS_CA": &a.server.CA,
	} {
		*to = getenv(env)
	}
	if a.server.User != "" && a.server.Password == "" { // as the nats command
		a.server.User, a.server.Token = "", a.server.User
	}
	if name := getenv("NATS_CONTEXT"); name != "" {
		base, err := natscontext.Load(name)
		if err != nil {
			return a, err
		}
		a.server = a.server.Over(base)
	}
	return a, nil
}

func (a *arguments) connect(ctx context.Context) (*natsbackend.Backend, error) {
	opts, err := a.server.Options()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	return natsbackend.Connect(ctx, natsbackend.Config{
		URL: a.server.URL, Hub: a.hub, Name: "durablegen check", Domain: a.server.Domain, Options: append(opts, nats.Timeout(a.timeout)),
	})
}
