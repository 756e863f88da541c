package metadata_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metadata"
)

func ExampleClient_AvailabilityZoneID() {
	defer inZone("use1-az2")()
	zones := metadata.New()
	replicas := map[string]string{"use1-az1": "replica-1.internal", "use1-az2": "replica-2.internal"}

	zone, err := zones.AvailabilityZoneID(context.Background())
	if err != nil {
		fmt.Println("any replica will do:", err)
	}
	fmt.Println(replicas[zone])
	// Output: replica-2.internal
}

func ExampleClient_Layer() {
	zones := metadata.New()
	guard.Start(guard.Func(greet), guard.Default(logging.New(os.Stdout)), zones.Layer())
}

func greet(context.Context, struct{}) (string, error) { return "hello", nil }

// A snapshot may be restored in another zone.
func ExampleClient_Forget() {
	defer inZone("use1-az1")()
	zones := metadata.New()
	zone, _ := zones.AvailabilityZoneID(context.Background())
	fmt.Println(zone)

	defer inZone("use1-az3")()
	zones.Forget()
	zone, _ = zones.AvailabilityZoneID(context.Background())
	fmt.Println(zone)
	// Output:
	// use1-az1
	// use1-az3
}

// inZone serves the endpoint, as Lambda does in an environment in zone.
func inZone(zone string) (stop func()) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"AvailabilityZoneID":%q}`, zone)
	}))
	os.Setenv("AWS_LAMBDA_METADATA_API", strings.TrimPrefix(server.URL, "http://"))
	os.Setenv("AWS_LAMBDA_METADATA_TOKEN", "token")
	return server.Close
}
