// Package outside talks to the world.
package outside

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"embed"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Reads(ctx durable.Context, in string) (string, error) {
	b, err := os.ReadFile(in) // want DET301
	return string(b), err
}

//durable:orchestrator
func Globs(ctx durable.Context, in string) (int, error) {
	names, err := filepath.Glob(in) // want DET301
	return len(names), err
}

//durable:orchestrator
func Opens(ctx durable.Context, in string) (int, error) { return count(in) }

func count(name string) (n int, err error) {
	f, err := os.Open(name) // want DET301
	if err != nil {
		return 0, err
	}
	defer f.Close()
	s := bufio.NewScanner(f) // want DET301
	for s.Scan() {
		n++
	}
	return n, s.Err()
}

//durable:orchestrator
func Gets(ctx durable.Context, in string) (int, error) {
	resp, err := http.Get(in) // want DET302
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

var client = &http.Client{}

//durable:orchestrator
func Does(ctx durable.Context, in string) (int, error) {
	req, err := http.NewRequest(http.MethodGet, in, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req) // want DET302
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

//durable:orchestrator
func Resolves(ctx durable.Context, in string) (int, error) {
	names, err := net.LookupHost(in) // want DET302
	return len(names), err
}

type repository struct{ db *sql.DB }

func (r repository) name(id int) (s string, err error) {
	err = r.db.QueryRow("select name from t where id = ?", id).Scan(&s) // want DET302
	return s, err
}

//durable:orchestrator
func Queries(ctx durable.Context, id int) (string, error) { return repository{}.name(id) }

//durable:orchestrator
func Runs(ctx durable.Context, in string) (string, error) {
	out, err := exec.Command(in).Output() // want DET303
	return string(out), err
}

//durable:orchestrator
func Exits(ctx durable.Context, in string) (string, error) {
	if in == "" {
		os.Exit(1) // want DET303
	}
	return in, nil
}

//durable:orchestrator
func Dies(ctx durable.Context, in string) (string, error) {
	if in == "" {
		log.Fatal("no input") // want DET303
	}
	return in, nil
}

//durable:orchestrator
func Environment(ctx durable.Context, in string) (string, error) {
	if v, ok := os.LookupEnv(in); ok { // want DET304
		return v, nil
	}
	return os.ExpandEnv("$HOME"), nil // want DET304
}

//durable:orchestrator
func Arguments(ctx durable.Context, in string) (string, error) {
	return os.Args[0], nil // want DET304
}

var region = flag.String("region", "eu", "")

//durable:orchestrator
func Flags(ctx durable.Context, in string) (string, error) {
	return *region, nil // want DET304
}

//durable:orchestrator
func Machine(ctx durable.Context, in string) (string, error) {
	host, err := os.Hostname() // want DET304
	if err != nil {
		return "", err
	}
	u, err := user.Current() // want DET304
	if err != nil {
		return "", err
	}
	return host + u.Name, nil
}

//durable:orchestrator
func Processors(ctx durable.Context, n int) (int, error) {
	return min(n, runtime.NumCPU(), runtime.GOMAXPROCS(0)), nil // want DET305
}

//durable:orchestrator
func Branches(ctx durable.Context, in string) (string, error) {
	if runtime.GOOS == "windows" { // want DET305
		return strings.ReplaceAll(in, "/", `\`), nil
	}
	return in, nil
}

//durable:orchestrator
func Width(ctx durable.Context, in string) (int64, error) {
	return strconv.ParseInt(in, 10, strconv.IntSize) // want DET305
}

//durable:orchestrator
func Build(ctx durable.Context, in string) (string, error) {
	info, _ := debug.ReadBuildInfo() // want DET305
	return info.GoVersion, nil
}

//durable:orchestrator
func Mime(ctx durable.Context, in string) (string, error) {
	return mime.TypeByExtension(in), nil // want DET305
}

//durable:orchestrator
func Logs(ctx durable.Context, in string) (string, error) {
	log.Printf("in %s", in)    // want DET306
	slog.Info("in", "v", in)   // want DET306
	fmt.Printf("%s\n", in)     // want DET306
	fmt.Fprintln(os.Stderr, 1) // want DET306
	println(in)                // want DET306
	return in, nil
}

var logger = slog.New(slog.NewJSONHandler(os.Stdout, nil))

//durable:orchestrator
func GlobalLogger(ctx durable.Context, in string) (string, error) {
	logger.Info("in", "v", in) // want DET306
	return in, nil
}

//durable:orchestrator
func DefaultLogger(ctx durable.Context, in string) (string, error) {
	l := slog.Default() // want DET306
	l.Info("in")
	tell(l)
	return in, nil
}

func tell(l *slog.Logger) { l.Info("told") }

//durable:orchestrator
func OwnLogger(ctx durable.Context, in string) (string, error) {
	ctx.Logger().Info("in", "v", in)
	l := ctx.Logger().With("a", 1)
	l.Warn("more")
	tell(l)
	defer l.Debug("end")
	return in, nil
}

//durable:orchestrator
func LogsToBuffer(ctx durable.Context, in string) (string, error) {
	var b bytes.Buffer
	l := log.New(&b, "", 0)
	l.Println(in)
	s := slog.New(slog.NewTextHandler(io.Discard, nil))
	s.Info(in)
	return b.String(), nil
}

//durable:orchestrator
func Paths(ctx durable.Context, in string) (string, error) {
	u, err := url.Parse(in)
	if err != nil {
		return "", err
	}
	host, _, err := net.SplitHostPort(u.Host)
	if err != nil {
		return "", err
	}
	return filepath.Join(host, filepath.Base(u.Path), http.StatusText(404), net.ParseIP(host).String()), nil
}

//go:embed outside.go
var files embed.FS

//go:embed outside.go
var source string

//durable:orchestrator
func Embedded(ctx durable.Context, in string) (int, error) {
	b, err := files.ReadFile("outside.go")
	return len(b) + len(source), err
}

//durable:orchestrator
func Buffers(ctx durable.Context, in string) (string, error) {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	fmt.Fprintf(w, "%s %d", in, len(in))
	io.WriteString(w, in)
	if err := w.Flush(); err != nil {
		return "", err
	}
	r := io.TeeReader(strings.NewReader(in), &b)
	if _, err := io.Copy(io.Discard, r); err != nil {
		return "", err
	}
	return b.String(), nil
}

func emit(w io.Writer, s string) {
	fmt.Fprintln(w, s) // want DET302
}

//durable:orchestrator
func EmitsToBuffer(ctx durable.Context, in string) (string, error) {
	var b strings.Builder
	emit(&b, in)
	return b.String(), nil
}

//durable:orchestrator
func EmitsToConnection(ctx durable.Context, in string) (string, error) {
	var c net.TCPConn
	emit(&c, in)
	return in, nil
}

//durable:orchestrator
func EmitsToStdout(ctx durable.Context, in string) (string, error) {
	emit(os.Stdout, in) // want DET306
	return in, nil
}

type teller struct{ out io.Writer }

func (t teller) tell(s string) { fmt.Fprint(t.out, s) }

//durable:orchestrator
func WriterInField(ctx durable.Context, in string) (string, error) {
	var b bytes.Buffer
	teller{&b}.tell(in)
	return b.String(), nil
}

// Charge is an activity: nobody looks at its body.
//
//durable:activity
func Charge(ctx context.Context, in string) (string, error) {
	b, err := os.ReadFile(in)
	log.Println(len(b))
	go func() {}()
	return os.Getenv("X"), err
}

//durable:orchestrator
func Errors(ctx durable.Context, in string) (string, error) {
	if in == "" {
		return "", fmt.Errorf("outside: %w", os.ErrNotExist)
	}
	if in == "x" {
		return "", &os.PathError{Op: "open", Path: in, Err: os.ErrNotExist}
	}
	return in, nil
}

//durable:orchestrator
func Headers(ctx durable.Context, in string) (string, error) {
	h := http.Header{}
	h.Set("Accept", in)
	h.Add("Accept", "b")
	return h.Get("accept"), nil
}
