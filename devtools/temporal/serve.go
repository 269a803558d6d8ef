package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	clusterName = "active"
	storeName   = "sqlite-default"

	// retention is how long closed workflows can be looked at. The official
	// development server keeps them for a day; a demonstration left running
	// over a week-end should still be there on Monday.
	retention = 30 * 24 * time.Hour
)

// serve runs the server and its UI until ctx ends, and then stops both.
func serve(ctx context.Context, o options, stdout io.Writer) error {
	conf, err := o.config()
	if err != nil {
		return err
	}
	var inner innerTLS
	if o.tls.set() != 0 {
		if inner, err = o.tls.open(); err != nil {
			return err
		}
		inner.protect(conf)
	}
	server, err := o.server(conf)
	if err != nil {
		return fmt.Errorf("make server: %w", err)
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	defer func() { _ = server.Stop() }()

	if o.uiPort != 0 {
		// ui-server ends the process by itself when it cannot listen.
		ui := o.ui(inner)
		go func() { _ = ui.Start() }()
		defer ui.Stop()
	}
	fmt.Fprintf(stdout, "Temporal server: %s\n", o.frontend())
	if o.uiPort != 0 {
		fmt.Fprintf(stdout, "Temporal UI:     http://%s\n", o.address(o.uiPort))
	}
	<-ctx.Done()
	return nil
}

func (o options) address(port int) string { return net.JoinHostPort(o.ip, strconv.Itoa(port)) }
func (o options) frontend() string        { return o.address(o.port) }

func (o options) server(conf *config.Config) (temporal.Server, error) {
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Level: o.logLevel}))
	authorizer, err := authorization.GetAuthorizerFromConfig(&conf.Global.Authorization)
	if err != nil {
		return nil, err
	}
	mapper, err := authorization.GetClaimMapperFromConfig(&conf.Global.Authorization, logger)
	if err != nil {
		return nil, err
	}
	// With the hosts named, the parts need no membership ring and no port for it.
	hosts := make(map[primitives.ServiceName]static.Hosts, len(conf.Services))
	for name, service := range conf.Services {
		hosts[primitives.ServiceName(name)] = static.SingleLocalHost(o.address(service.RPC.GRPCPort))
	}
	return temporal.NewServer(
		temporal.WithConfig(conf),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorizer),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return mapper }),
		temporal.WithDynamicConfigClient(o.dynamicConfig()),
	)
}

// dynamicConfig returns settings fit for one small machine, and what the
// command line asked for in their place.
func (o options) dynamicConfig() dynamicconfig.StaticClient {
	values := dynamicconfig.StaticClient{
		dynamicconfig.MakeKey("frontend.enableServerVersionCheck"):    false, // It asks a server on the internet.
		dynamicconfig.MakeKey("frontend.namespaceRPS.visibility"):     100,
		dynamicconfig.MakeKey("history.hostLevelCacheMaxSize"):        8192,
		dynamicconfig.MakeKey("system.namespaceCacheRefreshInterval"): time.Second, // New search attributes are seen soon.
	}
	for key, value := range o.dynamic {
		values[dynamicconfig.MakeKey(key)] = value
	}
	return values
}

func (o options) config() (*config.Config, error) {
	store, err := o.store()
	if err != nil {
		return nil, err
	}
	ports, err := o.internalPorts()
	if err != nil {
		return nil, err
	}
	conf := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     storeName,
			VisibilityStore:  storeName,
			NumHistoryShards: 1,
			DataStores:       map[string]config.DataStore{storeName: {SQL: store}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: o.frontend()},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: o.frontend()},
		Services: map[string]config.Service{
			string(primitives.FrontendService): o.service(o.port),
			string(primitives.HistoryService):  o.service(ports[0]),
			string(primitives.MatchingService): o.service(ports[1]),
			string(primitives.WorkerService):   o.service(ports[2]),
		},
	}
	conf.Global.Membership.MaxJoinDuration = 30 * time.Second
	conf.Global.Membership.BroadcastAddress = o.ip
	conf.Archival.History.State = "disabled"
	conf.Archival.Visibility.State = "disabled"
	conf.NamespaceDefaults.Archival.History.State = "disabled"
	conf.NamespaceDefaults.Archival.Visibility.State = "disabled"
	return conf, nil
}

func (o options) service(port int) config.Service {
	return config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: o.ip}}
}

// internalPorts returns the ports of history, matching and worker.
func (o options) internalPorts() ([3]int, error) {
	if o.internalPort != 0 {
		return [3]int{o.internalPort, o.internalPort + 1, o.internalPort + 2}, nil
	}
	var ports [3]int
	for i := range ports {
		l, err := net.Listen("tcp", o.address(0)) //nolint:noctx // Listening on loopback does not wait.
		if err != nil {
			return ports, fmt.Errorf("find a free port: %w", err)
		}
		// Closed only at the end, so that no port is found twice.
		defer func() { _ = l.Close() }()
		ports[i] = l.Addr().(*net.TCPAddr).Port //nolint:errcheck,forcetypeassert // A TCP listener has no other address.
	}
	return ports, nil
}

// store returns the database's settings, after making the database and its
// namespaces where they do not exist.
func (o options) store() (*config.SQL, error) {
	conf := sqlConfig(o.database)
	if o.database != "" {
		if err := makeDatabase(o.database); err != nil {
			return nil, err
		}
	}
	namespaces := make([]*sqliteschema.NamespaceConfig, 0, len(o.namespaces))
	for _, name := range o.namespaces {
		n, err := sqliteschema.NewNamespaceConfig(clusterName, name, false, o.searchAttributes)
		if err != nil {
			return nil, fmt.Errorf("namespace %s: %w", name, err)
		}
		n.Detail.Config.Retention = durationpb.New(retention)
		namespaces = append(namespaces, n)
	}
	if err := sqliteschema.CreateNamespaces(conf, namespaces...); err != nil {
		return nil, fmt.Errorf("create namespaces: %w", err)
	}
	return conf, nil
}

// sqlConfig returns the settings for a database file, or for one in memory
// when path is "".
func sqlConfig(path string) *config.SQL {
	if path == "" {
		return &config.SQL{
			PluginName:        sqlite.PluginName,
			DatabaseName:      "dev-" + strconv.Itoa(os.Getpid()),
			ConnectAttributes: map[string]string{"mode": "memory", "cache": "shared"},
		}
	}
	return &config.SQL{
		PluginName: sqlite.PluginName,
		// The plugin pastes the name into a URI.
		DatabaseName: (&url.URL{Path: path}).EscapedPath(),
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			"synchronous":  "normal", // Safe against a killed process, with WAL.
			"busy_timeout": "10000",
		},
	}
}

// makeDatabase makes the database file with its schema, unless it exists. A
// process killed in between leaves no half-made database behind.
func makeDatabase(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	draft := path + ".new"
	if err := os.Remove(draft); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("make database: %w", err)
	}
	conf := sqlConfig(draft)
	// Without a write-ahead log the draft is one file, which a rename moves.
	conf.ConnectAttributes["journal_mode"] = "delete"
	if err := sqliteschema.SetupSchema(conf); err != nil {
		return fmt.Errorf("set up schema: %w", err)
	}
	if err := os.Rename(draft, path); err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	return nil
}
