package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
)

// runPayloads tells what a KiB of a payload costs, from 1 KiB to what -n says. Each orchestration takes a text, hands it to an
// activity, and ends with what comes back. Payloads of more than 256 KiB are in the object store.
func runPayloads(ctx context.Context, cfg config) (t *table, err error) {
	h, _, err := openTrial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if _, err := runHello(ctx, h.client, nil, 100, 10); err != nil { // warm-up
		return nil, err
	}
	t = &table{head: []string{"KiB", "CPU (µs per KiB)", "allocated (KiB per KiB)"}}
	for kib := 1; kib <= cfg.n; kib *= 2 {
		row, err := payloadsOf(ctx, cfg, h, kib)
		if err != nil {
			return nil, fmt.Errorf("%d KiB: %w", kib, err)
		}
		t.add(row...)
	}
	return t, nil
}

// payloadsOf runs orchestrations with texts of a size, as many as it takes for a figure.
func payloadsOf(ctx context.Context, cfg config, h *hub, kib int) (row []any, err error) {
	const total = 4 << 10 // KiB
	runs := min(max(int(cfg.scale*total)/kib, cfg.concurrency), 500)
	cpu := cpuTime()
	_, bytes := allocated()
	if _, err := each(ctx, runs, cfg.concurrency, func(ctx context.Context, _ int) error { return carry(ctx, h.client, kib<<10) }); err != nil {
		return nil, err
	}
	if err := pause(ctx, settle); err != nil { // archive and projection
		return nil, err
	}
	_, after := allocated()
	all := float64(runs * kib)
	return []any{kib, float64((cpuTime() - cpu).Microseconds()) / all, float64(after-bytes) / 1024 / all}, nil
}

// carry runs one orchestration with a text that is so many bytes of JSON, like no other.
func carry(ctx context.Context, client *durable.Client, size int) error {
	half := make([]byte, size/2-1) // without the quotation marks
	if _, err := rand.Read(half); err != nil {
		return err
	}
	text := []byte(hex.EncodeToString(half))
	handle, err := workload.CarryOrchestrator.Start(ctx, client, string(text))
	if err != nil {
		return err
	}
	got, err := handle.Wait(ctx)
	if err != nil {
		return fmt.Errorf("instance %s: %w", handle.ID(), err)
	}
	if slices.Reverse(text); got != string(text) {
		return fmt.Errorf("bench: wrong result: instance %s has not given its text of %d bytes back", handle.ID(), len(text))
	}
	return nil
}
