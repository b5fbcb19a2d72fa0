package lint

import (
	"context"
	"fmt"

	"github.com/durablegen/durablegen/lint/internal/driver"
)

// Unit is what came out of one package for go vet.
type Unit struct {
	ID       string // as the go command calls the package
	Output   string // the file that JSON goes to; "": standard output
	Findings []Finding
}

// RunUnit looks at the package that a .cfg file of the go command describes, for go vet -vettool, and writes its facts. An
// error means that it could not be looked at.
func RunUnit(ctx context.Context, config string) (*Unit, error) {
	u, err := driver.ReadUnit(config)
	if err != nil {
		return nil, fmt.Errorf("durablegen: %w", err)
	}
	result, err := driver.RunUnit(ctx, driver.Config{Analyzers: Analyzers(), Skip: Known}, u)
	if err != nil {
		return nil, fmt.Errorf("durablegen: %s: %w", u.ImportPath, err)
	}
	r := &reading{result: result, sources: map[string][]byte{}}
	return &Unit{ID: u.ID, Output: u.Stdout, Findings: r.findings()}, nil
}
