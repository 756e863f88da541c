// Package awssecrets fetches secrets from AWS Secrets Manager.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil {
//		return err
//	}
//	keys := secrets.New(awssecrets.New(secretsmanager.NewFromConfig(cfg)))
//	key, err := keys.Get(ctx, "payments/api-key")
//
// # Names
//
// A name is the name of a secret, its ARN, or its ARN without the hyphen and the six
// characters at the end. A secret of another account needs its whole ARN. The
// default is the version AWSCURRENT. A policy that checks
// secretsmanager:VersionStage needs requests that name the stage:
// secrets.VersionStage("AWSCURRENT").
//
// # Requests and permissions
//
// One secret, and each one with a stage or a version, costs a GetSecretValue.
// Several cost one BatchGetSecretValue for each twenty. A secret costs a
// GetSecretValue besides if the batch refuses its ARN, as one of another account,
// or leaves it out. So does an ARN without its suffix that looks whole, like one
// that ends with "my-secret". If a batch is refused as a whole, each of its secrets
// does: a function without the permission works, slowly.
//
//	{
//	  "Effect": "Allow",
//	  "Action": "secretsmanager:GetSecretValue",
//	  "Resource": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:payments/*"
//	},
//	{
//	  "Effect": "Allow",
//	  "Action": "secretsmanager:BatchGetSecretValue",
//	  "Resource": "*"
//	}
//
// A customer managed key needs kms:Decrypt, and [RotationAware] needs
// secretsmanager:DescribeSecret.
//
// # Errors
//
// [secrets.ErrNotFound] is also a secret that is scheduled for deletion, and a
// version without the stage. [secrets.ErrDenied] is also a KMS key that the
// function may not use, and credentials that are invalid or expired.
// [secrets.ErrUndecryptable] is a KMS key that is disabled or gone.
// [secrets.ErrUnavailable] is throttling (a 400 of AWS), a status of 500 and more,
// a timeout, a broken connection, and an answer that cannot be read. Every other
// error is final as well and has the SDK's error as its cause.
//
// # The client
//
// The SDK's client tries three times and waits up to 20 s in between. FetchTimeout
// cuts that off, so shorter waits are better:
//
//	client := secretsmanager.NewFromConfig(cfg, func(o *secretsmanager.Options) {
//		o.Retryer = retry.AddWithMaxBackoffDelay(retry.NewStandard(), 200*time.Millisecond)
//	})
//
// Do not set LogResponseWithBody in its ClientLogMode: the client would log
// secrets.
package awssecrets
