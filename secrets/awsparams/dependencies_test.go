package awsparams_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

func TestNoOtherClientIsLinked(t *testing.T) { awstest.MustLinkOnly(t, "ssm") }
