package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	pgx "github.com/jackc/pgx/v5"

	"github.com/durablegen/durablegen/bench/peer"
)

// Postgres is set as its manual advises for a machine that is not tiny: more shared memory than the default 128 MB, and
// checkpoints that are not forced by a small log.
const (
	postgresSettings = "PostgreSQL over TCP with shared_buffers=1GB, max_wal_size=4GB, max_connections=200"
	postgresRelaxed  = "synchronous_commit=off: a crash of PostgreSQL itself loses up to 0.6 s, too"
	postgresStrict   = "synchronous_commit=on, its default: a commit is acknowledged after an fsync"
)

// postgres is a PostgreSQL server with an empty cluster, a child of this process.
type postgres struct {
	server *exec.Cmd
	port   int
}

// postgresMissing says whether there is a PostgreSQL to start.
func postgresMissing() error {
	_, err := postgresBin()
	return err
}

// postgresBin gives the folder of initdb and postgres; Debian keeps it out of PATH.
func postgresBin() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("there is no initdb, in PATH or below /usr/lib/postgresql: install PostgreSQL (postgresql, in Debian)")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// startPostgres makes a cluster in dir and starts a server on it.
func startPostgres(ctx context.Context, dir string, d peer.Durability) (*postgres, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	dir, err = os.MkdirTemp(dir, "postgres-")
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	attributes, err := lesserUser(dir)
	if err != nil {
		return nil, err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", dir, "-U", "bench", "--auth=trust", "--no-sync", "--no-locale", "-E", "UTF8")
	initdb.SysProcAttr = attributes
	initdb.Dir = dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("postgres: initdb: %w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &postgres{port: port}
	args := []string{"-D", dir, "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", dir}
	commit := "off"
	if d == peer.Strict {
		commit = "on"
	}
	for _, setting := range []string{"synchronous_commit=" + commit, "shared_buffers=1GB", "max_wal_size=4GB", "max_connections=200", "log_min_messages=fatal"} {
		args = append(args, "-c", setting)
	}
	p.server = exec.Command(filepath.Join(bin, "postgres"), args...)
	p.server.SysProcAttr = attributes
	p.server.Dir = dir
	if err := startServer(p.server); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := answers(ctx, func() error { return p.exec(ctx, "postgres", "SELECT 1") }); err != nil {
		return nil, errors.Join(fmt.Errorf("postgres: wait for the server: %w", err), p.Close())
	}
	return p, nil
}

// lesserUser makes the folder that of a user who is not root, when we are root: PostgreSQL refuses to run as root.
func lesserUser(dir string) (*syscall.SysProcAttr, error) {
	attributes := childAttributes()
	if os.Geteuid() != 0 {
		return attributes, nil
	}
	const nobody = 65534
	attributes.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		return nil, fmt.Errorf("postgres: give the folder to a user who is not root: %w", err)
	}
	return attributes, nil
}

// url gives the connection string of a database.
func (p *postgres) url(database string) string {
	return fmt.Sprintf("postgres://bench@127.0.0.1:%d/%s?sslmode=disable", p.port, database)
}

// exec runs a statement in a database.
func (p *postgres) exec(ctx context.Context, database, statement string) error {
	conn, err := pgx.Connect(ctx, p.url(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// create makes a database.
func (p *postgres) create(ctx context.Context, database string) error {
	if err := p.exec(ctx, "postgres", "CREATE DATABASE "+database); err != nil {
		return fmt.Errorf("postgres: create database %s: %w", database, err)
	}
	return nil
}

// size gives the bytes of tables and indexes of databases.
func (p *postgres) size(ctx context.Context, databases ...string) (sum int64, err error) {
	conn, err := pgx.Connect(ctx, p.url(databases[0]))
	if err != nil {
		return 0, fmt.Errorf("postgres: size: %w", err)
	}
	quoted := slices.Clone(databases)
	for i, name := range quoted {
		quoted[i] = "pg_database_size('" + name + "')"
	}
	err = conn.QueryRow(ctx, "SELECT "+strings.Join(quoted, "+")).Scan(&sum)
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		return 0, fmt.Errorf("postgres: size: %w", err)
	}
	return sum, nil
}

// Close ends the server: it rolls back what runs and writes everything out.
func (p *postgres) Close() error { return stopServer(p.server, syscall.SIGINT) }
