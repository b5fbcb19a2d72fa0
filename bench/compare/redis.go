package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	goredis "github.com/redis/go-redis/v9"

	"github.com/durablegen/durablegen/bench/peer"
)

// redisServer is an empty Redis server, a child of this process.
type redisServer struct {
	server  *exec.Cmd
	address string
}

// redisMissing says whether there is a Redis to start.
func redisMissing() error {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return errors.New("there is no redis-server in PATH: install Redis (redis-server, in Debian)")
	}
	return nil
}

func startRedis(ctx context.Context, dir string, d peer.Durability) (*redisServer, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	fsync := "everysec"
	if d == peer.Strict {
		fsync = "always"
	}
	r := &redisServer{address: "127.0.0.1:" + strconv.Itoa(port)}
	r.server = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", fsync)
	if err := startServer(r.server); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	client := goredis.NewClient(&goredis.Options{Addr: r.address})
	err = answers(ctx, func() error { return client.Ping(ctx).Err() })
	if err := errors.Join(err, client.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("redis: wait for the server: %w", err), r.Close())
	}
	return r, nil
}

// size gives the bytes of the data set: the log on the disk holds every change until it is rewritten.
func (r *redisServer) size(ctx context.Context) (int64, error) {
	client := goredis.NewClient(&goredis.Options{Addr: r.address})
	info, err := client.Info(ctx, "memory").Result()
	if err := errors.Join(err, client.Close()); err != nil {
		return 0, fmt.Errorf("redis: size: %w", err)
	}
	for line := range strings.Lines(info) {
		if value, found := strings.CutPrefix(line, "used_memory_dataset:"); found {
			return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, errors.New("redis: size: INFO memory has no used_memory_dataset")
}

func (r *redisServer) Close() error { return stopServer(r.server, syscall.SIGTERM) }
