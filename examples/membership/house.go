package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/durablegen/durablegen/examples/membership/club"
	"github.com/durablegen/durablegen/examples/membership/web"
	"github.com/durablegen/durablegen/examples/membership/world"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// stopWithin bounds how long anything may take to stop.
const stopWithin = 15 * time.Second

// house is the club's building: the parts of the program that hold files and connections. close shuts them in the
// opposite order of opening.
type house struct {
	settings settings
	world    *world.World
	nats     string // URL for workers in other processes, "" when there is none
	backend  durable.Backend
	client   *durable.Client
	doors    []func() error
}

// open opens the world and the hub. A hub inside the process lets other processes in when shared is set.
func open(ctx context.Context, s settings, shared bool) (h *house, err error) {
	h = &house{settings: s, nats: s.nats}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		return h, fmt.Errorf("make the data directory: %w", err)
	}
	if h.world, err = world.Open(filepath.Join(s.data, "world.db")); err != nil {
		return h, err
	}
	h.onClose(h.world.Close)
	if err := h.openHub(ctx, shared); err != nil {
		return h, err
	}
	h.onClose(h.backend.Close)
	h.client = durable.NewClient(h.backend, durable.ClientConfig{Logger: s.log})
	h.onClose(h.client.Close)
	return h, nil
}

func (h *house) openHub(ctx context.Context, shared bool) error {
	cfg := natsbackend.Config{URL: h.settings.nats, Hub: h.settings.hub, Provision: true, Logger: h.settings.log}
	if h.settings.nats != "" {
		backend, err := natsbackend.Connect(ctx, cfg)
		if err != nil {
			return err
		}
		h.backend = backend
		return nil
	}
	server := embedded.Config{Dir: filepath.Join(h.settings.data, "nats"), Logger: h.settings.log}
	if shared {
		server.Listen = "127.0.0.1:0"
	}
	srv, err := embedded.Start(ctx, server)
	if err != nil {
		return err
	}
	h.onClose(srv.Close)
	backend, err := srv.Backend(ctx, cfg)
	if err != nil {
		return err
	}
	h.backend, h.nats = backend, srv.URL()
	return nil
}

func (h *house) onClose(door func() error) { h.doors = append(h.doors, door) }

// close shuts everything, the last opened first.
func (h *house) close() error {
	var errs []error
	for i := len(h.doors) - 1; i >= 0; i-- {
		errs = append(errs, h.doors[i]())
	}
	h.doors = nil
	return errors.Join(errs...)
}

// work starts a worker in this process.
func (h *house) work(ctx context.Context) error {
	worker, err := newWorker(h.backend, h.client, h.world, h.settings)
	if err != nil {
		return err
	}
	if err := worker.Start(ctx); err != nil {
		return err
	}
	h.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		return worker.Stop(ctx)
	})
	return nil
}

// outside is what the activities need of the world; *world.World and *world.Remote are it.
type outside interface {
	club.Gateway
	club.Bank
	club.Register
	club.Press
	club.MailingList
}

// newWorker gives a worker that knows the club's code.
func newWorker(backend durable.Backend, client *durable.Client, w outside, s settings) (*durable.Worker, error) {
	var registry durable.Registry
	err := club.RegisterDurable(&registry, club.DurableReceivers{
		Notifier:  &club.Notifier{Gateway: w},
		Treasurer: &club.Treasurer{Bank: w},
		Secretary: &club.Secretary{Register: w, Press: w, List: w, Client: client},
	})
	if err != nil {
		return nil, err
	}
	return durable.NewWorker(backend, &registry, durable.WorkerConfig{Name: "membership", Logger: s.log}), nil
}

// serveSite serves the club's pages and gives their address. Applications that begin there follow the rules.
func (h *house) serveSite(addr string, rules club.Rules) (string, error) {
	site, err := web.New(club.Office{Client: h.client, Rules: rules}, h.world, h.settings.log)
	if err != nil {
		return "", err
	}
	return h.serve(addr, h.withAPI(site))
}

// serve serves HTTP until the house is closed.
func (h *house) serve(addr string, handler http.Handler) (url string, err error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("serve on %s: %w", addr, err)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	go server.Serve(listener) // ends with the server; its error is only that it was closed
	h.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		return server.Shutdown(ctx)
	})
	return "http://" + listener.Addr().String(), nil
}

// runClub runs the club until ctx ends.
func runClub(ctx context.Context, s settings, out io.Writer) error {
	h, err := open(ctx, s, s.share != "")
	if err != nil {
		return err
	}
	if err := h.receive(ctx, out); err != nil {
		return errors.Join(err, h.close())
	}
	<-ctx.Done()
	fmt.Fprintln(out, "Closing; what is under way goes on at the next start.")
	return h.close()
}

// receive opens for people and says where.
func (h *house) receive(ctx context.Context, out io.Writer) error {
	if err := h.work(ctx); err != nil {
		return err
	}
	site, err := h.serveSite(h.settings.addr, club.HouseRules(h.settings.day))
	if err != nil {
		return err
	}
	data, err := filepath.Abs(h.settings.data)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The club is open:  %s\nThe board's desk:  %s/board\nThe data is in     %s\nStop with Ctrl-C; started again, it goes on where it stopped.\n",
		site, site, data)
	if h.settings.share == "" {
		return nil
	}
	offered, err := h.serve(h.settings.share, world.Serve(h.world))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "One more worker:   go run ./examples/membership -worker -nats %s -hub %s -world %s\n", h.nats, h.settings.hub, offered)
	return nil
}
