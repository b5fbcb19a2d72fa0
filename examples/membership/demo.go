package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/durablegen/durablegen/examples/membership/club"
	"github.com/durablegen/durablegen/examples/membership/demo"
	"github.com/durablegen/durablegen/examples/membership/world"
)

//go:embed testdata/applicants.csv
var applicants []byte

// demoDay is a day of the demo: short enough to watch, long enough for those who must answer within two days to do so on
// a busy machine, and while the worker is being replaced.
const demoDay = 4 * time.Second

// The worker process of -crash lives between these, and is killed at most so often, so that the last one can finish.
const (
	shortestLife = 300 * time.Millisecond
	longestLife  = 2 * time.Second
	mostKills    = 8
	leastKills   = 3
)

// demoWithin is far more than a demo takes; a person whose story has not ended by then counts as a failure.
const demoWithin = 3 * time.Minute

var (
	errNotAsExpected = errors.New("not everything was as it must be, see above")
	errInterrupted   = errors.New("interrupted before everybody had ended")
)

// runDemo plays the applicants against a club of their own and prints how they ended.
func runDemo(ctx context.Context, s settings, out, progress io.Writer) (err error) {
	people, err := demo.Read(bytes.NewReader(applicants))
	if err != nil {
		return err
	}
	if s.data == "" {
		if s.data, err = os.MkdirTemp("", "membership-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(s.data)
	}
	h, err := open(ctx, s, s.crash)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()

	report, err := h.play(ctx, people, out, progress)
	if err != nil {
		return err
	}
	report.Print(out)
	if !report.Good() {
		return errNotAsExpected
	}
	return nil
}

// play lets people use the club's site while a worker works, and looks into the books afterwards.
func (h *house) play(outer context.Context, people []demo.Persona, out, progress io.Writer) (demo.Report, error) {
	ctx, cancel := context.WithTimeout(outer, demoWithin)
	defer cancel()
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	site, err := h.serveSite("127.0.0.1:0", club.HouseRules(demoDay))
	if err != nil {
		return demo.Report{}, err
	}
	dismiss, err := h.crew(ctx, abort, out)
	if err != nil {
		return demo.Report{}, err
	}
	fmt.Fprintf(out, "%d applicants use the club's site at %s\n", len(people), site)

	start := time.Now()
	stories := demo.Play{Site: site, People: people, Finished: tellProgress(len(people), progress)}.Run(ctx)
	took := time.Since(start)
	killed, err := dismiss()
	if err != nil {
		return demo.Report{}, err
	}
	if outer.Err() != nil {
		return demo.Report{}, errInterrupted
	}
	audit, err := h.world.Audit(demo.Left(stories))
	if err != nil {
		return demo.Report{}, err
	}
	return demo.Report{Stories: stories, Audit: audit, Took: took, Killed: killed}, nil
}

// crew starts the workers: one in this process, or for -crash processes that are killed. dismiss stops the latter and
// tells how many were killed. When they cannot go on, abort is called.
func (h *house) crew(ctx context.Context, abort context.CancelCauseFunc, out io.Writer) (dismiss func() (killed int, err error), err error) {
	if !h.settings.crash {
		return func() (int, error) { return 0, nil }, h.work(ctx)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	offered, err := h.serve("127.0.0.1:0", world.Serve(h.world))
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "the worker is a process of its own and gets killed; -seed %d repeats the moments\n", h.settings.seed)
	crew := demo.Crew{
		Command: func() *exec.Cmd {
			cmd := exec.Command(self, "-worker", "-until-eof", "-nats", h.nats, "-hub", h.settings.hub, "-world", offered, "-log", h.settings.level.String())
			cmd.Stderr = os.Stderr
			return cmd
		},
		Kills: mostKills, Seed: h.settings.seed, Least: shortestLife, Most: longestLife,
	}
	ctx, stop := context.WithCancel(ctx)
	var killed int
	ended := make(chan error, 1)
	go func() {
		var err error
		if killed, err = crew.Run(ctx); err != nil {
			abort(err)
		}
		ended <- err
	}()
	return func() (int, error) {
		stop()
		err := <-ended
		if err == nil && killed < leastKills {
			err = fmt.Errorf("the worker was killed %d times only, %d is the least that shows anything", killed, leastKills)
		}
		return killed, err
	}, nil
}

// tellProgress shows a bar on a terminal and a line for every tenth elsewhere.
func tellProgress(all int, w io.Writer) func(demo.Story) {
	if terminal(w) {
		bar := progressbar.NewOptions(all,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription("applicants"),
			progressbar.OptionShowCount(),
			progressbar.OptionClearOnFinish(),
		)
		return func(demo.Story) { _ = bar.Add(1) } // a bar that cannot be drawn harms nobody
	}
	done := 0
	return func(demo.Story) {
		if done++; done%max(1, all/10) == 0 || done == all {
			fmt.Fprintf(w, "%d of %d applicants have ended\n", done, all)
		}
	}
}

// terminal reports whether w is a device that shows characters.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
