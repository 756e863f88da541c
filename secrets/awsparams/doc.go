// Package awsparams is the source of secrets and settings that are kept in the
// Parameter Store of AWS Systems Manager:
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil {
//		return err
//	}
//	params := secrets.New(awsparams.New(ssm.NewFromConfig(cfg)))
//
//	key, err := params.Get(ctx, "/shop/prod/payments/api-key")
//	if err != nil {
//		return err
//	}
//	req.Header.Set("Authorization", "Bearer "+key.Text())
//
// # Names
//
//	/shop/prod/api-key                              a parameter
//	/shop/prod/api-key:3                            its version 3
//	/shop/prod/api-key:stable                       the version with that label
//	arn:aws:ssm:eu-central-1:111122223333:parameter/shop/prod/api-key
//	                                                one that another account shares
//	/aws/reference/secretsmanager/payments/api-key  a secret of Secrets Manager
//	/shop/prod/                                     all parameters below that path
//
// A SecureString is decrypted, unless secrets.Decrypt(false) says otherwise. A
// StringList is its text, with commas. A version or a label may also be said
// beside the name, but not in both places. A reference takes a VersionId or a
// VersionStage in their place, and its value has the secret's VersionId as its
// version.
//
// Parameter Store keeps no label for the value before the current one. For a Pair,
// set one when a value is replaced, and name it:
//
//	secrets.Previous(func(name string) secrets.Ref {
//		return secrets.Ref{Name: name, Stage: "previous"}
//	})
//
// # Paths
//
// A name that ends with a slash is a path, and its value one JSON object: a member
// for each parameter below it, at any depth, with the rest of the parameter's name
// as its name. It is one value of the cache, fetched, kept and replaced as a
// whole:
//
//	type settings struct {
//		LogLevel string `json:"log-level"`
//		APIKey   string `json:"payments/api-key"`
//	}
//	s, err := secrets.JSON[settings](ctx, params, "/shop/prod/")
//
// A path costs one GetParametersByPath for each ten parameters, one after the
// other; one that has over 100 pages is an error. Where the names are known,
// Prefetch of them is faster: its requests do not wait for one another. A
// permission for a path is one for all that is below it.
//
// # Requests and permissions
//
// One GetParameters for each ten parameters; those that are left encrypted, those
// with an ARN, references, and a second version of one parameter have requests of
// their own. AWS denies the whole request when the function may not read or
// decrypt one parameter of it: then each is asked for by itself. At most four
// requests of a fetch are under way at a time: an account has 40 a second in a
// region, unless higher throughput is turned on.
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
// only. A key of one's own needs kms:Decrypt, and a reference
// secretsmanager:GetSecretValue.
//
// # Errors
//
// [secrets.ErrNotFound] is also a path with nothing below it. [secrets.ErrDenied]
// is also a KMS key that the function may not use, and credentials that are not
// valid or not valid any more; [secrets.ErrUndecryptable] one that is disabled or
// gone. [secrets.ErrUnavailable] is throttling, which AWS sends as a 400, a status
// of 500 and more, a time-out, a connection that fails, and an answer that cannot
// be read. Every other error is final as well and has the SDK's as its cause.
//
// # Retries
//
// The SDK's client tries three times and waits up to 20 s in between. The cache's
// FetchTimeout ends that, and what it ends is unavailable: a client for parameters
// does better with shorter waits.
//
//	client := ssm.NewFromConfig(cfg, func(o *ssm.Options) {
//		o.Retryer = retry.AddWithMaxBackoffDelay(retry.NewStandard(), 200*time.Millisecond)
//	})
//
// The client logs values if its ClientLogMode includes LogResponseWithBody: do not
// set that.
package awsparams
