module github.com/durablegen/durablegen/runtime/prometheus

go 1.26.0

require (
	github.com/durablegen/durablegen v0.0.0
	github.com/prometheus/client_golang v1.25.0
)

replace github.com/durablegen/durablegen => ../..
