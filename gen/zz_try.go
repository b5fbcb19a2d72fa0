package gen

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/rehearsal"
	"github.com/durablegen/durablegen/internal/shape"
)

func init() {
	out := os.Getenv("TRY")
	if out == "" {
		return
	}
	rehearsal.Debug = os.Getenv("DEBUG") != ""
	shape.Rehearse = func(ol *shape.Lock, o *shape.Orchestrator, of *shape.Flow, nl *shape.Lock, n *shape.Orchestrator, nf *shape.Flow, kinds string) {
		f, _ := os.OpenFile(out, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		defer f.Close()
		defer func() {
			if r := recover(); r != nil {
				fmt.Fprintf(f, "%s\t%s\tPANIC %v %s\n", ol.Package, o.Name, r, debug.Stack())
			}
		}()
		x := rehearsal.New(ol, o, of, nl, n, nf)
		defer x.Close()
		began := time.Now()
		wrong := ""
		seed := uint64(0)
		for ; seed < 1500 && wrong == ""; seed++ {
			wrong = x.Try(seed)
		}
		if wrong == "" {
			wrong = x.Search(300, 3000)
		}
		fmt.Fprintf(f, "%s\t%s\t%d\t%d\t%d\t%v\t%s\t%q\t%s\t%s\n", ol.Package, o.Name, seed, x.Done, x.Tired, time.Since(began).Round(time.Millisecond), kinds, wrong, x.Coverage(), strings.Join(x.Missing(), "; "))
	}
}
