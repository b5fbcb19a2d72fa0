package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

// deed is what a verb does to an instance.
type deed struct {
	does, did string                                                                   // "suspend", "suspended"
	to        []durable.Status                                                         // states that it makes sense for: a filter without --status means these
	do        func(ctx context.Context, h *hub, of instance) (newID string, err error) // of ids that were given only the id is known
}

// The states of instances that have not ended, and of those that have.
var (
	live  = []durable.Status{durable.Pending, durable.Running, durable.Suspended}
	ended = []durable.Status{durable.Completed, durable.Failed, durable.Terminated, durable.Canceled}
)

// many are the flags of a verb that acts on one instance or on many.
type many struct {
	choose.Flags
	yes, dryRun bool
}

// acts gives a verb the flags to act on many instances, and has ids completed: of instances in these states.
func (s *session) acts(cmd *cobra.Command, m *many, to []durable.Status) {
	s.chooses(cmd, &m.Flags)
	cmd.Flags().BoolVarP(&m.yes, "yes", "y", false, "do not ask, however many instances the filter chooses")
	cmd.Flags().BoolVar(&m.dryRun, "dry-run", false, "only tell which instances it would be")
	s.completesIDs(cmd, to)
}

// act does a deed to the instances with these ids, or else to those that the filter chooses.
func (s *session) act(cmd *cobra.Command, ids []string, m *many, d deed) error {
	ids, err := s.chosen(ids, &m.Flags, d.does)
	if err != nil {
		return err
	}
	return s.with(cmd.Context(), func(h *hub) error {
		if len(ids) == 1 && !m.dryRun {
			return s.actOnOne(cmd.Context(), h, instance{ID: ids[0]}, d)
		}
		targets, err := s.targets(cmd.Context(), h, ids, &m.Flags, d.to)
		if err != nil {
			return err
		}
		if m.dryRun {
			return s.wouldAct(targets, d)
		}
		if len(ids) == 0 && len(targets) > 0 && !m.yes {
			if err := s.confirm(targets, d); err != nil {
				return err
			}
		}
		return s.actOnAll(cmd.Context(), h, targets, d)
	})
}

// chosen checks what instances are chosen by, and gives the ids; of "-" those that stdin has, one a line.
func (s *session) chosen(ids []string, f *choose.Flags, verb string) ([]string, error) {
	switch {
	case slices.Contains(ids, ""):
		return nil, exit.Usagef("an id is empty")
	case len(ids) == 0 && !f.Given():
		return nil, exit.Usagef("%s what? Give the id of an instance, or a filter such as --name; it is never all of them", verb)
	case len(ids) > 0 && f.Given():
		return nil, exit.Usagef("ids and a filter do not go together: give one of them")
	case len(ids) == 1 && ids[0] == "-":
		return lines(s.stdin)
	}
	return ids, nil
}

// lines reads ids, one a line.
func lines(r io.Reader) (ids []string, err error) {
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		if id := strings.TrimSpace(scanner.Text()); id != "" {
			ids = append(ids, id)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read ids: %w", err)
	}
	if len(ids) == 0 {
		return nil, exit.Usagef("there is no id on stdin")
	}
	return ids, nil
}

// targets are the instances that a verb is about. Of ids that were given nothing else is known yet.
func (s *session) targets(ctx context.Context, h *hub, ids []string, f *choose.Flags, to []durable.Status) (all []instance, err error) {
	for _, id := range ids {
		all = append(all, instance{ID: id})
	}
	if len(ids) == 0 {
		err = f.Each(ctx, h.Client, s.now(), 0, to, func(inst durable.Instance) bool {
			all = append(all, instanceOf(inst))
			return true
		})
	}
	return all, err
}

// previewed is how many instances people are shown before they say yes.
const previewed = 10

// confirm asks at a terminal. Elsewhere it refuses.
func (s *session) confirm(targets []instance, d deed) error {
	if !output.Terminal(s.stdin) {
		return exit.Usagef("the filter chooses %s: look with --dry-run, then %s them with --yes", counted(len(targets)), d.does)
	}
	p := s.printer()
	p.W, p.Format, p.Color = s.stderr, output.Table, output.Terminal(s.stderr) && p.Color
	if err := output.List(p, targets[:min(len(targets), previewed)], nameOf, columns(s.now())...); err != nil {
		return err
	}
	if len(targets) > previewed {
		fmt.Fprintf(s.stderr, "and %d more\n", len(targets)-previewed)
	}
	fmt.Fprintf(s.stderr, "%s %s? [y/N] ", strings.ToUpper(d.does[:1])+d.does[1:], counted(len(targets)))
	answer, err := bufio.NewReader(s.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was done")
}

func counted(n int) string {
	if n == 1 {
		return "1 instance"
	}
	return fmt.Sprintf("%d instances", n)
}

// outcome is what has become of one of several instances.
type outcome struct {
	ID      string `json:"id"`
	Outcome string `json:"outcome"` // done, failed, or planned by a dry run
	NewID   string `json:"newId,omitempty"`
	*problem
}

// summary is what has become of several.
type summary struct {
	Verb      string    `json:"verb"`
	DryRun    bool      `json:"dryRun"`
	Done      int       `json:"done"`
	Failed    int       `json:"failed"`
	Instances []outcome `json:"instances"`
}

func (s *session) actOnOne(ctx context.Context, h *hub, of instance, d deed) error {
	o := s.outcomeOf(ctx, h, of, d)
	if o.err != nil {
		return o.err
	}
	return s.tellAll(summary{Verb: d.does, Done: 1, Instances: []outcome{o.outcome}}, d)
}

// wouldAct tells of a dry run.
func (s *session) wouldAct(targets []instance, d deed) error {
	sum := summary{Verb: d.does, DryRun: true, Instances: []outcome{}}
	for _, t := range targets {
		sum.Instances = append(sum.Instances, outcome{ID: t.ID, Outcome: "planned"})
	}
	if s.format != output.Table {
		return s.tellAll(sum, d)
	}
	fmt.Fprintf(s.stdout, "It would %s %s.\n", d.does, counted(len(targets)))
	if len(targets) == 0 || targets[0].Name == "" { // ids that were given
		return nil
	}
	return output.List(s.printer(), targets, nameOf, columns(s.now())...)
}

// tried is an outcome with its error.
type tried struct {
	outcome
	err error
}

func (s *session) outcomeOf(ctx context.Context, h *hub, of instance, d deed) (o tried) {
	o.outcome = outcome{ID: of.ID, Outcome: "done"}
	o.err = s.briefly(ctx, func(ctx context.Context) (err error) {
		o.NewID, err = d.do(ctx, h, of)
		return err
	})
	if o.err != nil {
		o.Outcome, o.problem = "failed", problemOf(o.err)
	}
	return o
}

// atOnce is how many instances are acted on at the same time: most of the time is spent on the way to the server.
const atOnce = 16

func (s *session) actOnAll(ctx context.Context, h *hub, targets []instance, d deed) error {
	bar := s.progress(d.did, len(targets))
	all := make([]tried, len(targets))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for n, t := range targets {
		g.Go(func() error {
			all[n] = s.outcomeOf(ctx, h, t, d)
			bar()
			return nil
		})
	}
	_ = g.Wait() // each has its own error
	sum := summary{Verb: d.does, Instances: []outcome{}}
	codes := map[exit.Code]bool{}
	for _, o := range all {
		sum.Instances = append(sum.Instances, o.outcome)
		if o.err == nil {
			sum.Done++
			continue
		}
		sum.Failed++
		codes[exit.Of(o.err)] = true
	}
	if err := s.tellAll(sum, d); err != nil {
		return err
	}
	return verdict(sum, codes)
}

// verdict is how a verb ends that was about several instances and has told what has become of them.
func verdict(sum summary, codes map[exit.Code]bool) error {
	switch {
	case sum.Failed == 0:
		return nil
	case sum.Done > 0:
		return exit.Silent(exit.Partly)
	case len(codes) == 1:
		for code := range codes {
			return exit.Silent(code)
		}
	}
	return exit.Silent(exit.Error)
}

// progress shows how many of all are done, to people only. Its function counts one more.
func (s *session) progress(what string, all int) func() {
	if all < 2 || !output.Terminal(s.stderr) {
		return func() {}
	}
	bar := progressbar.NewOptions(all, progressbar.OptionSetWriter(s.stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	return func() { _ = bar.Add(1) } // it is there for people who watch
}

// tellAll tells what has become of several instances.
func (s *session) tellAll(sum summary, d deed) error {
	p := s.printer()
	switch s.format {
	case output.JSONL:
		return output.List(p, sum.Instances, nil)
	case output.Name:
		var done []outcome
		for _, o := range sum.Instances {
			if o.Outcome != "failed" {
				done = append(done, o)
			}
		}
		return output.List(p, done, func(o outcome) string { return o.name() })
	}
	return p.One(sum, "", func(w io.Writer) {
		if len(sum.Instances) == 0 {
			fmt.Fprintln(w, "no instance fits")
			return
		}
		if len(sum.Instances) == 1 && sum.Failed == 0 {
			fmt.Fprintf(w, "%s %s%s\n", d.did, output.Clean(sum.Instances[0].ID), sum.Instances[0].as())
			return
		}
		fmt.Fprintf(w, "%s %d of %s\n", d.did, sum.Done, counted(len(sum.Instances)))
		failed := 0
		for _, o := range sum.Instances {
			switch {
			case o.problem == nil && o.as() != "":
				fmt.Fprintf(w, "%s%s\n", output.Clean(o.ID), o.as())
			case o.problem != nil && failed < mostReasons:
				fmt.Fprintf(w, "failed: %s\n", output.Clean(o.Message))
				failed++
			}
		}
		if sum.Failed > failed {
			fmt.Fprintf(w, "and %d more failed: -o json tells of all\n", sum.Failed-failed)
		}
	})
}

// mostReasons is of how many failures people are told.
const mostReasons = 20

// name is the id that is of use from now on.
func (o outcome) name() string {
	if o.NewID != "" {
		return o.NewID
	}
	return o.ID
}

func (o outcome) as() string {
	if o.NewID == "" || o.NewID == o.ID {
		return ""
	}
	return " as " + output.Clean(o.NewID)
}
