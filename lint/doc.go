// Package lint proves that orchestrators are deterministic, or says where they are not.
//
// An orchestrator is run again from its beginning whenever its instance is loaded, and must then decide what it decided
// before. Whatever could come out differently, or happen twice, is reported at the line where it is, with the way that leads
// there from the orchestrator:
//
//	stamp.go:9:9: time.Now in orchestrator Verify via club.stamp: it reads the wall clock; use ctx.Now() (DET101)
//
// [Analyzers] are ordinary go/analysis analyzers, for go vet, gopls and multicheckers. The command is durablegen lint.
package lint

//go:generate go run ./internal/ruledocs ../docs/lint
