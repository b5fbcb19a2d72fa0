package replaycheck_test

import (
	"context"
	"errors"
	"os"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/replaycheck"
)

// A hub with encrypted payloads needs a program that has the key.
func Example() {
	check := func(ctx context.Context, code *durable.Registry, key durable.Key) error {
		aes, err := durable.AESGCM(key)
		if err != nil {
			return err
		}
		b, err := natsbackend.Connect(ctx, natsbackend.Config{URL: "nats://127.0.0.1:4222"})
		if err != nil {
			return err
		}
		defer b.Close()
		report, err := replaycheck.Check(ctx, durable.WithCodec(b, aes), code, replaycheck.Config{})
		if err != nil {
			return err
		}
		if err := report.Write(os.Stdout, "text"); err != nil {
			return err
		}
		if !report.Fits() {
			return errors.New("instances that run could not go on with this code")
		}
		return nil
	}
	_ = check
}
