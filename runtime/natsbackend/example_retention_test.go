package natsbackend_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

func ExampleRetention() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "hub")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	server, err := embedded.Start(ctx, embedded.Config{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	hub, err := server.Backend(ctx, natsbackend.Config{
		Retention: natsbackend.Retention{
			Completed: 24 * time.Hour,
			Failed:    90 * 24 * time.Hour, // somebody may want to rewind them
			Canceled:  -1,                  // for ever
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer hub.Close()

	kept := hub.Info().Retention
	fmt.Println(kept.Completed, kept.Failed, kept.Terminated)
	// Output: 24h0m0s 2160h0m0s 720h0m0s
}
