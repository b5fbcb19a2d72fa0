package durable_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestFollow: who follows a hub hears of starts, events, requests and ends, in order, through a break of the connection,
// and may go on later where it was.
func TestFollow(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		view := h.m.View("follower")
		client := durable.NewClient(view, durable.ClientConfig{})
		t.Cleanup(func() { must(t, client.Close()) })
		ctx, stop := context.WithCancelCause(t.Context())
		defer stop(nil)
		over := errors.New("enough")
		var told []durable.Happening
		done := make(chan error)
		start[string](h, flow("Before"), "x", durable.InstanceID("before"))
		h.pass(time.Second)
		go func() {
			for happening, err := range client.Follow(ctx, durable.FromNow) {
				if err != nil {
					done <- err
					return
				}
				told = append(told, happening)
			}
		}()
		h.pass(time.Second)
		h.work(durable.BindOrchestrator(flow("Wait"), func(ctx durable.Context, _ string) (string, error) {
			return durable.ReceiveEvent[string](ctx, "go").Get(ctx)
		}))
		start[string](h, flow("Wait"), "in", durable.InstanceID("a"))
		start[string](h, flow("Wait"), "in", durable.InstanceID("b"))
		h.pass(time.Second)
		view.Disconnect()
		must(t, h.client.Raise(t.Context(), "a", "Go", "out"))
		h.pass(time.Minute)
		view.Reconnect()
		must(t, h.client.Terminate(t.Context(), "b", "not needed"))
		h.pass(time.Second)
		stop(over)
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("it ends with %v, want the error of the context", err)
		}
		want := []durable.Happening{
			{Kind: durable.StepStarted, ID: "a", Name: "flow.Wait"},
			{Kind: durable.StepStarted, ID: "b", Name: "flow.Wait"},
			{Kind: durable.StepEvent, ID: "a", Name: "go"},
			{Kind: durable.StepEnded, ID: "a", Status: durable.Completed},
			{Kind: durable.StepTerminated, ID: "b", Reason: "not needed"},
			{Kind: durable.StepEnded, ID: "b", Status: durable.Terminated, Failure: "not needed"},
		}
		places := cmpopts.IgnoreFields(durable.Happening{}, "Seq", "Time")
		if diff := cmp.Diff(want, told, places); diff != "" {
			t.Fatalf("what has happened (-want +got):\n%s", diff)
		}
		for next, err := range client.Follow(t.Context(), told[2].Seq) {
			must(t, err)
			if diff := cmp.Diff(told[3], next); diff != "" {
				t.Errorf("after the third (-want +got):\n%s", diff)
			}
			break
		}
	})
}
