// Package golangci makes the linter a module plugin of golangci-lint. In .custom-gcl.yml:
//
//	version: v2.15.0
//	plugins:
//	  - module: github.com/durablegen/durablegen/lint/golangci
//	    version: latest
//
// and in .golangci.yml:
//
//	version: "2"
//	run:
//	  tests: false
//	linters:
//	  enable:
//	    - durable
//	  settings:
//	    custom:
//	      durable:
//	        type: module
//	issues:
//	  uniq-by-line: false
//	  max-same-issues: 0
//
// Nothing is told of tests; without tests: false all that they import is read for nothing, an embedded NATS server for one. The last
// three lines have it tell all that it finds: by default golangci-lint tells one finding of a line, and three of a kind. Severities
// stay with durablegen lint: here every finding fails, as for go vet.
//
// durablelint.yaml is read as by the command; settings: {config: FILE} names another one.
package golangci

import (
	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/lint"
)

func init() { register.Plugin("durable", newPlugin) }

// settings are those of .golangci.yml.
type settings struct {
	Config string `json:"config"` // a durablelint.yaml
}

type plugin struct{}

func newPlugin(conf any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[settings](conf)
	if err != nil {
		return nil, err
	}
	if s.Config != "" {
		if err := lint.Analyzer.Flags.Set("config", s.Config); err != nil {
			return nil, err
		}
	}
	return plugin{}, nil
}

func (plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) { return lint.Analyzers(), nil }

func (plugin) GetLoadMode() string { return register.LoadModeTypesInfo }
