package httpapi_test

import (
	"testing"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/httpapi"
)

// TestParked: an instance of a version without a worker is told as such, by itself and in the list.
func TestParked(t *testing.T) {
	inHub(t, httpapi.Config{}, func(t *testing.T, h *hub) {
		_, err := durable.StartInstance[int](t.Context(), h.client, flow("Echo"), 1, durable.InstanceID("x"), durable.Version("7"))
		must(t, err)
		h.pass()
		parked := `~"version":"7","parked":"no worker for flow.Echo version 7"`
		row{code: 202, answer: parked}.check(t, h.ask("GET", webhooks+"/instances/x", ""))
		row{code: 202, answer: parked}.check(t, h.ask("GET", webhooks+"/instances/x?showHistory=true", ""))
		row{code: 200, answer: parked}.check(t, h.ask("GET", webhooks+"/instances?instanceIdPrefix=x", ""))
	})
}
