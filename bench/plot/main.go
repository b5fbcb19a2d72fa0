// Command plot draws the CSV files of the benchmarks, so that a curve that should be flat can be looked at.
//
//	go -C bench/plot run . -title "a million orchestrations" -o soak.svg soak.csv
//
// The first line names the columns, the first column is the x axis; if one of its values is no number, the others are bars
// over its words. Columns whose names end in the same unit, in parentheses, share a panel: "log (MB)", "archive (MB)". An
// empty cell is a point that was not measured.
//
// It is a module of its own, so that nobody who uses durablegen downloads what draws.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	var l look
	out := flag.String("o", "plot.svg", "`file` to write; its ending, svg, png or pdf, is the format")
	flag.StringVar(&l.title, "title", "", "`text` above the plot")
	flag.BoolVar(&l.logX, "logx", false, "logarithmic x axis")
	flag.BoolVar(&l.logY, "logy", false, "logarithmic y axes; else they begin at 0")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: plot [-title text] [-logx] [-logy] [-o file] in.csv")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *out, l); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

func run(in, out string, l look) error {
	f, err := os.Open(in)
	if err != nil {
		return err
	}
	defer f.Close()
	t, err := read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	if err := save(t, l, out); err != nil {
		return fmt.Errorf("%s: draw: %w", in, err)
	}
	return nil
}
