package main

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awsdynamo"
	"github.com/lambdarmor/lambdarmor/secrets/awsparams"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

// The types of values, as in the paths of requests and in config.yaml.
const (
	parameters   = "parameters"
	secretValues = "secrets"
	items        = "dynamodb"
)

// store has the cache of each value that may be read, by type and name. What is not
// in it cannot be asked for.
type store map[string]map[string]*secrets.Cache

func newStore(c listed, cfg aws.Config, ttl time.Duration, log *slog.Logger) store {
	cfg.Retryer = func() aws.Retryer { return retry.AddWithMaxBackoffDelay(retry.NewStandard(), 200*time.Millisecond) }
	s := store{parameters: {}, secretValues: {}, items: {}}
	for _, g := range c.Parameters {
		client := ssm.NewFromConfig(in(cfg, g.Region))
		s.add(parameters, awsparams.New(wholeParameters{client}), ttl, log, g.Names...)
	}
	for _, g := range c.Secrets {
		client := secretsmanager.NewFromConfig(in(cfg, g.Region))
		s.add(secretValues, awssecrets.New(wholeSecrets{client}), ttl, log, g.Names...)
	}
	found := map[string]awsdynamo.Item{}
	for _, it := range c.DynamoDB {
		found[it.name()], _ = it.keys() // checked by parseConfig
	}
	s.add(items, awsdynamo.New(dynamodb.NewFromConfig(cfg), awsdynamo.Items(found)), ttl, log, slices.Collect(maps.Keys(found))...)
	return s
}

func in(cfg aws.Config, region string) aws.Config {
	if region != "" {
		cfg.Region = region
	}
	return cfg
}

func (s store) add(kind string, source secrets.Source, ttl time.Duration, log *slog.Logger, names ...string) {
	cache := secrets.New(source, secrets.TTL(ttl), secrets.MaxEntries(len(names)+1000), // 1000 for versions and stages
		secrets.OnFetch(func(_ context.Context, f secrets.FetchReport) {
			if f.Err != nil {
				log.Warn("fetch failed", "type", kind, "name", f.Ref.Name, "cause", guard.Describe(f.Err))
			}
		}),
		secrets.OnStale(func(_ context.Context, r secrets.StaleReport) {
			if r.Err != nil { // and not just another request that fetches it
				log.Warn("old value served", "type", kind, "name", r.Ref.Name, "age", r.Age.Round(time.Second).String())
			}
		}))
	for _, name := range names {
		s[kind][name] = cache
	}
}

// load fetches all values that are listed. What cannot be fetched is in the log, and
// asked for again with a later request.
func (s store) load(ctx context.Context) {
	names := map[*secrets.Cache][]string{}
	for _, byName := range s {
		for name, cache := range byName {
			names[cache] = append(names[cache], name)
		}
	}
	var loading sync.WaitGroup
	for cache, of := range names {
		loading.Go(func() { _ = cache.Prefetch(ctx, of...) })
	}
	loading.Wait()
}
