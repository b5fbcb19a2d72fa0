module github.com/durablegen/durablegen/lint/golangci

go 1.26.0

require (
	github.com/durablegen/durablegen v0.0.0
	github.com/golangci/plugin-module-register v0.1.1
	golang.org/x/tools v0.52.0
)

require (
	go.yaml.in/yaml/v3 v3.0.6 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace github.com/durablegen/durablegen => ../..
