// Command zone is a function that answers with its availability zone.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metadata"
)

func main() {
	zones := metadata.New()
	if os.Getenv("ASK_AT_INIT") != "" {
		zone, err := zones.AvailabilityZoneID(context.Background())
		fmt.Println("init in", zone, err)
	}
	guard.Start(guard.Func(func(ctx context.Context, _ struct{}) (string, error) {
		zone, err := zones.AvailabilityZoneID(ctx)
		if err != nil {
			return guard.Describe(err), nil
		}
		return zone, nil
	}), guard.Default(logging.New(os.Stdout)), zones.Layer())
}
