package durable_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"log"
	"os"

	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

// Every program of the hub, worker or client, wraps its backend in the same way.
func ExampleWithCodec() {
	hub := connect() // natsbackend.Connect, or Backend of an embedded.Server

	aes, err := durable.AESGCM(durable.Key{ID: "2026-05", Secret: secretFrom("HUB_KEY_2026_05")})
	if err != nil {
		log.Fatal(err)
	}
	encrypted := durable.WithCodec(hub, durable.Gzip(0), aes) // compress, then encrypt

	var code durable.Registry
	if err := code.Add(greet.Bind(func(_ durable.Context, name string) (string, error) { return "hello " + name, nil })); err != nil {
		log.Fatal(err)
	}
	worker := durable.NewWorker(encrypted, &code, durable.WorkerConfig{})
	if err := worker.Start(context.Background()); err != nil {
		log.Fatal(err)
	}
	client := durable.NewClient(encrypted, durable.ClientConfig{})
	fmt.Println(run(client, greet, "ann"))
	if err := worker.Stop(context.Background()); err != nil {
		log.Fatal(err)
	}
	if err := encrypted.Close(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// hello ann <nil>
}

// A codec of your own: its id goes into every payload.
func ExampleCodec() {
	hub := durable.WithCodec(connect(), spelled{})
	fmt.Println(hub.Info().Hub)
	if err := hub.Close(); err != nil {
		log.Fatal(err)
	}
	// Output: memory
}

// spelled writes payloads in base 64.
type spelled struct{}

func (spelled) ID() string { return "base64" }

func (spelled) Encode(plain []byte) ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, plain), nil
}

func (spelled) Decode(stored []byte) ([]byte, error) {
	return base64.StdEncoding.AppendDecode(nil, stored)
}

var greet = newOrchestrator[string, string]("Greet")

func connect() durable.Backend { return membackend.New(membackend.Config{Live: true}).View("process") }

// secretFrom reads a key of 32 bytes, in base 64, from where the deployment keeps its secrets.
func secretFrom(name string) []byte {
	secret, err := base64.StdEncoding.DecodeString(os.Getenv(name))
	if err != nil || len(secret) == 0 {
		secret = make([]byte, 32) // as it is only an example
	}
	return secret
}
