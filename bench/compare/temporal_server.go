package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/schema"
	postgresschema "go.temporal.io/server/schema/postgresql/v12"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"

	"github.com/durablegen/durablegen/bench/peer"
)

func temporalSystems() []peer.System {
	system := peer.System{Name: "Temporal", Module: "go.temporal.io/server", Modes: []peer.Mode{peer.Queued, peer.Local}}
	onSQLite, onPostgres := system, system
	onSQLite.ID, onSQLite.Store = "temporal-sqlite", "SQLite"
	onSQLite.Relaxed, onSQLite.Strict = sqliteRelaxed, sqliteStrict
	onSQLite.Settings = temporalSettings + "; 1 history shard and 1 connection, as for its development server"
	onSQLite.Open = func(ctx context.Context, s peer.Setup) (peer.Runner, error) {
		store, err := temporalOnSQLite(s)
		if err != nil {
			return nil, err
		}
		return openTemporal(ctx, s, store)
	}
	onPostgres.ID, onPostgres.Store = "temporal-postgres", "PostgreSQL"
	onPostgres.Relaxed, onPostgres.Strict = postgresRelaxed, postgresStrict
	onPostgres.Settings = temporalSettings + "; 4 history shards, as in its development configuration; " + postgresSettings
	onPostgres.Missing = postgresMissing
	onPostgres.Open = func(ctx context.Context, s peer.Setup) (peer.Runner, error) {
		store, err := temporalOnPostgres(ctx, s)
		if err != nil {
			return nil, err
		}
		return openTemporal(ctx, s, store)
	}
	return []peer.System{onSQLite, onPostgres}
}

// temporalStore is what a server keeps its state in.
type temporalStore struct {
	main, visibility *config.SQL
	shards           int32
	bytes            func(context.Context) (int64, error)
	close            func() error
}

// temporalOnSQLite makes a database file with the server's schema.
func temporalOnSQLite(s peer.Setup) (*temporalStore, error) {
	path := filepath.Join(s.Dir, "temporal.db")
	cfg := &config.SQL{
		PluginName:        sqliteplugin.PluginName,
		DatabaseName:      path,
		ConnectAttributes: map[string]string{"mode": "rwc", "journal_mode": "wal", "synchronous": synchronous(s.Durability), "busy_timeout": "10000"},
	}
	if err := sqlite.SetupSchema(cfg); err != nil {
		return nil, fmt.Errorf("temporal: make the schema: %w", err)
	}
	return &temporalStore{main: cfg, visibility: cfg, shards: 1, close: func() error { return nil }, bytes: func(ctx context.Context) (int64, error) {
		return sqliteSize(ctx, path)
	}}, nil
}

// temporalOnPostgres starts PostgreSQL and makes two databases with the server's schemas.
func temporalOnPostgres(ctx context.Context, s peer.Setup) (_ *temporalStore, err error) {
	p, err := startPostgres(ctx, s.Dir, s.Durability)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	const main, visibility = "temporal", "temporal_visibility"
	store := &temporalStore{shards: 4, close: p.Close, bytes: func(ctx context.Context) (int64, error) { return p.size(ctx, main, visibility) }}
	for _, d := range []struct {
		name, schema, version string
		conns                 int
		cfg                   **config.SQL
	}{
		{name: main, schema: "postgresql/v12/temporal/schema.sql", version: postgresschema.Version, conns: 20, cfg: &store.main},
		{name: visibility, schema: "postgresql/v12/visibility/schema.sql", version: postgresschema.VisibilityVersion, conns: 10, cfg: &store.visibility},
	} {
		if err := p.create(ctx, d.name); err != nil {
			return nil, err
		}
		*d.cfg = &config.SQL{
			PluginName: postgresql.PluginNamePGX, DatabaseName: d.name, ConnectAddr: fmt.Sprintf("127.0.0.1:%d", p.port), ConnectProtocol: "tcp", User: "bench",
			MaxConns: d.conns, MaxIdleConns: d.conns, MaxConnLifetime: time.Hour,
		}
		if err := temporalSchema(*d.cfg, d.schema, d.version); err != nil {
			return nil, err
		}
	}
	return store, nil
}

// temporalSchema does what the server's SQL tool does for an empty database: the schema, and its version.
func temporalSchema(cfg *config.SQL, file, version string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("temporal: make the schema of %s: %w", cfg.DatabaseName, err)
		}
	}()
	db, err := sql.NewSQLAdminDB(sqlplugin.DbKindUnknown, cfg, resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	text, err := schema.Assets().Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, text.Close()) }()
	statements, err := persistence.LoadAndSplitQueryFromReaders([]io.Reader{text})
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if err := db.Exec(statement); err != nil {
			return fmt.Errorf("%w in %q", err, statement)
		}
	}
	if err := db.CreateSchemaVersionTables(); err != nil {
		return err
	}
	return db.UpdateSchemaVersion(cfg.DatabaseName, version, version)
}

// startTemporal starts the server's services in this process, set as the server's own temporaltest sets them, on a store
// of files instead of one in memory.
func startTemporal(store *temporalStore) (address string, stop func() error, err error) {
	ns, err := sqlite.NewNamespaceConfig("active", temporalNamespace, false, nil)
	if err != nil {
		return "", nil, fmt.Errorf("temporal: %w", err)
	}
	// Made for SQLite, it speaks to any SQL store.
	if err := sqlite.CreateNamespaces(store.main, ns); err != nil {
		return "", nil, fmt.Errorf("temporal: create the namespace: %w", err)
	}
	cfg, err := temporalConfig(store)
	if err != nil {
		return "", nil, err
	}
	authorizer, err := authorization.GetAuthorizerFromConfig(&cfg.Global.Authorization)
	if err != nil {
		return "", nil, fmt.Errorf("temporal: %w", err)
	}
	server, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithLogger(log.NewNoopLogger()),
		temporal.WithAuthorizer(authorizer),
		temporal.WithDynamicConfigClient(temporalLimits()),
	)
	if err != nil {
		return "", nil, fmt.Errorf("temporal: make the server: %w", err)
	}
	if err := server.Start(); err != nil {
		return "", nil, fmt.Errorf("temporal: start the server: %w", err)
	}
	return cfg.PublicClient.HostPort, server.Stop, nil
}

// temporalLimits raises every limit on rates that one machine could reach. One partition for each task queue instead of
// four: on one host that took a quarter of the CPU away and more than doubled the rate.
func temporalLimits() dynamicconfig.StaticClient {
	limits := dynamicconfig.StaticClient{
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():      1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key():     1,
	}
	for _, key := range []dynamicconfig.Key{
		dynamicconfig.FrontendRPS.Key(), dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key(), dynamicconfig.FrontendPersistenceMaxQPS.Key(),
		dynamicconfig.FrontendMaxConcurrentLongRunningRequestsPerInstance.Key(), dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(),
		dynamicconfig.HistoryRPS.Key(), dynamicconfig.HistoryPersistenceMaxQPS.Key(),
		dynamicconfig.MatchingRPS.Key(), dynamicconfig.MatchingPersistenceMaxQPS.Key(),
	} {
		limits[key] = 1_000_000
	}
	return limits
}

func temporalConfig(store *temporalStore) (*config.Config, error) {
	cfg := &config.Config{}
	cfg.Services = map[string]config.Service{}
	for _, name := range temporal.DefaultServices {
		grpc, err := freePort()
		if err != nil {
			return nil, err
		}
		membership, err := freePort()
		if err != nil {
			return nil, err
		}
		cfg.Services[name] = config.Service{RPC: config.RPC{GRPCPort: grpc, MembershipPort: membership, BindOnLocalHost: true}}
	}
	const local = "127.0.0.1"
	cfg.PublicClient = config.PublicClient{HostPort: fmt.Sprintf("%s:%d", local, cfg.Services["frontend"].RPC.GRPCPort)}
	cfg.Global.Membership = config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: local}
	cfg.Persistence = config.Persistence{
		DefaultStore: "main", VisibilityStore: "visibility", NumHistoryShards: store.shards,
		DataStores: map[string]config.DataStore{"main": {SQL: store.main}, "visibility": {SQL: store.visibility}},
	}
	cfg.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10, MasterClusterName: "active", CurrentClusterName: "active",
		ClusterInformation: map[string]cluster.ClusterInformation{
			"active": {Enabled: true, InitialFailoverVersion: 1, RPCAddress: cfg.PublicClient.HostPort},
		},
	}
	cfg.DCRedirectionPolicy = config.DCRedirectionPolicy{Policy: "noop"}
	cfg.Archival = config.Archival{History: config.HistoryArchival{State: "disabled"}, Visibility: config.VisibilityArchival{State: "disabled"}}
	cfg.NamespaceDefaults = config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
		History: config.HistoryArchivalNamespaceDefaults{State: "disabled"}, Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
	}}
	return cfg, nil
}
