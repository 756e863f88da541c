package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// emptyTable is a table without orders that holds keys to the limit of DynamoDB.
func emptyTable(t *testing.T) *table {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Key struct {
				ID struct{ S string } `json:"id"`
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if len(in.Key.ID.S) > 2048 {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"com.amazon.coral.validate#ValidationException","message":"Size of hashkey has exceeded the maximum size limit of 2048 bytes"}`)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(server.Close)
	return &table{name: "orders", client: dynamodb.New(dynamodb.Options{
		Region:       "eu-central-1",
		BaseEndpoint: &server.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		}),
	})}
}

func TestAnIDThatNoOrderCanHaveIsOneThatNoneHas(t *testing.T) {
	orders := emptyTable(t)
	for _, n := range []int{26, 2048, 2049, 8000} {
		if _, found, err := orders.get(t.Context(), strings.Repeat("x", n)); found || err != nil {
			t.Errorf("%d bytes: %t, %v", n, found, err)
		}
	}
}
