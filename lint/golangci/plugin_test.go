package golangci

import (
	"testing"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"
)

// TestPlugin: what golangci-lint asks a plugin for is there.
func TestPlugin(t *testing.T) {
	make, err := register.GetPlugin("durable")
	if err != nil {
		t.Fatal(err)
	}
	p, err := make(nil)
	if err != nil {
		t.Fatal(err)
	}
	analyzers, err := p.BuildAnalyzers()
	if err != nil || len(analyzers) == 0 {
		t.Fatalf("analyzers %v, %v", analyzers, err)
	}
	if err := analysis.Validate(analyzers); err != nil {
		t.Error(err)
	}
	if mode := p.GetLoadMode(); mode != register.LoadModeTypesInfo {
		t.Errorf("load mode %s", mode)
	}
	if _, err := make(map[string]any{"nosuch": true}); err == nil {
		t.Error("a setting that does not exist is taken")
	}
}
