// Package awsparams fetches secrets and settings from the Parameter Store of AWS
// Systems Manager.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil {
//		return err
//	}
//	params := secrets.New(awsparams.New(ssm.NewFromConfig(cfg)))
//	key, err := params.Get(ctx, "/shop/prod/payments/api-key")
//
// # Names
//
//	/shop/prod/api-key                              a parameter
//	/shop/prod/api-key:3                            its version 3
//	/shop/prod/api-key:stable                       its version with the label stable
//	arn:aws:ssm:eu-central-1:111122223333:parameter/shop/prod/api-key
//	                                                one that another account shares
//	/aws/reference/secretsmanager/payments/api-key  a secret of Secrets Manager
//	/shop/prod/                                     all parameters below that path
//
// A SecureString is decrypted, except with secrets.Decrypt(false). A StringList is
// its text, with commas. A version or a label is part of the name or an option of
// Get, not both. Of a secret of Secrets Manager they are a VersionId or a
// VersionStage.
//
// Parameter Store keeps no label for the previous value. To use Pair, set one when
// you replace a value, and name it:
//
//	secrets.Previous(func(name string) secrets.Ref {
//		return secrets.Ref{Name: name, Stage: "previous"}
//	})
//
// # Paths
//
// The value of a name that ends with a slash is one JSON object. It has a member
// for each parameter below the path, named after the rest of the parameter's name.
// It is cached and replaced as a whole:
//
//	type settings struct {
//		LogLevel string `json:"log-level"`
//		APIKey   string `json:"payments/api-key"`
//	}
//	s, err := secrets.JSON[settings](ctx, params, "/shop/prod/")
//
// A path costs one GetParametersByPath for each ten parameters, one after the
// other. More than 100 pages are an error. If you know the names, Prefetch is
// faster: its requests run at the same time.
//
// # Requests and permissions
//
// A fetch costs one GetParameters for each ten parameters. Parameters that are left
// encrypted, those with an ARN, references, and a second version of a parameter
// have requests of their own. If AWS denies a request because of one parameter, each
// is fetched by itself. At most four requests of a fetch run at the same time: an
// account has 40 a second in a region, unless higher throughput is turned on.
//
//	{
//	  "Effect": "Allow",
//	  "Action": ["ssm:GetParameters", "ssm:GetParametersByPath"],
//	  "Resource": [
//	    "arn:aws:ssm:eu-central-1:111122223333:parameter/shop/prod",
//	    "arn:aws:ssm:eu-central-1:111122223333:parameter/shop/prod/*"
//	  ]
//	}
//
// GetParametersByPath, and the path itself as a resource, are needed for paths
// only. They permit all that is below. A customer managed key needs kms:Decrypt,
// and a reference secretsmanager:GetSecretValue.
//
// # Errors
//
// [secrets.ErrNotFound] is also a path without parameters. [secrets.ErrDenied] is
// also a KMS key that the function may not use, and credentials that are invalid
// or expired. [secrets.ErrUndecryptable] is a KMS key that is disabled or gone.
// [secrets.ErrUnavailable] is throttling (a 400 of AWS), a status of 500 and more,
// a timeout, a broken connection, and an answer that cannot be read. Every other
// error is final as well and has the SDK's error as its cause.
//
// # The client
//
// The SDK's client tries three times and waits up to 20 s in between. FetchTimeout
// cuts that off, so shorter waits are better:
//
//	client := ssm.NewFromConfig(cfg, func(o *ssm.Options) {
//		o.Retryer = retry.AddWithMaxBackoffDelay(retry.NewStandard(), 200*time.Millisecond)
//	})
//
// Do not set LogResponseWithBody in its ClientLogMode: the client would log
// parameters.
package awsparams
