module github.com/durablegen/durablegen/lint/golangci

go 1.26.0

require (
	github.com/durablegen/durablegen v0.0.0
	github.com/golangci/plugin-module-register v0.1.1
	golang.org/x/tools v0.52.0
)

replace github.com/durablegen/durablegen => ../..
