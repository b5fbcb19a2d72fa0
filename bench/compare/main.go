// Command compare measures this module's orchestrations beside those of other systems that a Go program can use as a
// library: Temporal with its server embedded, DBOS, and go-workflows. It is a module of its own, so that nobody else
// downloads them; the first build takes minutes.
//
//	go run ./bench -compare -csv compare.csv          in the root module: the same as
//	go -C bench/compare run . -csv compare.csv        this
//	go -C bench/compare run . -list                   the variants, and how each is set
//
// Package peer of the root module has the workloads and the measuring, docs/performance.md what came out.
package main

import (
	"slices"

	"github.com/durablegen/durablegen/bench/peer"
)

func main() { peer.Main(slices.Concat(peer.Self(), others())) }

// others gives the systems that this module is for.
func others() []peer.System {
	return slices.Concat(temporalSystems(), dbosSystems(), goWorkflowsSystems())
}
